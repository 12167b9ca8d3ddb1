/**
 * To which of the other machines packets can be sent, and why not to the rest. A lease of somebody else must never cut
 * this machine off from what it reaches otherwise (spec/flannel.md §11, traps 12, 18 to 20). Pure.
 */
import type { NetworkState, Route } from '@cluster/linux-net/state'
import {
  contains4,
  formatIp4,
  formatNet4,
  type Ip4,
  type Net4,
  networkConflicts,
  overlap4,
  parseIp4,
  parseNet4,
  toIp4,
} from '@cluster/subnet'
import type { Backend, Peer } from './backends/backend.ts'
import type { ExternalInterface } from './external.ts'
import type { KnownLease } from './known-lease.ts'

/** What leases without an owner say. */
const unsetIp4 = toIp4(0)

/** What becomes of one lease of another machine. */
export type Judgement =
  | { readonly kind: 'peer'; readonly lease: KnownLease; readonly peer: Peer }
  /** Nothing wrong with it, but there is no way from here: another backend, or none at all. */
  | { readonly kind: 'ignored'; readonly lease: KnownLease; readonly reason: string }
  /** It would do harm, or cannot be true. */
  | { readonly kind: 'refused'; readonly lease: KnownLease; readonly reason: string }

/** What the other leases are judged by. */
export type Standpoint = {
  readonly backend: Backend
  readonly network: Net4
  /** Our own lease's key and subnet. */
  readonly ownKey: string
  readonly own: Net4
  readonly external: ExternalInterface
  /** Names of devices that are ours. */
  readonly devices: ReadonlySet<string>
}

/** The routes of the machine itself, as far as judging needs them: made once per look, used for all leases. */
export type Landscape = {
  /** Routes of links that lie within the network, and are not ours. */
  readonly connected: readonly { readonly net: Net4; readonly route: Route }[]
  /** The device whose link a machine is on: the longest route to it has no gateway. `undefined`: it is on none. */
  readonly linkTo: (ip: Ip4) => string | undefined
  /** Equal for landscapes that give the same answers. */
  readonly fingerprint: string
}

/** The routes of `state` as the judge needs them. */
export function landscapeOf(
  state: NetworkState,
  { network, devices }: Pick<Standpoint, 'network' | 'devices'>,
): Landscape {
  const outside: { readonly net: Net4; readonly route: Route }[] = []
  const connected: { readonly net: Net4; readonly route: Route }[] = []
  for (const route of state.routes) {
    const net = parseNet4(route.destination)
    if (net === undefined || (route.device !== undefined && devices.has(route.device))) continue
    const isInside = net.length >= network.length && contains4(network, net.ip)
    if (!isInside) outside.push({ net, route })
    else if (route.gateway === undefined && route.device !== undefined) connected.push({ net, route })
  }
  // Longest first, and of one length the one that the kernel prefers.
  outside.sort((one, other) => other.net.length - one.net.length || (one.route.metric ?? 0) - (other.route.metric ?? 0))
  const linkTo = (ip: Ip4): string | undefined => {
    const best = outside.find(({ net }) => contains4(net, ip))?.route
    return best?.gateway === undefined && best?.type === undefined ? best?.device : undefined
  }
  const fingerprint = [...connected, { net: network, route: undefined }, ...outside]
    .map(({ net, route }) => [formatNet4(net), route?.gateway, route?.device, route?.metric, route?.type].join())
    .join(' ')
  return { connected, linkTo, fingerprint }
}

/** What becomes of the lease; `undefined` for our own. */
export function judge(lease: KnownLease, standpoint: Standpoint, landscape: Landscape): Judgement | undefined {
  if (lease.key === standpoint.ownKey) return undefined
  const { network, own, external, backend } = standpoint
  const { attributes, publicIpText } = lease
  const net = lease.subnet.v4
  const refused = (reason: string): Judgement => ({ kind: 'refused', lease, reason })

  if (net === undefined) return { kind: 'ignored', lease, reason: 'it has no IPv4 subnet' }
  if (attributes.publicIp === unsetIp4) return refused('it names no owner')
  if (net.length < network.length || !contains4(network, net.ip)) {
    return refused(`it lies outside the network ${formatNet4(network)}`)
  }
  if (overlap4(net, own)) return refused(`it overlaps the subnet of this machine, ${formatNet4(own)}`)
  if (publicIpText === external.publicIp) {
    return refused(`it has our own public address ${publicIpText}: a former lease of this machine, or a second machine`)
  }
  if (contains4(network, attributes.publicIp)) return refused(`its public address ${publicIpText} lies in the overlay`)
  const inTheWay = landscape.connected.find((other) => contains4(net, other.net.ip) && other.net.length >= net.length)
  if (inTheWay !== undefined) {
    const { destination, device } = inTheWay.route
    return refused(`it lies over the route ${destination} dev ${device} of this machine`)
  }
  const data = backend.read(attributes)
  if (data.kind === 'unusable') return { kind: 'ignored', lease, reason: data.reason }
  const direct = backend.direct(attributes.publicIp, external, landscape.linkTo)
  const peer: Peer = {
    subnet: formatNet4(net),
    gateway: formatIp4(net.ip),
    publicIp: publicIpText,
    ...(data.mac === undefined ? {} : { mac: data.mac }),
    ...(direct === undefined ? {} : { direct }),
  }
  return { kind: 'peer', lease, peer }
}

/** Kinds of links that lead out of the machine; a bridge, dummy or veth inside the network is where containers are. */
const outwardKinds = new Set(['', 'vlan', 'bond', 'team', 'macvlan', 'ipvlan'])

/**
 * Why the network cannot be used on this machine: it would swallow what the machine reaches otherwise.
 *
 * @param storeAddresses of the store's servers; what is no IPv4 address is left out
 */
export function networkProblem(
  state: NetworkState,
  { network, external, devices }: Pick<Standpoint, 'network' | 'external' | 'devices'>,
  storeAddresses: readonly string[],
): { readonly text: string; readonly hint: string } | undefined {
  const { connected } = landscapeOf(state, { network, devices })
  const kindOf = (name: string | undefined): string => state.links.find((link) => link.name === name)?.kind ?? 'none'
  const routes = connected.flatMap(({ net, route: { device } }) =>
    device === external.device || outwardKinds.has(kindOf(device)) ? [{ destination: net, device: device ?? '?' }] : [],
  )
  const addresses = [external.interfaceAddress, external.publicIp].flatMap((text) => {
    const ip = parseIp4(text)
    return ip === undefined ? [] : [{ ip, device: external.device }]
  })
  const stores = storeAddresses.flatMap((text) => parseIp4(text) ?? [])
  return networkConflicts({ network, routes, addresses, stores })[0]
}
