/**
 * Which peer has an address: the longest prefix that contains it. Prefixes may contain each other, so they are cut into
 * ranges that do not, and a search halves them; flat arrays, which pass to another thread as they are.
 */
import type { UdpTunnelPeer } from './tunnel.ts'

/** Addresses are unsigned 32-bit numbers. */
export type PeerTable = {
  /** The first address of each range, ascending, the first range beginning at 0. */
  readonly starts: Uint32Array
  /** Each range's peer, or -1. */
  readonly peers: Int32Array
  readonly publicIps: Uint32Array
  readonly ports: Uint16Array
  /** The public addresses, ascending. */
  readonly senders: Uint32Array
}

/** '10.78.0.2' as a number, `undefined` for anything else. */
export function parseAddress(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)
  if (parts === undefined || parts.some((part) => part > 255)) return undefined
  return parts.reduce((address, part) => address * 256 + part, 0)
}

type Prefix = { readonly first: number; readonly length: number }

/** '10.5.34.0/24'; bits of the host part are taken for 0, as a route would refuse and a lease never has them. */
export function parsePrefix(text: string): Prefix | undefined {
  const [, addressText = '', lengthText = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? []
  const address = parseAddress(addressText)
  const length = Number(lengthText)
  if (address === undefined || lengthText === '' || length > 32) return undefined
  return { first: address - (address % sizeOf(length)), length }
}

const sizeOf = (length: number): number => 2 ** (32 - length)

/** The first peer whose texts are no subnet or address, if one is. */
export const findBadPeer = (peers: readonly UdpTunnelPeer[]): UdpTunnelPeer | undefined =>
  peers.find(({ subnet, publicIp }) => parsePrefix(subnet) === undefined || parseAddress(publicIp) === undefined)

/** The table of peers whose texts were checked by `findBadPeer`; of equal subnets the last one counts. */
export function buildPeerTable(peers: readonly UdpTunnelPeer[], defaultPort: number): PeerTable {
  const prefixes = peers.flatMap(({ subnet }, peer) => {
    const prefix = parsePrefix(subnet)
    return prefix === undefined ? [] : [{ ...prefix, peer }]
  })
  // The wider comes before the narrower inside it, so that the stack holds what contains the present place.
  prefixes.sort((one, other) => one.first - other.first || one.length - other.length)
  const ranges: { start: number; peer: number }[] = [{ start: 0, peer: -1 }]
  const begin = (start: number, peer: number): void => {
    const last = ranges.at(-1)
    if (last?.start === start) last.peer = peer
    else ranges.push({ start, peer })
  }
  const open: { end: number; peer: number }[] = []
  const closeUntil = (place: number): void => {
    for (let inner = open.at(-1); inner !== undefined && inner.end <= place; inner = open.at(-1)) {
      open.pop()
      begin(inner.end, open.at(-1)?.peer ?? -1)
    }
  }
  for (const { first, length, peer } of prefixes) {
    closeUntil(first)
    begin(first, peer)
    open.push({ end: first + sizeOf(length), peer })
  }
  closeUntil(2 ** 32)
  const inSpace = ranges.filter(({ start }) => start < 2 ** 32)
  const publicIps = Uint32Array.from(peers, ({ publicIp }) => parseAddress(publicIp) ?? 0)
  return {
    starts: Uint32Array.from(inSpace, ({ start }) => start),
    peers: Int32Array.from(inSpace, ({ peer }) => peer),
    publicIps,
    ports: Uint16Array.from(peers, ({ port = defaultPort }) => port),
    senders: publicIps.slice().sort(),
  }
}

/** The peer that has an address, or -1. Allocates nothing. */
export function lookUpPeer({ starts, peers }: PeerTable, address: number): number {
  return peers[lastAtMost(starts, address)] ?? -1
}

/** Whether any peer has this public address. */
export function isSender({ senders }: PeerTable, address: number): boolean {
  return senders[lastAtMost(senders, address)] === address
}

/** The place of the last value that is not above `wanted`; 0 also where the first is above it. */
function lastAtMost(ascending: Uint32Array, wanted: number): number {
  let low = 0
  let high = ascending.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if ((ascending[middle] ?? 0) <= wanted) low = middle
    else high = middle - 1
  }
  return low
}
