/** A data directory looked at without taking it: for a dump, a check, and the backup of a directory that is in use. */

import type { Disk } from './disk.ts'
import { errnoOf, WalError } from './errors.ts'
import { logDirectory, parseSegmentName, snapshotDirectory } from './layout.ts'
import type { HardState, LogEntry, LogIdentity } from './log-port.ts'
import type { SnapshotPosition } from './payload.ts'
import { type LogProblem, type LogReading, readEntries, readLog } from './read-log.ts'
import { listSnapshotFiles } from './read-snapshots.ts'

export type InspectedSegment = {
  readonly path: string
  readonly number: number
  /** Index that the next new entry had when it was begun. */
  readonly firstIndex: number
  readonly sizeBytes: number
  /** Up to the end of the last whole batch. */
  readonly usedBytes: number
  readonly records: number
  readonly isRecycled: boolean
}

export type InspectedSnapshot = {
  readonly path: string
  readonly index: number
  readonly term: number
  readonly sizeBytes: number
  readonly isWhole: boolean
}

/** Something that an operator may want to know. `error`: opening would refuse. `warning`: opening would repair it. */
export type Finding = {
  readonly severity: 'warning' | 'error'
  readonly path: string
  /** Byte in the file. */
  readonly offset: number
  readonly what: string
}

export type LogInspection = {
  /** Undefined when the first segment cannot be read. */
  readonly identity: LogIdentity | undefined
  readonly hardState: HardState
  /** Oldest first, up to the first one that cannot be read. */
  readonly segments: readonly InspectedSegment[]
  /** Newest first. */
  readonly snapshots: readonly InspectedSnapshot[]
  /** Index of the oldest entry that is there; `lastIndex` is one less when there are none. */
  readonly firstIndex: number
  readonly lastIndex: number
  /** All entries that are there, also those that a snapshot covers. Each iteration reads the files again. */
  readonly entries: Iterable<LogEntry>
  /** Empty when all is well. */
  readonly findings: readonly Finding[]
}

/** A directory in use may purge a segment while it is read; then it is read again, so often at most. */
const attemptsMax = 5

/**
 * Reads log and snapshots of a data directory as they stand. Takes no lock and changes nothing; in a directory that is in
 * use, a write that is under way looks like a torn tail.
 *
 * @throws WalError `wal/not-a-log` when there is no log at all; errors of the disk as they are
 */
export function inspectLog(disk: Disk, directory: string): LogInspection {
  const folder = logDirectory(directory)
  if (disk.stat(folder)?.kind !== 'directory' || !disk.list(folder).some((name) => parseSegmentName(name))) {
    throw new WalError('wal/not-a-log', `${directory} holds no log`, {
      hint: 'name the data directory, which has the folders log and snapshots',
    })
  }
  const { reading, snapshots } = readPatiently(disk, directory)
  const { state } = reading
  return {
    identity: reading.identity,
    hardState: state.hardState,
    segments: reading.segments.map(({ path, number, sizeBytes, records, walk }) => ({
      path,
      number,
      firstIndex: walk.info?.firstIndex ?? 0,
      sizeBytes,
      usedBytes: walk.endOffset,
      records,
      isRecycled: walk.info?.isRecycled ?? false,
    })),
    snapshots: snapshots.map(({ path, at, sizeBytes, verdict }) => ({
      path,
      ...at,
      sizeBytes,
      isWhole: verdict.kind === 'whole',
    })),
    firstIndex: state.terms.baseIndex + 1,
    lastIndex: state.terms.baseIndex + state.positions.length,
    entries: { [Symbol.iterator]: () => readEntries(disk, reading.segments, state.positions) },
    findings: [
      ...(reading.problem === undefined ? [] : [describeProblem(reading.problem)]),
      ...snapshots.flatMap(({ path, verdict }) => describeVerdict(path, verdict)),
      ...describeReach(directory, reading, snapshots),
    ],
  }
}

function readPatiently(
  disk: Disk,
  directory: string,
): { readonly reading: LogReading; readonly snapshots: ReturnType<typeof listSnapshotFiles> } {
  for (let attempt = 1; ; attempt++) {
    try {
      // Snapshots first: what the log forgets while they are read, a snapshot that is newer than them covers.
      const snapshots = listSnapshotFiles(disk, snapshotDirectory(directory))
      return { reading: readLog(disk, logDirectory(directory)), snapshots }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === attemptsMax) throw error
    }
  }
}

function describeProblem(problem: LogProblem): Finding {
  const { path, offset } = problem
  return problem.kind === 'torn'
    ? { severity: 'warning', path, offset, what: `${problem.endOffset - offset} bytes that were never flushed` }
    : { severity: 'error', path, offset, what: problem.what }
}

function describeVerdict(path: string, verdict: ReturnType<typeof listSnapshotFiles>[number]['verdict']): Finding[] {
  switch (verdict.kind) {
    case 'whole':
      return []
    case 'damaged':
      return [{ severity: 'warning', path, offset: verdict.offset, what: verdict.what }]
    case 'newer-version':
      return [{ severity: 'error', path, offset: 7, what: `format version ${verdict.version}` }]
  }
}

/** Whether log and snapshots together make a whole state. */
function describeReach(
  directory: string,
  { problem, state, segments }: LogReading,
  snapshots: ReturnType<typeof listSnapshotFiles>,
): readonly Finding[] {
  const whole: SnapshotPosition | undefined = snapshots.find(({ verdict }) => verdict.kind === 'whole')?.at
  const { baseIndex } = state.terms
  const found = (path: string, what: string): Finding => ({ severity: 'error', path, offset: 0, what })
  if (problem !== undefined && problem.kind !== 'torn') return []
  if ((whole?.index ?? 0) < baseIndex) {
    return [found(segments[0]?.path ?? directory, `begins after entry ${baseIndex}, to which no whole snapshot leads`)]
  }
  const lastIndex = Math.max(baseIndex + state.positions.length, whole?.index ?? 0)
  if (state.hardState.commit <= lastIndex) return []
  const what = `entries up to ${state.hardState.commit} were committed, and the log ends with ${lastIndex}`
  return [found(segments.at(-1)?.path ?? directory, what)]
}
