/** The replica with its pipeline in one thread over a disk in memory, with clocks that the test sets. */
import type { Command } from '@cluster/kv-store/v2'
import { silentLogger, silentMeter } from '@cluster/prelude'
import { type Disk, openLog, openSnapshots, toAsyncDisk } from '@cluster/wal'
import type { Settled } from '../src/replica.ts'
import { type RunningReplica, startReplica } from '../src/replica-loop.ts'
import { fullSnapshotLimits, type SnapshotLimits } from '../src/replica-snapshotter.ts'
import { createLocalPipeline } from '../src/threads/local-pipeline.ts'
import type { Timers } from '../src/timers.ts'

export type LocalReplicaOptions = {
  readonly disk: Disk
  readonly origin: number
  readonly clock?: TestClock
  readonly limits?: Partial<SnapshotLimits>
  readonly onFatal?: (error: Error) => void
}

/** Wall and monotonic time, each moved by the test, and timers that follow the monotonic one. */
export type TestClock = {
  wallMs: number
  elapsedMs: number
  readonly nowMs: () => number
  readonly monotonicMs: () => number
  readonly timers: Timers
  /** Time goes by: timers that are due call back, in order. */
  readonly pass: (ms: number) => void
}

export function createTestClock(wallMs = Date.UTC(2026, 10, 21)): TestClock {
  let waiting: { readonly atMs: number; readonly callback: () => void }[] = []
  const clock: TestClock = {
    wallMs,
    elapsedMs: 1000,
    nowMs: () => clock.wallMs,
    monotonicMs: () => clock.elapsedMs,
    timers: {
      after: (ms, callback) => {
        const timer = { atMs: clock.elapsedMs + ms, callback }
        waiting.push(timer)
        return () => {
          waiting = waiting.filter((other) => other !== timer)
        }
      },
      nextTurn: (callback) => {
        setImmediate(callback)
      },
    },
    pass: (ms) => {
      const untilMs = clock.elapsedMs + ms
      clock.wallMs += ms
      for (;;) {
        const [next] = waiting.filter(({ atMs }) => atMs <= untilMs).sort((left, right) => left.atMs - right.atMs)
        if (next === undefined) break
        waiting = waiting.filter((other) => other !== next)
        clock.elapsedMs = Math.max(clock.elapsedMs, next.atMs)
        next.callback()
      }
      clock.elapsedMs = untilMs
    },
  }
  return clock
}

export const dataDirectory = '/data/store'

/** Opens what is on the disk. */
export function openLocalReplica({
  disk,
  origin,
  clock = createTestClock(),
  limits = {},
  onFatal = () => undefined,
}: LocalReplicaOptions): Promise<RunningReplica> {
  const opened = openLog({
    disk,
    directory: dataDirectory,
    identity: { clusterId: 'c1', memberId: 'a1', extra: '' },
    segmentSizeBytes: 16 * 1024,
    randomBytes: (count) => new Uint8Array(count).fill(origin),
    monotonicMs: clock.monotonicMs,
  })
  return startReplica({
    pipeline: createLocalPipeline({
      opened,
      origin,
      monotonicMs: clock.monotonicMs,
      // A turn is a turn; waiting longer is left to the test.
      schedule: (callback, afterMs) => {
        if (afterMs > 0) return clock.timers.after(afterMs, callback)
        const immediate = setImmediate(callback)
        return () => clearImmediate(immediate)
      },
      sizes: { proposalsBytes: 65_536, appendsBytes: 65_536, committedBytes: 16_384 },
    }),
    snapshots: openSnapshots({ disk: toAsyncDisk(disk), directory: dataDirectory, keep: 2 }),
    clock,
    timers: clock.timers,
    log: silentLogger,
    meter: silentMeter,
    snapshotLimits: fullSnapshotLimits(limits),
    storeOptions: {},
    entryBytesMax: 8192,
    proposalTimeoutMs: 7000,
    onFatal,
  })
}

export const propose = (replica: RunningReplica, command: Command): Promise<Settled> =>
  new Promise((resolve) => replica.propose(command, resolve))

export const set = (key: string, value: string, deadlineMs?: number): Command => ({
  kind: 'set',
  path: `/1/${key}`,
  value,
  isDirectory: false,
  deadlineMs,
  isRefresh: false,
})
