/**
 * Writes a snapshot when the log has grown by so many entries or bytes, in slices while the store goes on, one at a
 * time, and lets the log forget what lies far enough before it.
 *
 * The number of entries is etcd's rule. A store that takes 10,000 entries four times a second would do little else by it,
 * so it has a rest after each snapshot: ten seconds, or nine times as long as the snapshot took, whichever is longer.
 * Snapshots then cost a tenth of the time at most. Only a log that has grown by `logBytes` ends the rest early: it bounds
 * what a restart has to read and what the disk has to hold.
 */
import type { Store } from '@cluster/kv-store/v2'
import { type Clock, describeError, type Logger } from '@cluster/prelude'
import { encodeSnapshotHead } from './replica-entry.ts'
import type { Timers } from './timers.ts'

/** Where snapshots go, as the replica needs it; `openSnapshots` of `@cluster/wal` gives it. */
export type SnapshotFiles = {
  readonly create: (at: SnapshotPosition) => Promise<{
    readonly write: (part: Uint8Array) => Promise<void>
    readonly commit: () => Promise<void>
    readonly abort: () => Promise<void>
  }>
  readonly read: (at: SnapshotPosition, options: { readonly verify: 'along' }) => AsyncIterable<Uint8Array>
}

/** The last entry in a snapshot. */
export type SnapshotPosition = { readonly index: number; readonly term: number }

export type SnapshotLimits = {
  /** Entries applied since the last snapshot; etcd's `--snapshot-count`, default 10,000. */
  readonly entryCount: number
  /** Bytes of log since the last snapshot at most, default 256 MiB. */
  readonly logBytes: number
  /**
   * Milliseconds without a snapshot after one, unless `logBytes` have come; longer after one that took long. Default 10 s,
   * and 0 where `entryCount` is below its default.
   */
  readonly restMs: number
  /** Entries before the snapshot that the log keeps for members that lag, default 5,000. */
  readonly entriesKept: number
}

/** The limits with what was not given filled in. Whoever wants fewer entries than usual in the log gets no rest from it. */
export function fullSnapshotLimits({
  entryCount = 10_000,
  logBytes = 256 * 1024 * 1024,
  restMs = entryCount < 10_000 ? 0 : 10_000,
  entriesKept = 5000,
}: Partial<SnapshotLimits>): SnapshotLimits {
  return { entryCount, logBytes, restMs, entriesKept }
}

export type SnapshotterOptions = {
  readonly store: Store
  readonly snapshots: SnapshotFiles
  readonly limits: SnapshotLimits
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly timers: Timers
  readonly log: Logger
  /** The store's time. */
  readonly nowMs: () => number
  /** A snapshot is durable; the log may forget what is not after `keepAfterIndex`. */
  readonly release: (snapshot: SnapshotPosition, keepAfterIndex: number) => void
  readonly measured: (outcome: 'written' | 'failed', seconds: number) => void
}

export interface Snapshotter {
  /** Entries up to `at` have been applied, `logBytes` more of them. Must be called when nothing is half applied. */
  applied(at: SnapshotPosition, logBytes: number): void
  /** Takes one now, whatever the limits say; waits until it is durable, or until the one at work is. */
  take(): Promise<void>
  /** Gives up the snapshot at work, leaving no part of it. */
  close(): Promise<void>
}

const retryMs = 30_000
/** How many times as long as a snapshot took is the rest after it. */
const restsPerSnapshot = 9

/** @param last where the newest snapshot stands; index 0 for none */
export function createSnapshotter(last: SnapshotPosition, options: SnapshotterOptions): Snapshotter {
  const { store, snapshots, limits, clock, timers, log, nowMs, release, measured } = options
  let newest = last
  let applied = last
  let logBytes = 0
  let working: Promise<void> | undefined
  /** After a failure nothing is tried before this. */
  let notBeforeMs = Number.NEGATIVE_INFINITY
  let restsUntilMs = Number.NEGATIVE_INFINITY
  let isClosed = false

  const nextTurn = (): Promise<void> => new Promise((resolve) => timers.nextTurn(resolve))

  const write = async (at: SnapshotPosition): Promise<boolean> => {
    // The view first: it must show the store as it is at `at`, before anything else happens.
    const parts = store.snapshot()
    const head = encodeSnapshotHead({ formatVersion: 1, ...at, timeMs: nowMs() })
    try {
      const writer = await snapshots.create(at)
      try {
        await writer.write(head)
        for (let part = parts.next(); part !== undefined; part = parts.next()) {
          if (isClosed) {
            await writer.abort()
            return false
          }
          await writer.write(part)
          await nextTurn()
        }
        await writer.commit()
      } catch (error) {
        await writer.abort()
        throw error
      }
    } finally {
      parts.close()
    }
    return true
  }

  const run = async (at: SnapshotPosition): Promise<void> => {
    const startMs = clock.monotonicMs()
    const takenBytes = logBytes
    logBytes = 0
    try {
      if (!(await write(at))) return
      newest = at
      release(at, Math.max(0, at.index - limits.entriesKept))
      const endMs = clock.monotonicMs()
      if (limits.restMs > 0) restsUntilMs = endMs + Math.max(limits.restMs, restsPerSnapshot * (endMs - startMs))
      const seconds = (endMs - startMs) / 1000
      measured('written', seconds)
      log.info('snapshot written', { index: at.index, term: at.term, seconds })
    } catch (error) {
      notBeforeMs = clock.monotonicMs() + retryMs
      logBytes += takenBytes
      measured('failed', (clock.monotonicMs() - startMs) / 1000)
      log.error('snapshot failed; tried again later', { index: at.index, reason: describeError(error).join('; ') })
    }
  }

  const start = (): Promise<void> => {
    working = run(applied).finally(() => {
      working = undefined
    })
    return working
  }

  return {
    applied: (at, bytes) => {
      applied = at
      logBytes += bytes
      if (working !== undefined || isClosed) return
      const hasManyBytes = logBytes >= limits.logBytes
      if (at.index - newest.index < limits.entryCount && !hasManyBytes) return
      const timeMs = clock.monotonicMs()
      if (timeMs < notBeforeMs || (timeMs < restsUntilMs && !hasManyBytes)) return
      void start()
    },
    take: async () => {
      await working
      if (!isClosed && applied.index > newest.index) await start()
    },
    close: async () => {
      isClosed = true
      await working
    },
  }
}
