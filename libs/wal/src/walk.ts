/**
 * One segment read from front to end: every record up to the last whole batch, and a judgement of what follows it.
 *
 * The rule that tells a torn tail from corruption: a flush begins only after the one before it succeeded. So if behind a
 * bad record there is one whose flush began later, the bad record was durable once: corruption. If there is none, the bad
 * record belongs to the last flush, of which nothing was promised: a torn tail.
 */

import { crc32 } from './crc32.ts'
import { decodeSegmentInfo, type SegmentInfo, viewOf } from './payload.ts'
import {
  findHeader,
  formatVersion,
  headerBytes,
  payloadHolds,
  type RecordHeader,
  readHeader,
  recordBytes,
  recordMagic,
  recordType,
  recordTypeMax,
  sectorAfter,
  versionAt,
} from './record.ts'

/** What is wrong with a segment, and where. */
export type SegmentProblem =
  /** From `offset` to `endOffset` stand remains of a write that was never flushed. */
  | { readonly kind: 'torn'; readonly offset: number; readonly endOffset: number }
  | { readonly kind: 'corrupt'; readonly offset: number; readonly what: string }
  | { readonly kind: 'newer-version'; readonly offset: number; readonly what: string }
  | { readonly kind: 'not-a-log'; readonly offset: number; readonly what: string }

export type SegmentWalk = {
  /** Undefined when the first record cannot be read. */
  readonly info: SegmentInfo | undefined
  readonly firstSequence: number
  /** Sequence and offset of the next record to be written. */
  readonly nextSequence: number
  readonly endOffset: number
  /** Where the last flush begins. */
  readonly flushOffset: number
  readonly lastType: number
  readonly problem: SegmentProblem | undefined
}

/** The seed of the checksums of a segment: the first record has 0, all others this. */
export const seedOf = (segmentId: string): number => crc32(Buffer.from(segmentId, 'hex'), 0, 8, 0)

/**
 * Reads a segment.
 *
 * @param bytes the whole file
 * @param take gets each record of each whole batch, in order; what it returns is a complaint, and ends the walk
 */
export function walkSegment(
  bytes: Buffer,
  take: (header: RecordHeader, at: number) => string | undefined,
): SegmentWalk {
  const view = viewOf(bytes)
  const first = readHeader(bytes, view, 0, 0)
  const info =
    first !== undefined && first.type === recordType.segment && payloadHolds(bytes, 0, first, 0)
      ? decodeSegmentInfo(bytes.subarray(headerBytes, headerBytes + first.payloadBytes))
      : undefined
  if (first === undefined || info === undefined) return unreadable(judgeStart(bytes))
  const seed = seedOf(info.id)
  const firstSequence = first.sequence
  let [sequence, at] = [firstSequence, 0]
  let [batchSequence, batchAt, flushOffset, lastType] = [firstSequence, 0, 0, 0]
  let complaint: SegmentProblem | undefined
  const batch: { readonly header: RecordHeader; readonly at: number }[] = []
  while (complaint === undefined) {
    const recordSeed = at === 0 ? 0 : seed
    let header = readHeader(bytes, view, at, recordSeed)
    if (header?.sequence !== sequence && batch.length === 0) {
      // A new flush begins in a sector of its own.
      at = sectorAfter(at)
      header = readHeader(bytes, view, at, recordSeed)
      if (header !== undefined && header.place > 0) break
    }
    if (header === undefined || header.sequence !== sequence) break
    if (!payloadHolds(bytes, at, header, recordSeed)) break
    if (header.type > recordTypeMax || header.type === 0) {
      const what = `record type ${header.type}, which version ${formatVersion} does not have`
      complaint = { kind: 'newer-version', offset: at, what }
      break
    }
    batch.push({ header, at })
    sequence++
    at += recordBytes(header.payloadBytes)
    if (!header.endsBatch) continue
    for (const record of batch) {
      const what = take(record.header, record.at)
      if (what !== undefined) complaint ??= { kind: 'corrupt', offset: record.at, what }
      if (record.header.place === 0) flushOffset = record.at
      lastType = record.header.type
    }
    batch.length = 0
    batchSequence = sequence
    batchAt = at
  }
  return {
    info,
    firstSequence,
    nextSequence: batchSequence,
    endOffset: batchAt,
    flushOffset,
    lastType,
    problem: sizeProblem(bytes, info) ?? complaint ?? judgeTail(bytes, view, batchAt, batchSequence, seed, info),
  }
}

function unreadable(problem: SegmentProblem): SegmentWalk {
  return { info: undefined, firstSequence: 0, nextSequence: 0, endOffset: 0, flushOffset: 0, lastType: 0, problem }
}

/** Why the first record cannot be read: damage, a newer version, or no log at all. */
function judgeStart(bytes: Buffer): SegmentProblem {
  const version = versionAt(bytes, 0)
  if (version !== undefined && version > formatVersion) {
    // A flipped bit in the version is damage, not the future: with the right one in its place the record passes.
    const repaired = Buffer.from(bytes.subarray(0, headerBytes))
    repaired[3] = formatVersion
    if (readHeader(repaired, viewOf(repaired), 0, 0) === undefined) {
      return { kind: 'newer-version', offset: 3, what: `format version ${version}, newer than ${formatVersion}` }
    }
  }
  if (bytes.length > 0 && bytes.indexOf(recordMagic) < 0 && !isZero(bytes, 0)) {
    return { kind: 'not-a-log', offset: 0, what: 'no record of a log anywhere in it' }
  }
  return { kind: 'corrupt', offset: 0, what: 'the first record of the segment is damaged' }
}

function sizeProblem(bytes: Buffer, info: SegmentInfo): SegmentProblem | undefined {
  if (bytes.length === info.sizeBytes) return undefined
  const what = `the file has ${bytes.length} bytes and was made with ${info.sizeBytes}`
  return { kind: 'corrupt', offset: Math.min(bytes.length, info.sizeBytes), what }
}

/** What stands behind the last whole batch. */
function judgeTail(
  bytes: Buffer,
  view: DataView,
  offset: number,
  sequence: number,
  seed: number,
  info: SegmentInfo,
): SegmentProblem | undefined {
  let ownEnd = 0
  for (let from = offset; ; ) {
    const found = findHeader(bytes, view, from, seed)
    if (found === undefined) break
    const { header, at } = found
    if (header.sequence - header.place > sequence) {
      const what = `a damaged record (sequence ${sequence}) before one that was written after it was flushed (at ${at})`
      return { kind: 'corrupt', offset, what }
    }
    if (header.sequence >= sequence) ownEnd = Math.min(bytes.length, at + recordBytes(header.payloadBytes))
    from = at + 8
  }
  if (info.isRecycled) {
    // A used file has remains of its former life behind the end; each write puts zeros behind itself, up to where the
    // header of the next flush would end.
    if (ownEnd === 0 && isZero(bytes, offset, sectorAfter(offset) + headerBytes)) return undefined
    return { kind: 'torn', offset, endOffset: Math.max(ownEnd, Math.min(bytes.length, offset + 65_536)) }
  }
  if (isZero(bytes, offset)) return undefined
  return { kind: 'torn', offset, endOffset: endOfContent(bytes) }
}

const zeros = Buffer.alloc(65_536)

/** Whether all bytes of a range are zero. */
export function isZero(bytes: Buffer, from: number, to = bytes.length): boolean {
  const end = Math.min(to, bytes.length)
  for (let at = from; at < end; at += zeros.length) {
    const next = Math.min(at + zeros.length, end)
    if (zeros.compare(bytes, at, next, 0, next - at) !== 0) return false
  }
  return true
}

function endOfContent(bytes: Buffer): number {
  let end = bytes.length
  while (end > zeros.length && isZero(bytes, end - zeros.length, end)) end -= zeros.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return end
}
