/** The smallest change from one state to another that touches nothing but what is ours. */
import type { NetworkCommand } from './command.ts'
import { groupBy } from './group-by.ts'
import { emptyState, type Link, type NetworkState, type Route, routeKey, type VxlanOptions } from './network-state.ts'
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
  /** Devices that can carry something once the link commands have run. */
  readonly usable: ReadonlySet<string>
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
  return { commands, refusals, kept, usable, vanishing }
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

function diffAddresses({ desired, observed, ownership, kept, usable }: Scope): Changes {
  const key = (address: { readonly device: string; readonly address: string }): string =>
    `${address.device} ${address.address}`
  const networks = prefixes(ownership.networks)
  const present = new Set(observed.addresses.filter(({ device }) => kept.has(device)).map(key))
  const wanted = new Map(desired.addresses.map((address) => [key(address), address]))
  return {
    upsert: [...wanted.values()]
      .filter((address) => usable.has(address.device) && !present.has(key(address)))
      .map((address) => ({ kind: 'add-address', address })),
    remove: observed.addresses
      .filter((address) => kept.has(address.device) && !wanted.has(key(address)) && inside(networks, address.address))
      .map((address) => ({ kind: 'delete-address', address })),
  }
}

function diffForwarding({ desired, observed, kept, usable }: Scope): Changes {
  const key = (entry: { readonly device: string; readonly mac: string }): string => `${entry.device} ${entry.mac}`
  const present = groupBy(
    observed.forwarding.filter(({ device }) => kept.has(device)),
    key,
  )
  const upsert: NetworkCommand[] = []
  const remove: NetworkCommand[] = []
  const wanted = new Set<string>()
  for (const entry of desired.forwarding) {
    if (wanted.has(key(entry)) || !usable.has(entry.device)) continue
    wanted.add(key(entry))
    const there = present.get(key(entry)) ?? []
    const match = there.findIndex(({ remote }) => remote === entry.remote)
    if (match < 0) upsert.push({ kind: 'replace-forwarding-entry', entry })
    // replace changes the first remote of a MAC and leaves the others
    const replaced = match < 0 ? 0 : match
    for (const [at, extra] of there.entries()) {
      if (at !== replaced) remove.push({ kind: 'delete-forwarding-entry', entry: extra })
    }
  }
  for (const [at, entries] of present) {
    if (!wanted.has(at)) remove.push(...entries.map((entry) => ({ kind: 'delete-forwarding-entry', entry }) as const))
  }
  return { upsert, remove }
}

function diffNeighbours({ desired, observed, kept, usable }: Scope): Changes {
  const key = (neighbour: { readonly device: string; readonly ip: string }): string =>
    `${neighbour.device} ${neighbour.ip}`
  const ours = observed.neighbours.filter(({ device }) => kept.has(device))
  const present = new Map(ours.map((neighbour) => [key(neighbour), neighbour]))
  const wanted = new Map(
    desired.neighbours
      .filter(({ device }) => usable.has(device))
      .toReversed()
      .map((neighbour) => [key(neighbour), neighbour]),
  )
  return {
    upsert: [...wanted.values()].toReversed().flatMap((neighbour): readonly NetworkCommand[] => {
      const there = present.get(key(neighbour))
      const same = there !== undefined && there.mac === neighbour.mac && there.permanent !== false
      return same ? [] : [{ kind: 'replace-neighbour', neighbour }]
    }),
    remove: ours
      .filter((neighbour) => neighbour.permanent !== false && !wanted.has(key(neighbour)))
      .map((neighbour) => ({ kind: 'delete-neighbour', neighbour })),
  }
}

function diffRoutes(scope: Scope): Changes & Pick<NetworkPlan, 'refusals'> {
  const { desired, observed, ownership, usable, vanishing, kept } = scope
  const networks = prefixes(ownership.networks)
  const there = observed.routes.filter(({ device }) => device === undefined || !vanishing.has(device))
  const present = groupBy(there, routeKey)
  const connected = connectedInside(there, networks, kept)
  const upsert: NetworkCommand[] = []
  const remove: NetworkCommand[] = []
  const refusals: Refusal[] = []
  const wanted = new Set<string>()
  for (const route of desired.routes) {
    const key = routeKey(route)
    if (wanted.has(key) || (route.device !== undefined && !usable.has(route.device))) continue
    wanted.add(key)
    const existing = present.get(key) ?? []
    const untouchable = existing.find((other) => isUntouchable(other, kept)) ?? covering(connected, route)
    if (untouchable !== undefined) {
      refusals.push({ kind: 'connected-route', route, existing: untouchable })
      wanted.delete(key)
      continue
    }
    const target = { ...route, protocol: route.protocol ?? ownership.routeProtocol }
    const match = existing.findIndex((other) => sameRoute(target, other))
    if (match < 0) upsert.push({ kind: 'replace-route', route: target })
    // replace changes the first route of a destination and metric and leaves the others
    const replaced = match < 0 ? 0 : match
    for (const [at, extra] of existing.entries()) {
      if (at !== replaced && isOurRoute(extra, networks, kept, ownership)) {
        remove.push({ kind: 'delete-route', route: extra })
      }
    }
  }
  for (const route of there) {
    if (!wanted.has(routeKey(route)) && isOurRoute(route, networks, kept, ownership)) {
      remove.push({ kind: 'delete-route', route })
    }
  }
  return { upsert, remove, refusals }
}

function sameRoute(target: Route, route: Route): boolean {
  return (
    route.type === undefined &&
    target.gateway === route.gateway &&
    (target.device === undefined || target.device === route.device) &&
    (target.onlink ?? false) === (route.onlink ?? false) &&
    target.source === route.source &&
    target.protocol === route.protocol &&
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
