/**
 * A log directory read as it stands: segments, what they add up to, and what is wrong. Changes nothing and throws only
 * when the disk does; what to do about a finding is the caller's decision.
 */
import { join } from 'node:path'
import type { Disk } from './disk.ts'
import { parseSegmentName } from './layout.ts'
import type { LogEntry, LogIdentity } from './log-port.ts'
import { LogState } from './log-state.ts'
import { decodeHardState, decodeSegmentInfo, decodeSnapshotPosition, entryPrefixBytes, numberAt } from './payload.ts'
import { headerBytes, type RecordHeader, recordType } from './record.ts'
import { type SegmentProblem, type SegmentWalk, walkSegment } from './walk.ts'

export type SegmentReading = {
  readonly name: string
  readonly path: string
  readonly number: number
  readonly sizeBytes: number
  readonly walk: SegmentWalk
  readonly records: number
  /** Highest index of an entry in it, also of one that was overwritten since; 0 for none. */
  readonly maxIndex: number
}

/** What is wrong with the log as a whole: the first finding, after which nothing was read. */
export type LogProblem = { readonly path: string } & SegmentProblem

export type LogReading = {
  readonly segments: readonly SegmentReading[]
  readonly state: LogState
  readonly identity: LogIdentity | undefined
  readonly problem: LogProblem | undefined
}

/** Reads every segment in a directory, oldest first. */
export function readLog(disk: Disk, directory: string): LogReading {
  const state = new LogState()
  const segments: SegmentReading[] = []
  const files = disk.list(directory).flatMap((name) => {
    const parsed = parseSegmentName(name)
    return parsed === undefined ? [] : [{ name, path: join(directory, name), ...parsed }]
  })
  let identity: LogIdentity | undefined
  let problem: LogProblem | undefined
  const memory: SegmentMemory = { bytes: Buffer.alloc(0) }
  for (const [ordinal, file] of files.entries()) {
    const bytes = loadSegment(disk, file.path, memory)
    const before = segments.at(-1)
    let [records, maxIndex] = [0, 0]
    const walk = walkSegment(bytes, (header, at) => {
      records++
      if (header.type === recordType.entry) maxIndex = Math.max(maxIndex, entryIndex(bytes, at))
      return takeRecord(state, bytes, header, at, ordinal)
    })
    segments.push({ ...file, sizeBytes: bytes.length, walk, records, maxIndex })
    const isLast = ordinal === files.length - 1
    const found = followProblem(before, walk, file.number, identity) ?? endProblem(walk, isLast)
    if (found !== undefined) problem = { path: file.path, ...found }
    identity ??= walk.info?.identity
    if (problem !== undefined) break
  }
  return { segments, state, identity, problem }
}

/** The entries at these positions, in order, each with memory of its own. */
export function* readEntries(
  disk: Disk,
  segments: readonly { readonly path: string }[],
  positions: readonly number[],
): Generator<LogEntry> {
  const memory: SegmentMemory = { bytes: Buffer.alloc(0) }
  let ordinal = -1
  let bytes: Buffer = memory.bytes
  let view = new DataView(bytes.buffer, 0, 0)
  for (const position of positions) {
    const wanted = Math.floor(position / positionUnit)
    const path = segments[wanted]?.path
    if (path === undefined) return
    if (wanted !== ordinal) {
      ordinal = wanted
      bytes = loadSegment(disk, path, memory)
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    const at = position % positionUnit
    const from = at + headerBytes
    const data = new Uint8Array(bytes.subarray(from + entryPrefixBytes, from + view.getUint32(at + 8, true)))
    yield { index: numberAt(view, from) ?? 0, term: numberAt(view, from + 8) ?? 0, kind: bytes[at + 6] ?? 0, data }
  }
}

const positionUnit = 0x1_0000_0000

/** One buffer that serves one segment after the other. */
type SegmentMemory = { bytes: Buffer }

function loadSegment(disk: Disk, path: string, memory: SegmentMemory): Buffer {
  const sizeBytes = disk.stat(path)?.sizeBytes ?? 0
  if (memory.bytes.length < sizeBytes) memory.bytes = Buffer.alloc(sizeBytes)
  const file = disk.open(path, 'read')
  try {
    let got = 0
    while (got < sizeBytes) {
      const count = file.read(memory.bytes.subarray(got, sizeBytes), got)
      if (count === 0) break
      got += count
    }
    return memory.bytes.subarray(0, got)
  } finally {
    file.close()
  }
}

function takeRecord(
  state: LogState,
  bytes: Buffer,
  header: RecordHeader,
  at: number,
  ordinal: number,
): string | undefined {
  const payload = bytes.subarray(at + headerBytes, at + headerBytes + header.payloadBytes)
  switch (header.type) {
    case recordType.segment: {
      const info = decodeSegmentInfo(payload)
      if (info !== undefined && ordinal === 0) state.begin(info.firstIndex, info.previousTerm)
      return undefined
    }
    case recordType.entry: {
      const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
      const index = payload.length < entryPrefixBytes ? undefined : numberAt(view, 0)
      const term = payload.length < entryPrefixBytes ? undefined : numberAt(view, 8)
      if (index === undefined || term === undefined) return 'an entry without an index or term that can be read'
      return state.putEntry(index, term, ordinal * positionUnit + at)
    }
    case recordType.hardState: {
      const hardState = decodeHardState(payload)
      if (hardState === undefined) return 'a hard state that cannot be read'
      state.hardState = hardState
      return undefined
    }
    case recordType.snapshot: {
      const snapshot = decodeSnapshotPosition(payload)
      if (snapshot === undefined) return 'a snapshot record that cannot be read'
      state.putSnapshot(snapshot)
      return undefined
    }
    default:
      return undefined
  }
}

/** Why this segment does not continue the one before it. */
function followProblem(
  before: SegmentReading | undefined,
  walk: SegmentWalk,
  number: number,
  identity: LogIdentity | undefined,
): SegmentProblem | undefined {
  const { info } = walk
  if (info === undefined) return undefined
  const wrong = (what: string): SegmentProblem => ({ kind: 'corrupt', offset: 0, what })
  if (info.number !== number) return wrong(`its name says segment ${number}, its first record ${info.number}`)
  if (before === undefined) return undefined
  if (number !== before.number + 1) return wrong(`segment ${before.number + 1} is missing before it`)
  if (info.previousId !== before.walk.info?.id || walk.firstSequence !== before.walk.nextSequence) {
    return wrong(`it does not continue ${before.name}, which ends at sequence ${before.walk.nextSequence - 1}`)
  }
  if (
    identity !== undefined &&
    (identity.clusterId !== info.identity.clusterId || identity.memberId !== info.identity.memberId)
  ) {
    return wrong(`it belongs to member ${info.identity.memberId}, those before it to ${identity.memberId}`)
  }
  return undefined
}

/** The walk's own problem; only the last segment may have a torn tail. */
function endProblem(walk: SegmentWalk, isLast: boolean): SegmentProblem | undefined {
  const { problem } = walk
  if (problem?.kind !== 'torn' || isLast) return problem
  return { kind: 'corrupt', offset: problem.offset, what: 'a damaged record in a segment that was finished' }
}

const entryIndex = (bytes: Buffer, at: number): number =>
  bytes.readUInt32LE(at + headerBytes) + bytes.readUInt32LE(at + headerBytes + 4) * positionUnit
