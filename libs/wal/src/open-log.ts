/**
 * Opens the log of a data directory: makes a new one, or reads what is there, sets a torn tail aside, chooses the snapshot,
 * and refuses what it cannot vouch for. Reading decides, in `read-log.ts`; here is what follows from it.
 */
import { randomBytes as cryptoRandomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { BatchBuffer } from './batch-buffer.ts'
import type { Disk, DiskFile } from './disk.ts'
import { errnoOf, isNoSpace, WalError } from './errors.ts'
import { isOwnLogName, logDirectory, newLogDirectory, ownNames, segmentName, snapshotDirectory } from './layout.ts'
import { addSegmentStart, DurableLog, type LogDependencies, newSegmentId, writeAll } from './log.ts'
import type { Log, LogEntry, LogIdentity, Recovered } from './log-port.ts'
import { LogState } from './log-state.ts'
import { createNodeDisk } from './node-disk.ts'
import type { SegmentInfo, SnapshotPosition } from './payload.ts'
import { type LogProblem, type LogReading, readEntries, readLog, type SegmentReading } from './read-log.ts'
import { findNewestSnapshot, type SnapshotFinding } from './read-snapshots.ts'
import { recordType, sectorBytes } from './record.ts'
import { fillSlice } from './spare.ts'

export type OpenLogOptions = {
  readonly disk?: Disk
  /** The data directory. Made if it does not exist; its parent must. */
  readonly directory: string
  /** Whose log a new one is. A log that exists keeps its own, and gives it in `recovered`. */
  readonly identity: LogIdentity
  /** Size of the segments that are made from now on. */
  readonly segmentSizeBytes?: number
  /** Random bytes for segment ids. */
  readonly randomBytes?: (count: number) => Uint8Array
  /** Milliseconds that only grow. */
  readonly monotonicMs?: () => number
  /** Told how long each flush took. */
  readonly onSync?: (durationMs: number) => void
}

/** How many files with remains of broken tails are kept. */
const brokenFilesMax = 8
/** The smallest segment that makes sense: its start, a margin and a few small entries. */
const segmentSizeBytesMin = 4096

/**
 * Opens the log and holds its directory until `close`.
 *
 * @throws WalError `wal/in-use`, `wal/not-a-log`, `wal/newer-version`, `wal/corrupt` (nothing was changed), `wal/no-space`
 *   (no room for the first segment), `wal/broken` (the disk failed)
 */
export function openLog({
  disk = createNodeDisk(),
  directory,
  identity,
  segmentSizeBytes = 64 * 1024 * 1024,
  randomBytes = cryptoRandomBytes,
  monotonicMs = () => performance.now(),
  onSync = () => undefined,
}: OpenLogOptions): { readonly log: Log; readonly recovered: Recovered } {
  if (segmentSizeBytes < segmentSizeBytesMin || segmentSizeBytes % sectorBytes !== 0) {
    throw new RangeError(
      `segmentSizeBytes: a multiple of ${sectorBytes} from ${segmentSizeBytesMin}, not ${segmentSizeBytes}`,
    )
  }
  return orBroken(`cannot open the log in ${directory}`, () => {
    makeDirectory(disk, directory)
    const lock = disk.lock(directory)
    try {
      const deps: LogDependencies = { disk, directory, lock, segmentSizeBytes, randomBytes, monotonicMs, onSync }
      if (disk.stat(logDirectory(directory)) === undefined) return createLog(deps, identity)
      return recoverLog(deps)
    } catch (error) {
      lock.release()
      throw error
    }
  })
}

type Opened = { readonly log: Log; readonly recovered: Recovered }

function makeDirectory(disk: Disk, directory: string): void {
  const found = disk.stat(directory)
  if (found === undefined) {
    disk.mkdir(directory)
    disk.syncDirectory(dirname(directory))
  } else if (found.kind !== 'directory') {
    throw notALog(directory, 'it is no directory')
  }
}

function createLog(deps: LogDependencies, identity: LogIdentity): Opened {
  const { disk, directory } = deps
  refuseForeign(disk, directory)
  const building = newLogDirectory(directory)
  if (disk.stat(building) === undefined) disk.mkdir(building)
  else for (const name of disk.list(building)) disk.unlink(join(building, name))
  const info: SegmentInfo = {
    id: newSegmentId(deps.randomBytes),
    previousId: '0'.repeat(16),
    number: 1,
    firstIndex: 1,
    previousTerm: 0,
    sizeBytes: deps.segmentSizeBytes,
    isRecycled: false,
    identity,
  }
  const state = new LogState()
  const name = segmentName(info.number, info.firstIndex)
  const first = disk.open(join(building, name), 'create')
  const buffer = new BatchBuffer()
  try {
    for (let filled = 0; filled < info.sizeBytes; ) filled = fillSlice(first, filled, info.sizeBytes)
    writeAll(first, addSegmentStart(buffer, 1, info, state.hardState, undefined), 0)
    first.sync()
  } finally {
    first.close()
  }
  disk.syncDirectory(building)
  if (disk.stat(snapshotDirectory(directory)) === undefined) disk.mkdir(snapshotDirectory(directory))
  disk.rename(building, logDirectory(directory))
  disk.syncDirectory(directory)
  const path = join(logDirectory(directory), name)
  const log = new DurableLog(deps, {
    info,
    file: disk.open(path, 'write'),
    offset: buffer.lengthBytes,
    nextSequence: buffer.nextSequence,
    isEnded: false,
    segments: [{ path, maxIndex: 0 }],
    terms: state.terms,
    hardState: state.hardState,
    snapshot: undefined,
  })
  const { hardState } = state
  const warnings = wideModes(disk, directory)
  return { log, recovered: { identity, isFresh: true, hardState, snapshot: undefined, entries: [], warnings } }
}

/** A new log is only made where nothing else is. */
function refuseForeign(disk: Disk, directory: string): void {
  const foreign = disk
    .list(directory)
    .filter((name) => !ownNames.includes(name) && !name.startsWith('.') && name !== 'lost+found')
  if (foreign.length > 0) throw notALog(directory, `it holds ${foreign.slice(0, 3).join(', ')}`)
  const snapshots = disk.stat(snapshotDirectory(directory)) === undefined ? [] : disk.list(snapshotDirectory(directory))
  if (snapshots.length === 0) return
  throw new WalError('wal/corrupt', `${directory} has snapshots but no log`, {
    hint: 'restore the folder log too, or begin with an empty directory',
  })
}

function recoverLog(deps: LogDependencies): Opened {
  const { disk, directory } = deps
  const folder = logDirectory(directory)
  const warnings = [...wideModes(disk, directory)]
  refuseUnknown(disk, folder)
  const reading = readLog(disk, folder)
  if (reading.problem !== undefined && reading.problem.kind !== 'torn') throw refusal(reading.problem)
  const last = reading.segments.at(-1)
  const info = last?.walk.info
  if (last === undefined || info === undefined || reading.identity === undefined) {
    throw new WalError('wal/corrupt', `${folder} has no segment`, { hint: 'restore it from a backup' })
  }
  const findings = findNewestSnapshot(disk, snapshotDirectory(directory))
  const snapshot = chooseSnapshot(directory, findings, reading)
  const { state } = reading
  const positions = state.terms.leadsTo(snapshot ?? { index: 0, term: 0 })
    ? state.positionsAfter(snapshot?.index ?? 0)
    : []
  const lastIndex = Math.max(state.terms.baseIndex + state.positions.length, snapshot?.index ?? 0)
  if (state.hardState.commit > lastIndex) {
    const what = `${folder}: entries up to ${state.hardState.commit} were committed, and the log ends with ${lastIndex}`
    throw new WalError('wal/corrupt', what, { hint: corruptHint })
  }

  // From here on things are changed.
  warnings.push(...setAsideSnapshots(disk, directory, findings))
  const file = disk.open(last.path, 'write')
  try {
    if (reading.problem?.kind === 'torn') warnings.push(setAsideTail(disk, folder, file, last, reading.problem))
    flushAgain(file, last)
    const log = new DurableLog(deps, {
      info,
      file,
      offset: last.walk.endOffset,
      nextSequence: last.walk.nextSequence,
      isEnded: last.walk.lastType === recordType.end,
      segments: reading.segments,
      terms: state.terms,
      hardState: state.hardState,
      snapshot: snapshot ?? state.snapshot,
    })
    if (snapshot !== undefined && !state.terms.leadsTo(snapshot)) log.adopt(snapshot)
    const entries = readOnce(disk, reading.segments, positions, log)
    const { identity } = reading
    const hardState = raise(state.hardState, snapshot)
    return { log, recovered: { identity, isFresh: false, hardState, snapshot, entries, warnings } }
  } catch (error) {
    file.close()
    throw error
  }
}

/** A snapshot is committed state: commit and term are never behind it. */
function raise(hardState: Recovered['hardState'], snapshot: SnapshotPosition | undefined): Recovered['hardState'] {
  if (snapshot === undefined) return hardState
  const commit = Math.max(hardState.commit, snapshot.index)
  return snapshot.term > hardState.term
    ? { term: snapshot.term, votedFor: undefined, commit }
    : { ...hardState, commit }
}

/** The newest snapshot that verifies, if the log reaches back to it. */
function chooseSnapshot(
  directory: string,
  findings: readonly SnapshotFinding[],
  { state }: LogReading,
): SnapshotPosition | undefined {
  const newer = findings.find(({ verdict }) => verdict.kind === 'newer-version')
  if (newer?.verdict.kind === 'newer-version') {
    throw new WalError('wal/newer-version', `${newer.path} has format version ${newer.verdict.version}`, {
      hint: newerHint,
    })
  }
  const whole = findings.find(({ verdict }) => verdict.kind === 'whole')
  const reach = state.terms.baseIndex
  if ((whole?.at.index ?? 0) >= reach) return whole?.at
  const broken = findings.filter(({ verdict }) => verdict.kind === 'damaged').map(({ path }) => path)
  const what =
    whole === undefined
      ? `the log in ${directory} begins after entry ${reach} and there is no snapshot that leads to it`
      : `the log in ${directory} begins after entry ${reach} and the newest whole snapshot is of ${whole.at.index}`
  throw new WalError('wal/corrupt', broken.length === 0 ? what : `${what}; damaged: ${broken.join(', ')}`, {
    hint: corruptHint,
  })
}

function setAsideSnapshots(disk: Disk, directory: string, findings: readonly SnapshotFinding[]): readonly string[] {
  const folder = snapshotDirectory(directory)
  if (disk.stat(folder) === undefined) {
    disk.mkdir(folder)
    disk.syncDirectory(directory)
  }
  const warnings: string[] = []
  for (const { path, verdict } of findings) {
    if (verdict.kind !== 'damaged') continue
    disk.rename(path, `${path}.broken`)
    warnings.push(`the snapshot ${path} is damaged at byte ${verdict.offset} (${verdict.what}): renamed to .broken`)
  }
  const names = disk.list(folder)
  for (const name of names) if (name.endsWith('.tmp')) disk.unlink(join(folder, name))
  const broken = names.filter((name) => name.endsWith('.broken'))
  for (const name of broken.slice(0, -brokenFilesMax)) disk.unlink(join(folder, name))
  disk.syncDirectory(folder)
  return warnings
}

/** Copies what stands behind the last whole batch to a file of its own, then puts zeros in its place. */
function setAsideTail(
  disk: Disk,
  folder: string,
  file: DiskFile,
  segment: SegmentReading,
  { offset, endOffset }: { readonly offset: number; readonly endOffset: number },
): string {
  const remains = new Uint8Array(endOffset - offset)
  let got = 0
  while (got < remains.length) {
    const count = file.read(remains.subarray(got), offset + got)
    if (count === 0) break
    got += count
  }
  const aside = freeName(disk, `${segment.path}.${offset}`)
  const copy = disk.open(aside, 'create')
  try {
    writeAll(copy, remains.subarray(0, got), 0)
    copy.sync()
  } finally {
    copy.close()
  }
  const broken = disk.list(folder).filter((name) => name.endsWith('.broken'))
  for (const name of broken.slice(0, -brokenFilesMax)) disk.unlink(join(folder, name))
  disk.syncDirectory(folder)
  writeAll(file, new Uint8Array(got), offset)
  file.sync()
  return `${segment.path}: ${got} bytes from ${offset} on were never flushed: set aside as ${aside}`
}

function freeName(disk: Disk, path: string): string {
  let [name, number] = [`${path}.broken`, 1]
  while (disk.stat(name) !== undefined) name = `${path}.${++number}.broken`
  return name
}

/**
 * Writes the last flush once more and flushes it. A process that died between write and flush, or on a flush that failed,
 * leaves bytes that can be read and are not on the disk; the kernel may think that they are.
 */
function flushAgain(file: DiskFile, { walk }: SegmentReading): void {
  const bytes = new Uint8Array(walk.endOffset - walk.flushOffset)
  const count = file.read(bytes, walk.flushOffset)
  if (count !== bytes.length) throw new Error(`short read: ${count} of ${bytes.length} bytes from ${file.path}`)
  writeAll(file, bytes, walk.flushOffset)
  file.sync()
}

function* readOnce(
  disk: Disk,
  segments: readonly SegmentReading[],
  positions: readonly number[],
  log: DurableLog,
): Generator<LogEntry> {
  if (log.hasAppended) throw new Error('the entries that opening found are read before the first append')
  yield* readEntries(disk, segments, positions)
}

function refuseUnknown(disk: Disk, folder: string): void {
  if (disk.stat(folder)?.kind !== 'directory') throw notALog(folder, 'it is no directory')
  const unknown = disk.list(folder).filter((name) => !isOwnLogName(name))
  if (unknown.length > 0) throw notALog(folder, `it holds ${unknown.slice(0, 3).join(', ')}`)
}

function refusal({ kind, path, offset, what }: Exclude<LogProblem, { kind: 'torn' }>): WalError {
  if (kind === 'not-a-log') return notALog(path, what)
  return kind === 'newer-version'
    ? new WalError('wal/newer-version', `${path}: ${what}`, { hint: newerHint })
    : new WalError('wal/corrupt', `${path} is damaged at byte ${offset}: ${what}`, { hint: corruptHint })
}

const corruptHint =
  'acknowledged data would be lost by going on: restore a backup, or empty the directory and join again as a new member'
const newerHint = 'open it with the version of the program that wrote it, or a later one'

const notALog = (path: string, what: string): WalError =>
  new WalError('wal/not-a-log', `${path} is not the data directory of a log: ${what}`, {
    hint: 'name another directory, or an empty one',
  })

/** Directories wider than 0700 and files wider than 0600. */
function wideModes(disk: Disk, directory: string): readonly string[] {
  const folders = [directory, logDirectory(directory), snapshotDirectory(directory)]
  const files = folders
    .slice(1)
    .flatMap((folder) =>
      disk.stat(folder)?.kind === 'directory' ? disk.list(folder).map((name) => join(folder, name)) : [],
    )
  return [...folders, ...files].flatMap((path) => {
    const mode = disk.stat(path)?.mode ?? 0
    return (mode & 0o077) === 0 ? [] : [`${path} has mode ${mode.toString(8).padStart(4, '0')}: others may read it`]
  })
}

/** Failed calls of the disk under one code. */
function orBroken<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (errnoOf(cause) === undefined || cause instanceof WalError) throw cause
    if (isNoSpace(cause)) {
      throw new WalError('wal/no-space', `${what}: no space left`, { hint: 'free space on this file system', cause })
    }
    throw new WalError('wal/broken', what, { hint: 'see to the disk and to the rights on the directory', cause })
  }
}
