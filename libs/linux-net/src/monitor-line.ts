/** A line of `ip -N -o monitor link address route neigh`, as far as it matters here. */
import { protocolName } from './parse-ip.ts'
import { wholeDestination } from './state/prefix.ts'

/** One thing that came, changed or went. */
export type MonitorEvent = { readonly gone: boolean } & (
  | {
      readonly kind: 'link'
      readonly index: number
      readonly device: string
      readonly mtu: number
      readonly up: boolean
    }
  | { readonly kind: 'address'; readonly device: string; readonly address: string }
  | {
      readonly kind: 'route'
      readonly destination: string
      readonly gateway?: string
      readonly device?: string
      readonly protocol: string
    }
  | {
      readonly kind: 'neighbour'
      readonly device: string
      readonly ip: string
      readonly mac?: string
      readonly permanent: boolean
    }
  | { readonly kind: 'forwarding'; readonly device: string; readonly mac: string; readonly remote: string }
)

/** What a line says; `undefined`: nothing about the main table, a link, an address or a neighbour. */
export function parseMonitorLine(line: string): MonitorEvent | undefined {
  const gone = line.startsWith('Deleted ')
  const text = (gone ? line.slice('Deleted '.length) : line).trim()
  const link = /^(\d+): ([^:@\s]+)(?:@\S+)?: <([^>]*)> mtu (\d+)/.exec(text)
  if (link !== null) {
    const [, index, device = '', flags = '', mtu] = link
    return { kind: 'link', gone, index: Number(index), device, mtu: Number(mtu), up: flags.split(',').includes('UP') }
  }
  const address = /^\d+: (\S+)\s+inet6? (\S+)/.exec(text)
  if (address !== null) {
    const [, device = '', local = ''] = address
    return { kind: 'address', gone, device, address: local.includes('/') ? local : wholeDestination(local, 4) }
  }
  const words = text.split(/\s+/)
  const after = (word: string): string | undefined => {
    const at = words.indexOf(word)
    return at < 0 ? undefined : words[at + 1]
  }
  const [first = ''] = words
  if (isNeighbour(words)) return neighbourOf(gone, first, words, after)
  if (after('table') !== undefined && after('table') !== 'main' && after('table') !== '254') return undefined
  const [, second = ''] = words
  // blackhole, unreachable … of the main table, as numbers with -N: the destination is the second word
  if (isDestination(second) && /^([a-z]+|\d+)$/.test(first)) {
    return { kind: 'route', gone, destination: wholeDestination(second, familyOf(text)), protocol: 'unknown' }
  }
  if (!isDestination(first)) return undefined
  const via = after('via')
  const [gateway, device] = [via === 'inet6' || via === 'inet' ? after(via) : via, after('dev')]
  return {
    kind: 'route',
    gone,
    destination: wholeDestination(first, familyOf(text)),
    ...(gateway === undefined ? {} : { gateway }),
    ...(device === undefined ? {} : { device }),
    protocol: protocolName(after('proto') ?? 'boot'),
  }
}

const isDestination = (word: string): boolean => /^(default|[0-9a-f:.]+(\/\d+)?)$/.test(word)

const neighbourStates: ReadonlySet<string> = new Set([
  'PERMANENT',
  'NOARP',
  'REACHABLE',
  'STALE',
  'DELAY',
  'PROBE',
  'INCOMPLETE',
  'FAILED',
  'NONE',
])

const isNeighbour = (words: readonly string[]): boolean => neighbourStates.has(words.at(-1) ?? '')

function neighbourOf(
  gone: boolean,
  ip: string,
  words: readonly string[],
  after: (word: string) => string | undefined,
): MonitorEvent | undefined {
  const [device, mac] = [after('dev'), after('lladdr')]
  if (device === undefined) return undefined
  const permanent = words.includes('PERMANENT')
  // An entry of a vxlan table is printed like a neighbour: its remote first, never asked for, permanent.
  if (permanent && words.includes('NOARP')) {
    return mac === undefined ? undefined : { kind: 'forwarding', gone, device, mac, remote: ip }
  }
  return { kind: 'neighbour', gone, device, ip, permanent, ...(mac === undefined ? {} : { mac }) }
}

const familyOf = (text: string): 4 | 6 => (/\b(via|dev)\b.*:.*:/.test(text) || text.includes('pref ') ? 6 : 4)
