/**
 * What the kernel writes before each packet of a device opened with IFF_VNET_HDR: which checksum is still to be made and,
 * for a bundle of up to 64 KiB, where it is to be cut. Source: linux/virtio_net.h, `struct virtio_net_hdr`, in the host's
 * byte order; every host that we run on counts from the low end.
 */

/** The bytes before each packet. */
export const offloadBytes = 10

const needsChecksum = 1
/** `gso_type` without its ECN bit. */
export const bundleKind = { none: 0, tcp: 1, udp: 5 } as const
const ecnBit = 0x80

/** Whether the checksum of TCP or UDP holds only the sum of the pseudo header yet. */
export const isChecksumOpen = (view: DataView, at: number): boolean => (view.getUint8(at) & needsChecksum) !== 0
/** One of `bundleKind`, or another number for what we never asked for. */
export const bundleKindOf = (view: DataView, at: number): number => view.getUint8(at + 1) & ~ecnBit
/** The payload bytes of each packet of a bundle but the last. */
export const segmentBytesOf = (view: DataView, at: number): number => view.getUint16(at + 4, true)
/** Where the sum begins, counted from the packet. */
export const checksumStartOf = (view: DataView, at: number): number => view.getUint16(at + 6, true)
/** Where the checksum field is, counted from there. */
export const checksumOffsetOf = (view: DataView, at: number): number => view.getUint16(at + 8, true)

/** Writes the header of a bundle whose checksum is open. Lengths count from the packet's first byte. */
export function writeBundleOffload(
  view: DataView,
  at: number,
  kind: number,
  headerBytes: number,
  segmentBytes: number,
  checksumStart: number,
  checksumOffset: number,
): void {
  view.setUint8(at, needsChecksum)
  view.setUint8(at + 1, kind)
  view.setUint16(at + 2, headerBytes, true)
  view.setUint16(at + 4, segmentBytes, true)
  view.setUint16(at + 6, checksumStart, true)
  view.setUint16(at + 8, checksumOffset, true)
}
