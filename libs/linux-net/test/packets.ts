/** Packets for tests, made field by field. */
import { checksumOf, pseudoHeaderSum, sumWords, udpChecksumOf } from '../src/udp-tunnel/checksum.ts'
import { parseAddress } from '../src/udp-tunnel/peer-table.ts'

export type PacketFields = {
  readonly source?: string
  readonly destination?: string
  readonly protocol?: 'tcp' | 'udp' | 'icmp'
  readonly timeToLive?: number
  readonly identification?: number
  /** Flags and offset, as in the header. */
  readonly fragment?: number
  readonly sequence?: number
  readonly flags?: number
  /** A multiple of four bytes. */
  readonly tcpOptions?: readonly number[]
  /** A multiple of four bytes. */
  readonly ipOptions?: readonly number[]
  readonly payload?: Uint8Array
}

const protocols = { tcp: 6, udp: 17, icmp: 1 } as const

/** A packet with right checksums. */
export function makePacket(fields: PacketFields = {}): Uint8Array {
  const { protocol = 'tcp', payload = new Uint8Array(0), ipOptions = [], tcpOptions = [] } = fields
  const ipBytes = 20 + ipOptions.length
  const transportBytes = protocol === 'tcp' ? 20 + tcpOptions.length : 8
  const packet = new Uint8Array(ipBytes + transportBytes + payload.length)
  const view = new DataView(packet.buffer)
  view.setUint8(0, 0x40 + ipBytes / 4)
  view.setUint16(2, packet.length)
  view.setUint16(4, fields.identification ?? 7)
  view.setUint16(6, fields.fragment ?? 0x4000)
  view.setUint8(8, fields.timeToLive ?? 63)
  view.setUint8(9, protocols[protocol])
  view.setUint32(12, parseAddress(fields.source ?? '10.5.1.2') ?? 0)
  view.setUint32(16, parseAddress(fields.destination ?? '10.5.2.2') ?? 0)
  packet.set(ipOptions, 20)
  view.setUint16(10, checksumOf(sumWords(view, 0, ipBytes)))
  packet.set(payload, ipBytes + transportBytes)
  view.setUint32(ipBytes, 0x8d3c1f90)
  if (protocol === 'tcp') {
    view.setUint32(ipBytes + 4, fields.sequence ?? 1000)
    view.setUint32(ipBytes + 8, 5000)
    view.setUint8(ipBytes + 12, (transportBytes / 4) * 16)
    view.setUint8(ipBytes + 13, fields.flags ?? 0x10)
    view.setUint16(ipBytes + 14, 512)
    packet.set(tcpOptions, ipBytes + 20)
  } else if (protocol === 'udp') view.setUint16(ipBytes + 4, transportBytes + payload.length)
  const sum =
    sumWords(view, ipBytes, packet.length) +
    pseudoHeaderSum(view, 0, protocols[protocol], transportBytes + payload.length)
  if (protocol === 'tcp') view.setUint16(ipBytes + 16, checksumOf(sum))
  if (protocol === 'udp') view.setUint16(ipBytes + 6, udpChecksumOf(sum))
  return packet
}

/** Bytes that are easy to tell apart. */
export const countedBytes = (length: number, seed = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + (index >>> 8) + seed * 17) & 0xff)

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Packets one after the other in one piece of memory, each at a multiple of four, and where each begins. */
export function layOut(packets: readonly Uint8Array[]): {
  readonly view: DataView
  readonly places: readonly number[]
} {
  const places: number[] = []
  let used = 0
  for (const { length } of packets) {
    places.push(used)
    used += (length + 3) & ~3
  }
  const bytes = new Uint8Array(used)
  for (const [index, packet] of packets.entries()) bytes.set(packet, places[index])
  return { view: viewOf(bytes), places }
}
