/** The smallest change from one state to another that touches nothing but what is ours. */
import type { NetworkCommand } from './command.ts'
import { Groups } from './groups.ts'
import {
  emptyState,
  type ForwardingEntry,
  type Link,
  type Neighbour,
  type NetworkState,
  type Route,
  routeKey,
  type VxlanOptions,
} from './network-state.ts'
import { foreignBecause, isConnected, isOurRoute, type Ownership } from './ownership.ts'
import { containsPrefix, type Prefix, parsePrefix } from './prefix.ts'

/** Something desired that cannot be had without taking it from somebody else. */
export type Refusal =
  /** A device of our name that is not ours. */
  | { readonly kind: 'foreign-device'; readonly link: Link; readonly why: string }
  /** The destination belongs to a link of the machine, or to a route that refuses packets: replacing it would cut that off. */
  | { readonly kind: 'connected-route'; readonly route: Route; readonly existing: Route }

/** What to do, in order, and what will not be done. */
export type NetworkPlan = { readonly commands: readonly NetworkCommand[]; readonly refusals: readonly Refusal[] }

/**
 * What to do so that everything of ours in `observed` becomes `desired`.
 *
 * A plan applied to its state yields an empty plan. Order: links, addresses, forwarding entries, neighbours, routes, then
 * what goes, the other way round: packets never meet a route whose next hop is not known yet.
 *
 * What is desired on a device that was refused, or on one of kind `tun` that is not there yet, is left out. Of two
 * desired things in one place (two neighbours of one address, two remotes of one MAC) the first counts.
 */
export function diff(desired: NetworkState, observed: NetworkState, ownership: Ownership): NetworkPlan {
  const links = diffLinks(desired, observed, ownership)
  const scope: Scope = { desired, observed, ownership, ...links }
  const addresses = diffAddresses(scope)
  const forwarding = diffForwarding(scope)
  const neighbours = diffNeighbours(scope)
  const routes = diffRoutes(scope)
  return {
    commands: [
      ...links.commands,
      ...addresses.upsert,
      ...forwarding.upsert,
      ...neighbours.upsert,
      ...routes.upsert,
      ...routes.remove,
      ...neighbours.remove,
      ...addresses.remove,
      ...forwarding.remove,
    ],
    refusals: [...links.refusals, ...routes.refusals],
  }
}

/** What to do so that nothing of ours is left. */
export const removal = (observed: NetworkState, ownership: Ownership): NetworkPlan =>
  diff(emptyState, observed, ownership)

type Changes = { readonly upsert: readonly NetworkCommand[]; readonly remove: readonly NetworkCommand[] }

type LinkChanges = NetworkPlan & {
  /** Our devices that are there and stay: what they carry is compared. */
  readonly kept: ReadonlySet<string>
  /** Devices that routes can lead over once the link commands have run. */
  readonly usable: ReadonlySet<string>
  /** Those of them that are ours: only they get addresses, neighbours and forwarding entries. */
  readonly ours: ReadonlySet<string>
  /** Devices whose routes, neighbours … vanish with them. */
  readonly vanishing: ReadonlySet<string>
}

type Scope = Omit<LinkChanges, 'commands' | 'refusals'> & {
  readonly desired: NetworkState
  readonly observed: NetworkState
  readonly ownership: Ownership
}

function diffLinks(desired: NetworkState, observed: NetworkState, ownership: Ownership): LinkChanges {
  const commands: NetworkCommand[] = []
  const refusals: Refusal[] = []
  const [kept, vanishing] = [new Set<string>(), new Set<string>()]
  const usable = new Set(observed.links.map(({ name }) => name))
  const present = new Map(observed.links.map((link) => [link.name, link]))
  const wanted = new Map(desired.links.toReversed().map((link) => [link.name, link]))
  const add = (link: Link): void => {
    commands.push({ kind: 'add-link', link }, upAndMarked(link, ownership))
    usable.add(link.name)
  }
  for (const owned of ownership.devices) {
    const [link, target] = [present.get(owned.name), wanted.get(owned.name)]
    if (link === undefined) {
      if (target !== undefined && owned.kind === 'vxlan') add(target)
      continue
    }
    const why = foreignBecause(link, owned, observed, ownership)
    if (why !== undefined) {
      usable.delete(link.name)
      if (target !== undefined) refusals.push({ kind: 'foreign-device', link, why })
    } else if (owned.kind === 'tun' || (target !== undefined && sameDevice(target, link))) {
      kept.add(link.name)
      if (target !== undefined) commands.push(...setLink(target, link, ownership))
    } else {
      vanishing.add(link.name)
      usable.delete(link.name)
      commands.push({ kind: 'delete-link', device: link.name })
      if (target !== undefined) add(target)
    }
  }
  const ours = new Set(ownership.devices.map(({ name }) => name).filter((name) => usable.has(name)))
  return { commands, refusals, kept, usable, ours, vanishing }
}

const upAndMarked = ({ name, up }: Link, { mark }: Ownership): NetworkCommand => ({
  kind: 'set-link',
  device: name,
  ...(mark === undefined ? {} : { alias: mark }),
  up,
})

function setLink(target: Link, link: Link, { mark }: Ownership): readonly NetworkCommand[] {
  const change = {
    ...(target.mtu === link.mtu ? {} : { mtu: target.mtu }),
    ...(target.mac === undefined || target.mac === link.mac ? {} : { mac: target.mac }),
    ...(mark === undefined || mark === link.alias ? {} : { alias: mark }),
    ...(target.up === link.up ? {} : { up: target.up }),
  }
  return Object.keys(change).length === 0 ? [] : [{ kind: 'set-link', device: link.name, ...change }]
}

/** Whether a device can be used as it is, or must be made anew: the kernel changes none of these later. */
function sameDevice(target: Link, link: Link): boolean {
  const [a, b] = [target.vxlan, link.vxlan]
  if (target.kind !== link.kind || a === undefined || b === undefined) return target.kind === link.kind && a === b
  const compared: readonly (keyof VxlanOptions)[] = ['vni', 'underlay', 'local', 'port', 'learning', 'gbp', 'group']
  return compared.every((option) => a[option] === b[option])
}

function diffAddresses({ desired, observed, ownership, kept, ours }: Scope): Changes {
  const key = (address: { readonly device: string; readonly address: string }): string =>
    `${address.device} ${address.address}`
  const networks = prefixes(ownership.networks)
  const present = new Set(observed.addresses.filter(({ device }) => kept.has(device)).map(key))
  const wanted = new Map(desired.addresses.map((address) => [key(address), address]))
  return {
    upsert: [...wanted.values()]
      .filter((address) => ours.has(address.device) && !present.has(key(address)))
      .map((address) => ({ kind: 'add-address', address })),
    remove: observed.addresses
      .filter((address) => kept.has(address.device) && !wanted.has(key(address)) && inside(networks, address.address))
      .map((address) => ({ kind: 'delete-address', address })),
  }
}

function diffForwarding({ desired, observed, kept, ours }: Scope): Changes {
  const upsert: NetworkCommand[] = []
  const remove: NetworkCommand[] = []
  for (const device of ours) {
    const there = kept.has(device) ? observed.forwarding.filter((entry) => entry.device === device) : []
    const present = new Groups(there, macOf)
    const wanted = new Map<string, ForwardingEntry>()
    for (const entry of desired.forwarding) {
      if (entry.device !== device || wanted.has(entry.mac)) continue
      wanted.set(entry.mac, entry)
      const [first, more] = [present.first(entry.mac), present.more(entry.mac)]
      const same = first?.remote === entry.remote || more.some(({ remote }) => remote === entry.remote)
      // replace changes the first remote of a MAC and leaves the others
      if (!same) upsert.push({ kind: 'replace-forwarding-entry', entry })
    }
    for (const entry of there) {
      const target = wanted.get(entry.mac)
      if (target !== undefined && entry.remote === target.remote) continue
      const replaced = target !== undefined && entry === present.first(entry.mac)
      const kept = replaced && !present.more(entry.mac).some(({ remote }) => remote === target.remote)
      if (!kept) remove.push({ kind: 'delete-forwarding-entry', entry })
    }
  }
  return { upsert, remove }
}

const macOf = ({ mac }: ForwardingEntry): string => mac

function diffNeighbours({ desired, observed, kept, ours }: Scope): Changes {
  const upsert: NetworkCommand[] = []
  const remove: NetworkCommand[] = []
  for (const device of ours) {
    const present = new Map<string, Neighbour>()
    if (kept.has(device)) {
      for (const neighbour of observed.neighbours) if (neighbour.device === device) present.set(neighbour.ip, neighbour)
    }
    const wanted = new Set<string>()
    for (const neighbour of desired.neighbours) {
      if (neighbour.device !== device || wanted.has(neighbour.ip)) continue
      wanted.add(neighbour.ip)
      const there = present.get(neighbour.ip)
      const same = there !== undefined && there.mac === neighbour.mac && there.permanent !== false
      if (!same) upsert.push({ kind: 'replace-neighbour', neighbour })
    }
    for (const neighbour of present.values()) {
      if (neighbour.permanent !== false && !wanted.has(neighbour.ip))
        remove.push({ kind: 'delete-neighbour', neighbour })
    }
  }
  return { upsert, remove }
}

function diffRoutes(scope: Scope): Changes & Pick<NetworkPlan, 'refusals'> {
  const { desired, observed, ownership, usable, vanishing, kept } = scope
  const networks = prefixes(ownership.networks)
  const there =
    vanishing.size === 0 ? observed.routes : observed.routes.filter(({ device }) => !vanishing.has(device ?? ''))
  const present = new Groups(there, routeKey)
  const connected = connectedInside(there, networks, kept)
  const upsert: NetworkCommand[] = []
  const remove: NetworkCommand[] = []
  const refusals: Refusal[] = []
  /** The observed route that stays, or is replaced, by key. */
  const settled = new Map<string, Route | undefined>()
  for (const route of desired.routes) {
    const key = routeKey(route)
    if (settled.has(key) || (route.device !== undefined && !usable.has(route.device))) continue
    const [first, more] = [present.first(key), present.more(key)]
    const untouchable =
      (first !== undefined && isUntouchable(first, kept) ? first : undefined) ??
      more.find((other) => isUntouchable(other, kept)) ??
      covering(connected, route)
    if (untouchable !== undefined) {
      refusals.push({ kind: 'connected-route', route, existing: untouchable })
      continue
    }
    const protocol = route.protocol ?? ownership.routeProtocol
    if (first !== undefined && sameRoute(route, protocol, first)) {
      settled.set(key, first)
      continue
    }
    const match = more.find((other) => sameRoute(route, protocol, other))
    // replace changes the first route of a destination and metric and leaves the others
    settled.set(key, match ?? first)
    if (match === undefined) upsert.push({ kind: 'replace-route', route: { ...route, protocol } })
  }
  for (const route of there) {
    const key = routeKey(route)
    if (settled.has(key) && settled.get(key) === route) continue
    if (isOurRoute(route, networks, kept, ownership)) remove.push({ kind: 'delete-route', route })
  }
  return { upsert, remove, refusals }
}

function sameRoute(target: Route, protocol: string, route: Route): boolean {
  return (
    route.type === undefined &&
    target.gateway === route.gateway &&
    (target.device === undefined || target.device === route.device) &&
    (target.onlink ?? false) === (route.onlink ?? false) &&
    target.source === route.source &&
    protocol === route.protocol &&
    (target.scope === undefined || target.scope === route.scope)
  )
}

/** Routes that a desired one of the same destination must not replace. */
const isUntouchable = (route: Route, ourDevices: ReadonlySet<string>): boolean =>
  route.type !== undefined || (isConnected(route) && !ourDevices.has(route.device ?? ''))

type Connected = { readonly route: Route; readonly prefix: Prefix }

/** The links of the machine that lie inside the networks: a subnet of another machine inside one would cut it off. */
function connectedInside(
  routes: readonly Route[],
  networks: readonly Prefix[],
  ourDevices: ReadonlySet<string>,
): readonly Connected[] {
  return routes.flatMap((route) => {
    if (!isConnected(route) || ourDevices.has(route.device ?? '')) return []
    const prefix = parsePrefix(route.destination)
    if (prefix === undefined || !networks.some((network) => containsPrefix(network, prefix))) return []
    return [{ route, prefix }]
  })
}

function covering(connected: readonly Connected[], { destination }: Route): Route | undefined {
  if (connected.length === 0) return undefined
  const inner = parsePrefix(destination)
  return inner && connected.find(({ prefix }) => containsPrefix(prefix, inner))?.route
}

const prefixes = (texts: readonly string[]): readonly Prefix[] => texts.flatMap((text) => parsePrefix(text) ?? [])

function inside(networks: readonly Prefix[], text: string): boolean {
  const prefix = parsePrefix(text)
  return prefix !== undefined && networks.some((network) => containsPrefix(network, prefix))
}
