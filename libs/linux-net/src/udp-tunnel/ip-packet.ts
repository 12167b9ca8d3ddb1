/** The fields of an IPv4 packet (RFC 791) that a tunnel looks at, read in place. */
import type { UdpTunnelDropReason } from './tunnel.ts'

export const protocolIcmp = 1
export const protocolTcp = 6
export const protocolUdp = 17

/** No header is shorter; the original drops anything that is. */
export const ipHeaderBytesMin = 20

export const headerBytesOf = (view: DataView, at: number): number => (view.getUint8(at) & 0x0f) * 4
export const totalBytesOf = (view: DataView, at: number): number => view.getUint16(at + 2)
export const protocolOf = (view: DataView, at: number): number => view.getUint8(at + 9)
export const sourceOf = (view: DataView, at: number): number => view.getUint32(at + 12)
export const destinationOf = (view: DataView, at: number): number => view.getUint32(at + 16)
/** Flags and offset: 0x4000 do not fragment, 0x2000 more fragments, the rest an offset in units of 8 bytes. */
export const fragmentOf = (view: DataView, at: number): number => view.getUint16(at + 6)

/** Why `length` bytes are no whole IPv4 packet, if so. After it every field up to the header's end can be read. */
export function packetProblem(view: DataView, at: number, length: number): UdpTunnelDropReason | undefined {
  if (length < ipHeaderBytesMin) return 'truncated'
  if (view.getUint8(at) >>> 4 !== 4) return 'not-ipv4'
  const headerBytes = headerBytesOf(view, at)
  const totalBytes = totalBytesOf(view, at)
  if (headerBytes < ipHeaderBytesMin || totalBytes < headerBytes) return 'not-ipv4'
  return totalBytes > length ? 'truncated' : undefined
}
