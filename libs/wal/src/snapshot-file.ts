/**
 * The format of a snapshot file, written down in docs/formats/snapshot-file.md: a header, parts with a checksum each, a
 * footer with the whole. Reading is a generator that asks for ranges of bytes: one reader for both kinds of disk.
 */
import { crc32 } from './crc32.ts'
import type { DiskFile } from './disk.ts'
import { numberAt, putNumber, type SnapshotPosition, viewOf } from './payload.ts'

export const snapshotHeaderBytes = 32
export const partHeaderBytes = 16
export const footerBytes = 32
/** A part is at most this long; a longer one is written as several. */
export const partBytesMax = 16 * 1024 * 1024
/** The newest version of the format that this build writes and reads. */
export const snapshotVersion = 1

const magic = Uint8Array.of(0xc7, 0x4c, 0x6f, 0x53, 0x6e, 0x61, 0x70)
const partTag = Uint8Array.of(0x50, 0x61, 0x72, 0x74)
const footerTag = Uint8Array.of(0x46, 0x6f, 0x6f, 0x74)

/** What becomes known while the parts of a file are written or read. */
export type SnapshotSum = {
  /** Checksum of the header: the seed of all others, so that parts of two files cannot be mixed. */
  readonly seed: number
  readonly parts: number
  readonly contentBytes: number
  /** Running checksum of all content. */
  readonly checksum: number
}

export function encodeSnapshotHeader(at: SnapshotPosition): { readonly bytes: Uint8Array; readonly sum: SnapshotSum } {
  const bytes = new Uint8Array(snapshotHeaderBytes)
  const view = viewOf(bytes)
  bytes.set(magic, 0)
  bytes[7] = snapshotVersion
  putNumber(view, 8, at.index)
  putNumber(view, 16, at.term)
  const seed = crc32(bytes, 0, 28, 0)
  view.setUint32(28, seed, true)
  return { bytes, sum: { seed, parts: 0, contentBytes: 0, checksum: seed } }
}

/** The header of the next part, and the sum with it. */
export function encodePartHeader(
  part: Uint8Array,
  sum: SnapshotSum,
): { readonly bytes: Uint8Array; readonly sum: SnapshotSum } {
  const bytes = new Uint8Array(partHeaderBytes)
  const view = viewOf(bytes)
  bytes.set(partTag, 0)
  view.setUint32(4, part.length, true)
  view.setUint32(8, crc32(part, 0, part.length, sum.seed), true)
  view.setUint32(12, partSeal(bytes, sum), true)
  return { bytes, sum: addPart(part, sum) }
}

export function encodeFooter(sum: SnapshotSum): Uint8Array {
  const bytes = new Uint8Array(footerBytes)
  const view = viewOf(bytes)
  bytes.set(footerTag, 0)
  putNumber(view, 8, sum.parts)
  putNumber(view, 16, sum.contentBytes)
  view.setUint32(24, sum.checksum, true)
  view.setUint32(28, crc32(bytes, 0, 28, sum.seed), true)
  return bytes
}

const addPart = (part: Uint8Array, sum: SnapshotSum): SnapshotSum => ({
  seed: sum.seed,
  parts: sum.parts + 1,
  contentBytes: sum.contentBytes + part.length,
  checksum: crc32(part, 0, part.length, sum.checksum),
})

/** The checksum of a part's header also covers which part it is. */
const partSeal = (header: Uint8Array, sum: SnapshotSum): number => crc32(header, 0, 12, (sum.seed ^ sum.parts) >>> 0)

/** What reading asks for. The answer has fewer bytes where the file ends. */
export type ReadRequest = { readonly position: number; readonly lengthBytes: number }

/** How reading ended: whole, or why not. */
export type SnapshotVerdict =
  | { readonly kind: 'whole'; readonly at: SnapshotPosition; readonly contentBytes: number; readonly parts: number }
  | { readonly kind: 'damaged'; readonly offset: number; readonly what: string }
  | { readonly kind: 'newer-version'; readonly version: number }

/** Either wants bytes or hands out a part that passed its checksum. */
export type SnapshotStep =
  | ({ readonly kind: 'read' } & ReadRequest)
  | { readonly kind: 'part'; readonly part: Uint8Array }

/** Reads a snapshot file from front to end. The answer to `read` is the bytes, to `part` anything. */
export function* readSnapshotFile(): Generator<SnapshotStep, SnapshotVerdict, Uint8Array> {
  const header = yield { kind: 'read', position: 0, lengthBytes: snapshotHeaderBytes }
  const damaged = (offset: number, what: string): SnapshotVerdict => ({ kind: 'damaged', offset, what })
  if (header.length < snapshotHeaderBytes) return damaged(0, `only ${header.length} bytes`)
  if (magic.some((byte, at) => header[at] !== byte)) return damaged(0, 'no header of a snapshot')
  const view = viewOf(header)
  const seed = view.getUint32(28, true)
  const holds = crc32(header, 0, 28, 0) === seed
  const version = header[7] ?? 0
  if (!holds && !(version > snapshotVersion)) return damaged(0, 'the header fails its checksum')
  if (version !== snapshotVersion) {
    // A flipped bit in the version is damage, not the future: with the right one in its place the header passes.
    header[7] = snapshotVersion
    return crc32(header, 0, 28, 0) === seed
      ? damaged(7, 'the version in the header is damaged')
      : { kind: 'newer-version', version }
  }
  const [index, term] = [numberAt(view, 8), numberAt(view, 16)]
  if (index === undefined || term === undefined) return damaged(8, 'index or term beyond 2^53')
  let sum: SnapshotSum = { seed, parts: 0, contentBytes: 0, checksum: seed }
  for (let position = snapshotHeaderBytes; ; ) {
    const next = yield { kind: 'read', position, lengthBytes: footerBytes }
    if (footerTag.every((byte, at) => next[at] === byte)) {
      const end = position + footerBytes
      const footer = encodeFooter(sum)
      if (next.length !== footerBytes || footer.some((byte, at) => next[at] !== byte)) {
        return damaged(position, 'the footer does not fit what stands before it')
      }
      const beyond = yield { kind: 'read', position: end, lengthBytes: 1 }
      if (beyond.length > 0) return damaged(end, 'something stands behind the footer')
      return { kind: 'whole', at: { index, term }, contentBytes: sum.contentBytes, parts: sum.parts }
    }
    if (next.length < partHeaderBytes) return damaged(position, 'the file ends before its footer')
    const partView = viewOf(next)
    const lengthBytes = partView.getUint32(4, true)
    const sealed =
      partTag.every((byte, at) => next[at] === byte) && partSeal(next, sum) === partView.getUint32(12, true)
    if (!sealed || lengthBytes > partBytesMax) return damaged(position, `part ${sum.parts + 1} has a damaged header`)
    const checksum = partView.getUint32(8, true)
    const part = yield { kind: 'read', position: position + partHeaderBytes, lengthBytes }
    if (part.length < lengthBytes) return damaged(position, `the file ends within part ${sum.parts + 1}`)
    if (crc32(part, 0, lengthBytes, seed) !== checksum) {
      return damaged(position + partHeaderBytes, `part ${sum.parts + 1} fails its checksum`)
    }
    sum = addPart(part, sum)
    yield { kind: 'part', part }
    position += partHeaderBytes + lengthBytes
  }
}

const nothing = new Uint8Array(0)

/** Reads the whole file and says whether it is whole. */
export function verifySnapshotFile(file: DiskFile): SnapshotVerdict {
  const reading = readSnapshotFile()
  let answer: Uint8Array = nothing
  for (;;) {
    const step = reading.next(answer)
    if (step.done) return step.value
    answer = step.value.kind === 'read' ? readRange(file, step.value) : nothing
  }
}

function readRange(file: DiskFile, { position, lengthBytes }: ReadRequest): Uint8Array {
  const target = new Uint8Array(lengthBytes)
  let got = 0
  while (got < lengthBytes) {
    const count = file.read(target.subarray(got), position + got)
    if (count === 0) break
    got += count
  }
  return target.subarray(0, got)
}
