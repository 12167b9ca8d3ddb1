/**
 * From what the kernel hands over to what travels: a bundle of up to 64 KiB is cut into the packets that it stands for,
 * an open checksum is made. The payload stays where it is: only headers are written.
 * Rules: the kernel's own tcp_gso_segment and udp segmentation; RFC 9293, RFC 768.
 */
import { checksumOf, foldSum, pseudoHeaderSum, sumWords, udpChecksumOf } from './checksum.ts'
import { headerBytesOf, protocolOf, protocolTcp, protocolUdp, totalBytesOf } from './ip-packet.ts'

const tcpFin = 0x01
const tcpPush = 0x08
const tcpCongestionWindowReduced = 0x80

/** The bytes of a packet's IPv4 and TCP or UDP header together; 0 where it has none or the packet ends before it. */
export function bundleHeaderBytes(view: DataView, at: number): number {
  const ipBytes = headerBytesOf(view, at)
  const totalBytes = totalBytesOf(view, at)
  const protocol = protocolOf(view, at)
  if (protocol === protocolUdp) return totalBytes >= ipBytes + 8 ? ipBytes + 8 : 0
  if (protocol !== protocolTcp || totalBytes < ipBytes + 20) return 0
  const tcpBytes = (view.getUint8(at + ipBytes + 12) >>> 4) * 4
  return tcpBytes >= 20 && totalBytes >= ipBytes + tcpBytes ? ipBytes + tcpBytes : 0
}

/**
 * Writes the headers of one packet of a bundle, checksums made.
 *
 * @param target where the `headerBytes` (of `bundleHeaderBytes`) are written
 * @param view the bundle, at `at`
 * @param segmentBytes the payload bytes of each packet but the last
 * @param payloadAt where this packet's payload begins in the bundle, counted from the bundle's payload; a multiple of
 *   `segmentBytes`
 * @returns the payload bytes of this packet
 */
export function writeSegmentHeader(
  target: DataView,
  targetAt: number,
  view: DataView,
  at: number,
  headerBytes: number,
  segmentBytes: number,
  payloadAt: number,
): number {
  const ipBytes = headerBytesOf(view, at)
  const payloadLeft = totalBytesOf(view, at) - headerBytes - payloadAt
  const payloadBytes = Math.min(segmentBytes, payloadLeft)
  for (let offset = 0; offset < headerBytes; offset += 4)
    target.setUint32(targetAt + offset, view.getUint32(at + offset))
  target.setUint16(targetAt + 2, headerBytes + payloadBytes)
  target.setUint16(targetAt + 4, (view.getUint16(at + 4) + payloadAt / segmentBytes) & 0xffff)
  target.setUint16(targetAt + 10, 0)
  target.setUint16(targetAt + 10, checksumOf(sumWords(target, targetAt, targetAt + ipBytes)))

  const transport = targetAt + ipBytes
  const protocol = protocolOf(view, at)
  const from = at + headerBytes + payloadAt
  const payloadSum =
    pseudoHeaderSum(view, at, protocol, headerBytes - ipBytes + payloadBytes) +
    sumWords(view, from, from + payloadBytes)
  if (protocol === protocolTcp) {
    target.setUint32(transport + 4, target.getUint32(transport + 4) + payloadAt)
    let flags = target.getUint8(transport + 13)
    // What asks for an end stands at the end, what tells of a reduction is told once.
    if (payloadBytes < payloadLeft) flags &= ~(tcpFin | tcpPush)
    if (payloadAt > 0) flags &= ~tcpCongestionWindowReduced
    target.setUint8(transport + 13, flags)
    target.setUint16(transport + 16, 0)
    target.setUint16(transport + 16, checksumOf(payloadSum + sumWords(target, transport, targetAt + headerBytes)))
  } else {
    target.setUint16(transport + 4, 8 + payloadBytes)
    target.setUint16(transport + 6, 0)
    target.setUint16(transport + 6, udpChecksumOf(payloadSum + sumWords(target, transport, transport + 8)))
  }
  return payloadBytes
}

/** Makes the checksum of a single packet whose field holds the sum of the pseudo header; `false` where it lies outside. */
export function completeChecksum(view: DataView, at: number, start: number, offset: number): boolean {
  const end = at + totalBytesOf(view, at)
  const from = at + start
  const field = from + offset
  if (field + 2 > end) return false
  const sum = sumWords(view, from, end)
  view.setUint16(field, protocolOf(view, at) === protocolUdp ? udpChecksumOf(sum) : checksumOf(sum))
  return true
}

/** Whether an unfragmented TCP or UDP packet holds a right checksum; of UDP none counts as wrong. */
export function isTransportChecksumRight(view: DataView, at: number): boolean {
  const ipBytes = headerBytesOf(view, at)
  const length = totalBytesOf(view, at) - ipBytes
  const protocol = protocolOf(view, at)
  if (protocol === protocolUdp && view.getUint16(at + ipBytes + 6) === 0) return false
  const from = at + ipBytes
  return foldSum(pseudoHeaderSum(view, at, protocol, length) + sumWords(view, from, from + length)) === 0xffff
}
