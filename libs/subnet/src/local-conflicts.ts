/**
 * Networks that must not meet, and machines that must not share an address: what to look at before the first route is
 * set (spec/flannel.md §11, traps 1, 14, 19 and 20). Values in, findings out.
 */
import type { Ip4, Net4 } from './ip-net.ts'
import { contains4, formatIp4, formatNet4, overlap4 } from './ip-net.ts'
import { encodeAttributes, type LeaseAttributes } from './lease.ts'

/** A destination that this machine reaches without the overlay. */
export type LocalRoute = { readonly destination: Net4; readonly device: string }

/** What stands in the way of a network. `text` names it, `hint` says what to do. */
export type NetworkConflict = {
  readonly kind: 'route' | 'address' | 'store'
  readonly text: string
  readonly hint: string
}

/**
 * What of this machine lies inside the overlay network, or around it: machines would be cut off by the first lease of
 * such an address. The default route is none of it.
 *
 * @param ownDevices devices of the overlay and the bridges of containers: their routes belong there
 */
export function networkConflicts({
  network,
  routes,
  addresses = [],
  stores = [],
  ownDevices = [],
}: {
  readonly network: Net4
  readonly routes: readonly LocalRoute[]
  /** Addresses of the machine that are in use below the overlay, its external interface above all. */
  readonly addresses?: readonly { readonly ip: Ip4; readonly device: string }[]
  /** Where the store is reached. */
  readonly stores?: readonly Ip4[]
  readonly ownDevices?: readonly string[]
}): readonly NetworkConflict[] {
  const net = formatNet4(network)
  const hint = 'choose a Network that no machine uses, or remove the route'
  return [
    ...routes
      .filter(({ destination, device }) => destination.length > 0 && !ownDevices.includes(device))
      .filter(({ destination }) => overlap4(destination, network))
      .map(({ destination, device }) => ({
        kind: 'route' as const,
        text: `Network ${net} overlaps the route to ${formatNet4(destination)} on ${device}`,
        hint,
      })),
    ...addresses
      .filter(({ ip, device }) => contains4(network, ip) && !ownDevices.includes(device))
      .map(({ ip, device }) => ({
        kind: 'address' as const,
        text: `Network ${net} holds the address ${formatIp4(ip)} of ${device}`,
        hint,
      })),
    ...stores
      .filter((ip) => contains4(network, ip))
      .map((ip) => ({
        kind: 'store' as const,
        text: `Network ${net} holds the address ${formatIp4(ip)} of the store`,
        hint: 'choose a Network that does not hold the store',
      })),
  ]
}

/**
 * Whether the value under our own key was written by somebody else: another machine with our public address, or one
 * that took the subnet over. `undefined` when it is ours.
 */
export function foreignWriter(own: LeaseAttributes, seen: LeaseAttributes): string | undefined {
  if (seen.publicIp !== own.publicIp) return `the lease now belongs to ${formatIp4(seen.publicIp)}`
  if (encodeAttributes(seen) === encodeAttributes(own)) return undefined
  return (
    `another machine writes this lease as ${formatIp4(own.publicIp)} too: it says ${encodeAttributes(seen)}, ` +
    `we wrote ${encodeAttributes(own)}; give each machine a public address of its own`
  )
}
