/**
 * What a recorded overlay and a running one have in common, with the machine's own choices replaced by the recorded
 * placeholders: `10.5.<N>.x` is the subnet of host N, `<vtepmacN>` the MAC of its device. Pure.
 * Rules of comparison: the table of README-flannel.md.
 */
import { isRecorded, objectIn, objectsIn, type RecordedCase, textIn } from '../recorded-cases.ts'

/** Everything that must match, sorted, so that order does not count. */
export type OverlayFacts = {
  /** Lease keys with time to live and value, by key. */
  readonly keys: Readonly<Record<string, { readonly ttl: string; readonly value: unknown }>>
  /** Texts of the subnet files by host. */
  readonly files: Readonly<Record<string, string>>
  /** What the kernel of a host holds. */
  readonly hosts: Readonly<Record<string, KernelFacts>>
}

export type KernelFacts = {
  readonly links: readonly string[]
  readonly routes: readonly string[]
  readonly neighbours: readonly string[]
  readonly forwarding: readonly string[]
}

/** As `ip -json` and `bridge -json` print them; recorded and seen alike. */
export type SeenKernel = {
  /** Flannel's devices only. */
  readonly links: readonly RecordedCase[]
  readonly routes: readonly RecordedCase[]
  readonly neighbours: readonly RecordedCase[]
  readonly forwarding: readonly RecordedCase[]
}

/** The facts of a recorded phase. Stale entries of a peer's former MAC are left out: they should be gone in ours. */
export function recordedFacts(phase: RecordedCase): OverlayFacts {
  const hosts = Object.entries(objectIn(phase, 'state')).map(([host, state]) => {
    const seen = isRecorded(state) ? state : {}
    const facts = kernelFacts({
      links: objectsIn(seen, 'links'),
      routes: objectsIn(seen, 'routes'),
      neighbours: Object.keys(objectIn(seen, 'neigh')).flatMap((device) => objectsIn(objectIn(seen, 'neigh'), device)),
      forwarding: Object.keys(objectIn(seen, 'fdb'))
        .flatMap((device) => objectsIn(objectIn(seen, 'fdb'), device))
        .filter(({ mac }) => !/^<(mac|.* before)>$/.test(String(mac))),
    })
    return [host, facts] as const
  })
  const files = Object.entries(objectIn(phase, 'subnet_env')).map(([host, text]) => [host, String(text)] as const)
  return {
    keys: keyFacts(
      objectsIn(phase, 'etcd').map((one) => ({
        key: textIn(one, 'key'),
        ttl: typeof one['ttl'] === 'number' ? one['ttl'] : undefined,
        value: textIn(one, 'value'),
      })),
    ),
    files: Object.fromEntries(files),
    hosts: Object.fromEntries(hosts),
  }
}

/** Leases as facts; a value that is no JSON stays a text. `PublicIPv6: null` and `VNI` may be there or not. */
export const keyFacts = (
  keys: readonly { readonly key: string; readonly ttl: number | undefined; readonly value: string }[],
): OverlayFacts['keys'] =>
  Object.fromEntries(keys.map(({ key, ttl, value }) => [key, { ttl: ttlClass(ttl), value: leaseValue(value) }]))

function ttlClass(ttl: number | undefined): string {
  if (ttl === undefined) return 'none'
  // The records call it so for as long as they last, and none lasts five minutes.
  if (ttl >= 86_100 && ttl <= 86_400) return 'a day'
  return ttl > 60 && ttl <= 600 ? 'ten minutes' : `${ttl} s`
}

function leaseValue(text: string): unknown {
  try {
    return withoutOptional(JSON.parse(text))
  } catch {
    return text
  }
}

const withoutOptional = (value: unknown): unknown =>
  isRecorded(value)
    ? Object.fromEntries(
        Object.entries(value)
          .filter(([name, member]) => name !== 'VNI' && !(name === 'PublicIPv6' && member === null))
          .map(([name, member]) => [name, withoutOptional(member)]),
      )
    : value

/** What the kernel holds, as lines that say no more than what must match. */
export function kernelFacts({ links, routes, neighbours, forwarding }: SeenKernel): KernelFacts {
  return {
    links: links.map(linkFact).sort(),
    routes: routes.map(routeFact).sort(),
    neighbours: neighbours
      .filter(({ state }) => Array.isArray(state) && state.includes('PERMANENT'))
      .map(({ dst, lladdr }) => `${dst} is at ${lladdr}`)
      .sort(),
    forwarding: forwarding
      .filter(({ dst }) => dst !== undefined)
      .map(({ mac, dst, state }) => `${mac} through ${dst} ${state}`)
      .sort(),
  }
}

/** Name, kind, id, local address, port, learning, MTU, whether it is up, IPv4 addresses. */
function linkFact(link: RecordedCase): string {
  const info = objectIn(link, 'linkinfo')
  const kind = info['info_kind']
  const { id, local, port, learning } = objectIn(info, 'info_data')
  const { flags } = link
  const state = Array.isArray(flags) && flags.includes('UP') ? 'up' : 'down'
  // `ip -json addr` calls them addr_info, the records addrs.
  const addresses = [...objectsIn(link, 'addrs'), ...objectsIn(link, 'addr_info')]
    .filter(({ family }) => family === 'inet')
    // With /32 the route to the network is one of its own, as from release 0.17 on, where a wider one brings it along.
    .map((address) => (kind === 'tun' ? `${address['local']}` : `${address['local']}/${address['prefixlen']}`))
  const vxlan = id === undefined ? '' : ` id ${id} local ${local} port ${port} learning ${learning === true}`
  return `${link['ifname']} ${kind}${vxlan} mtu ${link['mtu']} ${state} ${addresses.sort().join(' ')}`
}

function routeFact({ dst, gateway, dev, flags }: RecordedCase): string {
  const via = gateway === undefined ? '' : ` via ${gateway}`
  const onlink = Array.isArray(flags) && flags.includes('onlink') ? ' onlink' : ''
  return `${dst}${via} dev ${dev}${onlink}`
}

/** Replaces what only this run knows by what the records call it, in every text of a value. */
export function withPlaceholders<Value>(value: Value, names: ReadonlyMap<string, string>): Value
export function withPlaceholders(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return [...names].reduce((text, [own, name]) => text.replaceAll(own, name), value)
  if (Array.isArray(value)) return value.map((one: unknown) => withPlaceholders(one, names))
  if (!isRecorded(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      String(withPlaceholders(key, names)),
      withPlaceholders(member, names),
    ]),
  )
}
