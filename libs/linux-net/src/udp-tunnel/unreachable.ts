/** The answer to a packet that no peer takes: ICMP "net unreachable" (RFC 792), as flannel's proxy makes it. */
import { checksumOf, sumWords } from './checksum.ts'
import {
  destinationOf,
  fragmentOf,
  headerBytesOf,
  protocolIcmp,
  protocolOf,
  sourceOf,
  totalBytesOf,
} from './ip-packet.ts'

/** No answer is longer: 28 bytes, the offender's header (56 at most), 8 bytes. */
export const unreachableBytesMax = 92

const timeToLive = 8
const typeUnreachable = 3
const multicastFirst = 0xe0000000

/**
 * Writes the answer to the packet at `at`.
 *
 * @param address our own, the answer's source
 * @returns its length; 0 where none may be given: to ICMP, to a fragment that is not the first, to a header of 60 bytes
 *   (these as the original), to or from many (RFC 1812 §4.3.2.7)
 */
export function writeUnreachable(
  target: DataView,
  targetAt: number,
  view: DataView,
  at: number,
  address: number,
): number {
  const headerBytes = headerBytesOf(view, at)
  const source = sourceOf(view, at)
  if (protocolOf(view, at) === protocolIcmp || (fragmentOf(view, at) & 0x1fff) !== 0 || headerBytes >= 60) return 0
  if (source === 0 || source >= multicastFirst || destinationOf(view, at) >= multicastFirst) return 0
  const quotedBytes = Math.min(headerBytes + 8, totalBytesOf(view, at))
  const totalBytes = 28 + quotedBytes
  target.setUint32(targetAt, 0x45000000 + totalBytes)
  target.setUint32(targetAt + 4, 0)
  target.setUint32(targetAt + 8, timeToLive * 0x1000000 + protocolIcmp * 0x10000)
  target.setUint32(targetAt + 12, address)
  target.setUint32(targetAt + 16, source)
  target.setUint16(targetAt + 10, checksumOf(sumWords(target, targetAt, targetAt + 20)))
  target.setUint32(targetAt + 20, typeUnreachable * 0x1000000)
  target.setUint32(targetAt + 24, 0)
  for (let offset = 0; offset < quotedBytes; offset += 1) {
    target.setUint8(targetAt + 28 + offset, view.getUint8(at + offset))
  }
  target.setUint16(targetAt + 22, checksumOf(sumWords(target, targetAt + 20, targetAt + totalBytes)))
  return totalBytes
}
