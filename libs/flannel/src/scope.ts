/** The part of a state that some machines' leases concern: one changed lease of two thousand is a small comparison. Pure. */
import type { NetworkState } from '@cluster/linux-net/state'
import type { Peer } from './backends/backend.ts'

/** Names of what changed leases tell, or told before. */
export type Scope = {
  readonly destinations: Set<string>
  readonly gateways: Set<string>
  readonly macs: Set<string>
}

export const emptyScope = (): Scope => ({ destinations: new Set(), gateways: new Set(), macs: new Set() })

/** Takes all that the kernel may hold of this machine into the scope. */
export function addToScope({ destinations, gateways, macs }: Scope, { subnet, gateway, mac }: Peer): void {
  destinations.add(subnet)
  gateways.add(gateway)
  if (mac !== undefined) macs.add(mac)
}

/** What of the state lies in the scope; links and addresses as they are, because the rest hangs on them. */
export const inScope = (state: NetworkState, { destinations, gateways, macs }: Scope): NetworkState => ({
  links: state.links,
  addresses: state.addresses,
  routes: state.routes.filter(({ destination }) => destinations.has(destination)),
  neighbours: state.neighbours.filter(({ ip }) => gateways.has(ip)),
  forwarding: state.forwarding.filter(({ mac }) => macs.has(mac)),
})
