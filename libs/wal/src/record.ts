/**
 * One record of the log as bytes: a header of 32, a payload, zeros up to a multiple of 8. The format is written down in
 * docs/formats/log.md; this file is the only one that knows offsets within a header.
 *
 * Both checksums start from a seed made of the segment's random id, and the header's covers the sequence number: a record
 * that an earlier use of the file left behind never passes for one of this.
 */
import { crc32 } from './crc32.ts'

export const headerBytes = 32
/**
 * Every flush begins at a multiple of this, so that no sector holds parts of two: what stands behind a flush and proves
 * that it succeeded is never lost with it, and writing never touches a sector that was promised already.
 */
export const sectorBytes = 512
/** The next multiple of a sector. */
export const sectorAfter = (offset: number): number => Math.ceil(offset / sectorBytes) * sectorBytes
/** The first three bytes of every record, and of every segment. */
export const recordMagic = Uint8Array.of(0xc7, 0x4c, 0x6f)
/** The version of the format that this build writes, and the newest that it reads. */
export const formatVersion = 1

/** What a record is. Numbers are part of the format. */
export const recordType = { segment: 1, entry: 2, hardState: 3, snapshot: 4, synced: 5, end: 6 } as const
/** The highest record type that this version of the format has. */
export const recordTypeMax = 6

const flagBatchEnd = 1

export type RecordHeader = {
  readonly type: number
  /** Last record of its batch: only with it do the records before count. */
  readonly endsBatch: boolean
  readonly kind: number
  readonly payloadBytes: number
  readonly payloadChecksum: number
  readonly sequence: number
  /** How many records before it belong to the same flush: `sequence - place` is the first that was not yet durable. */
  readonly place: number
}

/** Bytes that a record with so long a payload takes in the file. */
export const recordBytes = (payloadBytes: number): number => headerBytes + ((payloadBytes + 7) & ~7)

/** Writes the header of the record at `at`, whose payload already stands behind it, and zeros after the payload. */
export function writeHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  type: number,
  kind: number,
  payloadBytes: number,
  seed: number,
  sequence: number,
  place: number,
): void {
  const payloadAt = at + headerBytes
  bytes.set(recordMagic, at)
  bytes[at + 3] = formatVersion
  bytes[at + 4] = type
  bytes[at + 5] = 0
  bytes[at + 6] = kind
  bytes[at + 7] = 0
  view.setUint32(at + 8, payloadBytes, true)
  view.setUint32(at + 12, crc32(bytes, payloadAt, payloadAt + payloadBytes, seed), true)
  view.setUint32(at + 16, sequence >>> 0, true)
  view.setUint32(at + 20, Math.floor(sequence / 0x1_0000_0000), true)
  view.setUint32(at + 24, place, true)
  view.setUint32(at + 28, crc32(bytes, at, at + 28, seed), true)
  bytes.fill(0, payloadAt + payloadBytes, at + recordBytes(payloadBytes))
}

/** Turns the record at `at` into the last of its batch. */
export function markBatchEnd(bytes: Uint8Array, view: DataView, at: number, seed: number): void {
  bytes[at + 5] = flagBatchEnd
  view.setUint32(at + 28, crc32(bytes, at, at + 28, seed), true)
}

/** The header at `at` if it is one of this version and passes its checksum with this seed. The payload is not looked at. */
export function readHeader(bytes: Uint8Array, view: DataView, at: number, seed: number): RecordHeader | undefined {
  if (at + headerBytes > bytes.length || versionAt(bytes, at) !== formatVersion) return undefined
  if (crc32(bytes, at, at + 28, seed) !== view.getUint32(at + 28, true)) return undefined
  const sequence = view.getUint32(at + 20, true) * 0x1_0000_0000 + view.getUint32(at + 16, true)
  return {
    type: bytes[at + 4] ?? 0,
    endsBatch: ((bytes[at + 5] ?? 0) & flagBatchEnd) !== 0,
    kind: bytes[at + 6] ?? 0,
    payloadBytes: view.getUint32(at + 8, true),
    payloadChecksum: view.getUint32(at + 12, true),
    sequence,
    place: view.getUint32(at + 24, true),
  }
}

/** Whether the payload of the record at `at` is whole and passes its checksum. */
export function payloadHolds(bytes: Uint8Array, at: number, header: RecordHeader, seed: number): boolean {
  const payloadAt = at + headerBytes
  const end = payloadAt + header.payloadBytes
  return end <= bytes.length && crc32(bytes, payloadAt, end, seed) === header.payloadChecksum
}

/** The format version that the record at `at` names, undefined when what stands there is no record at all. */
export function versionAt(bytes: Uint8Array, at: number): number | undefined {
  if (bytes[at] !== recordMagic[0] || bytes[at + 1] !== recordMagic[1] || bytes[at + 2] !== recordMagic[2]) {
    return undefined
  }
  return bytes[at + 3]
}

/** Where, from `from` on in steps of 8, the first header of this version passes with this seed; undefined for nowhere. */
export function findHeader(
  bytes: Buffer,
  view: DataView,
  from: number,
  seed: number,
): { readonly at: number; readonly header: RecordHeader } | undefined {
  for (let at = bytes.indexOf(recordMagic, from); at >= 0; at = bytes.indexOf(recordMagic, at + 1)) {
    if (at % 8 !== 0) continue
    const header = readHeader(bytes, view, at, seed)
    if (header !== undefined) return { at, header }
  }
  return undefined
}
