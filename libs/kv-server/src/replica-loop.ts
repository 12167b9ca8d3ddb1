/**
 * The replica: proposals into the pipeline, committed entries out of it and into the store, in order, and everybody told
 * who asked. All of it in one thread, a few milliseconds at a time.
 *
 * @see design.md §5 (b)
 */

import { type Latin1Codec, pureLatin1 } from '@cluster/kv-store'
import {
  type Command,
  createRestore,
  createStore,
  decodeCommand,
  encodeCommand,
  encodedSizeMax,
  type Store,
  type StoreOptions,
} from '@cluster/kv-store/v2'
import { assert, type Clock, describeError, type Logger, type Meter } from '@cluster/prelude'
import { KvServerError } from './errors.ts'
import type { RaftRole } from './raft-node.ts'
import type { ProposalFailure, Replica, ReplicaStatus, Settled } from './replica.ts'
import { decodeSnapshotHead, entryDataHeadBytes, entryKind, timeOfEntry, writeEntryDataHead } from './replica-entry.ts'
import { createExpiry, type Expiry } from './replica-expiry.ts'
import { createReplicaFigures } from './replica-metrics.ts'
import {
  createSnapshotter,
  type SnapshotFiles,
  type SnapshotLimits,
  type SnapshotPosition,
  type Snapshotter,
} from './replica-snapshotter.ts'
import { createStoreTime } from './replica-time.ts'
import { Waiters } from './replica-waiters.ts'
import type { Opened, Release } from './threads/opened.ts'
import type { Pipeline } from './threads/pipeline.ts'
import { decodeText, encodeText, entryHeadBytes, recordKind } from './threads/records.ts'
import type { Timers } from './timers.ts'

export type ReplicaOptions = {
  readonly pipeline: Pipeline
  readonly snapshots: SnapshotFiles
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>
  readonly timers: Timers
  readonly log: Logger
  readonly meter: Meter
  readonly snapshotLimits: SnapshotLimits
  readonly storeOptions?: StoreOptions
  /** For commands in the rings; default: plain JavaScript. */
  readonly codec?: Latin1Codec
  /** The data of an entry at most: less than a segment of the log. */
  readonly entryBytesMax: number
  /** How long a proposal waits at most for its commit: etcd's 5 s + 2 × election timeout. */
  readonly proposalTimeoutMs: number
  /** The longest delay of the event loop since the last call; absent: not measured. */
  readonly loopDelaySeconds?: () => number
  /** Called once when a part of the store has failed. Everybody who waits was told; nothing is acknowledged any more. */
  readonly onFatal: (error: Error) => void
}

/** A replica at work, and the way to end it. */
export interface RunningReplica extends Replica {
  /** What the log found when it was opened. */
  readonly opened: Opened
  /** Takes a snapshot now. */
  readonly snapshot: () => Promise<void>
  /** Takes no more proposals, waits up to `graceMs` for those at work, closes the log and ends the pipeline. */
  readonly close: (graceMs: number) => Promise<void>
}

/** Waiting proposals at most; more are refused with `too-many`. */
const waitersMax = 16_384
/** How long applying goes on before others have their turn. */
const sliceMs = 4
const slowFlushSeconds = 1
const sweepMs = 500
const figuresMs = 1000

/**
 * Reads what the log holds and begins to serve: resolves when this member leads and everything before its term is
 * applied.
 *
 * @throws what opening the log threw; KvServerError `kv-server/unknown-snapshot`, `kv-server/unknown-entry`
 */
export function startReplica(options: ReplicaOptions): Promise<RunningReplica> {
  return new Promise((resolve, reject) => new ReplicaLoop(options, resolve, reject).start())
}

class ReplicaLoop implements RunningReplica {
  readonly #options: ReplicaOptions
  readonly #pipeline: Pipeline
  readonly #time: ReturnType<typeof createStoreTime>
  readonly #figures: ReturnType<typeof createReplicaFigures>
  readonly #waiters = new Waiters(waitersMax)
  readonly #expiry: Expiry
  readonly #startedMs: number
  readonly #onStarted: (replica: RunningReplica) => void
  readonly #onNotStarted: (error: Error) => void
  #snapshotter: Snapshotter | undefined
  readonly #codec: Latin1Codec
  #store: Store
  #opened: Opened | undefined
  #role: RaftRole | undefined
  #leaderSinceMs = 0
  #appliedIndex = 0
  #appliedTerm = 0
  /** Bytes of entries applied since the snapshotter heard of them last. */
  #appliedBytes = 0
  /** The first proposal that is not in the ring yet. */
  #unwritten = 0
  #state: 'starting' | 'serving' | 'closing' | 'closed' | 'failed' = 'starting'
  #isTurnSoon = false
  #isArmed = false
  /** The snapshot is being read; entries wait. */
  #isRestoring = false
  #cancelSweep: (() => void) | undefined
  #cancelFigures: (() => void) | undefined
  #saidSlow = false
  #onClosed: (() => void) | undefined
  #onIdle: (() => void) | undefined

  constructor(
    options: ReplicaOptions,
    onStarted: (replica: RunningReplica) => void,
    onNotStarted: (error: Error) => void,
  ) {
    this.#options = options
    this.#pipeline = options.pipeline
    this.#time = createStoreTime(options.clock)
    this.#codec = options.codec ?? pureLatin1
    this.#store = createStore(options.storeOptions)
    this.#figures = createReplicaFigures(options.meter)
    this.#startedMs = options.clock.nowMs()
    this.#onStarted = onStarted
    this.#onNotStarted = onNotStarted
    this.#expiry = createExpiry({
      nextDeadlineMs: () => this.#store.nextDeadlineMs,
      nowMs: () => this.#time.nowMs(),
      propose: (command, settled) => this.#add(command, settled),
      timers: options.timers,
    })
  }

  start(): void {
    this.#pipeline.onFatal((error) => this.#fail(error))
    this.#arm()
    if (this.#state !== 'failed') this.#figuresLater()
  }

  get store(): Store {
    return this.#store
  }

  get appliedIndex(): number {
    return this.#appliedIndex
  }

  get appliedTerm(): number {
    return this.#appliedTerm
  }

  get opened(): Opened {
    assert(this.#opened !== undefined, 'a replica is handed out after its log was opened')
    return this.#opened
  }

  get status(): ReplicaStatus {
    const { memberId, clusterId } = this.opened.identity
    return {
      memberId,
      clusterId,
      leaderId: this.#role?.leader,
      leaderSinceMs: this.#leaderSinceMs,
      startedMs: this.#startedMs,
      isLeader: this.#role?.kind === 'leader',
    }
  }

  nowMs(): number {
    return this.#time.nowMs()
  }

  propose(command: Command, settle: (settled: Settled) => void): void {
    const refusal =
      this.#state !== 'serving' ? 'stopped' : !this.#pipeline.hasRoom && takesRoom(command) ? 'no-space' : undefined
    if (refusal === undefined) this.#add(command, settle)
    else this.#refuse(settle, refusal)
  }

  #refuse(settle: (settled: Settled) => void, failure: ProposalFailure): void {
    this.#figures.proposalFailed(failure)
    settle({ kind: 'failed', failure })
  }

  #add(command: Command, settle: (settled: Settled) => void): void {
    const sizeMax = entryDataHeadBytes + encodedSizeMax(command)
    const refusal =
      this.#state === 'failed'
        ? 'stopped'
        : this.#waiters.isFull
          ? 'too-many'
          : sizeMax > this.#options.entryBytesMax
            ? 'too-large'
            : undefined
    if (refusal !== undefined) {
      this.#refuse(settle, refusal)
      return
    }
    const number = this.#waiters.nextNumber
    this.#waiters.add({ command, timeMs: this.#time.nowMs(), settle })
    // In order: as long as an older one waits for room, this one does too.
    if (this.#unwritten === number && this.#write(number, command, sizeMax)) this.#unwritten = (number + 1) >>> 0
    if (this.#cancelSweep === undefined) this.#sweepLater()
    this.#turnSoon()
  }

  /** Puts a proposal into the ring; false: no room now. */
  #write(number: number, command: Command, sizeMax: number): boolean {
    const { proposals, sender, origin } = this.#pipeline
    if (sender.isBusy && !sender.resume()) return false
    const timeMs = this.#waiters.at(number)?.timeMs ?? 0
    if (sizeMax > proposals.recordSizeBytesMax) {
      const data = new Uint8Array(sizeMax)
      writeEntryDataHead(new DataView(data.buffer), 0, origin, number, timeMs)
      const end = encodeCommand(command, data, entryDataHeadBytes, this.#codec)
      this.#appliedBytes += end
      return sender.send(recordKind.proposal, data.subarray(0, end))
    }
    const offset = proposals.reserve(sizeMax)
    if (offset === -1) return false
    writeEntryDataHead(proposals.view, offset, origin, number, timeMs)
    const end = encodeCommand(command, proposals.bytes, offset + entryDataHeadBytes, this.#codec)
    this.#appliedBytes += end - offset
    proposals.commit(end - offset, recordKind.proposal, 0)
    return true
  }

  /** What found no room earlier. */
  #writeWaiting(): void {
    const { sender } = this.#pipeline
    if (sender.isBusy && !sender.resume()) return
    while (this.#unwritten !== this.#waiters.nextNumber) {
      const waiter = this.#waiters.at(this.#unwritten)
      assert(waiter !== undefined, 'what is not in the log yet is still waited for')
      const sizeMax = entryDataHeadBytes + encodedSizeMax(waiter.command)
      if (!this.#write(this.#unwritten, waiter.command, sizeMax)) return
      this.#unwritten = (this.#unwritten + 1) >>> 0
    }
  }

  /** One turn at the end of this one: so that all proposals of a turn are one wake-up. */
  #turnSoon(): void {
    if (this.#isTurnSoon) return
    this.#isTurnSoon = true
    this.#options.timers.nextTurn(this.#turn)
  }

  readonly #turn = (): void => {
    this.#isTurnSoon = false
    this.#pipeline.proposals.publish()
    if (this.#pipeline.committed.reader.hasNext() && !this.#isRestoring) this.#drain()
    this.#arm()
  }

  #arm(): void {
    if (this.#isArmed || this.#isRestoring || this.#state === 'failed' || this.#state === 'closed') return
    this.#isArmed = true
    this.#pipeline.whenWork(this.#onWork)
  }

  readonly #onWork = (): void => {
    this.#isArmed = false
    if (this.#state === 'failed' || this.#state === 'closed') return
    this.#drain()
    this.#arm()
  }

  /** Applies what has been committed, for a few milliseconds. */
  #drain(): void {
    const { committed } = this.#pipeline
    const untilMs = this.#options.clock.monotonicMs() + sliceMs
    let isLate = false
    while (!isLate && !this.#isRestoring && committed.next()) {
      try {
        this.#take()
      } catch (error) {
        // A failed state machine must not go on: whatever it does next is not what the log says.
        this.#fail(error instanceof Error ? error : new Error(String(error)))
        return
      }
      isLate = this.#options.clock.monotonicMs() > untilMs
    }
    committed.reader.release(committed.reader.position)
    this.#writeWaiting()
    this.#pipeline.proposals.publish()
    this.#afterApply()
    if (isLate) this.#turnSoon()
  }

  #take(): void {
    const { committed } = this.#pipeline
    switch (committed.kind) {
      case recordKind.ownRun: {
        const { view, offset } = committed
        const index = view.getFloat64(offset, true)
        const term = view.getFloat64(offset + 8, true)
        this.#applyOwn(index, term, view.getUint32(offset + 16, true), view.getUint32(offset + 20, true))
        return
      }
      case recordKind.entry: {
        const { view, offset } = committed
        const index = view.getFloat64(offset, true)
        const term = view.getFloat64(offset + 8, true)
        this.#applyEntry(index, term, view.getFloat64(offset + 16, true))
        return
      }
      case recordKind.opened:
        this.#onOpened(decodeText<Opened>(committed.content()))
        return
      case recordKind.recovered:
        return
      case recordKind.role:
        this.#role = decodeText<RaftRole>(committed.content())
        this.#leaderSinceMs = this.#options.clock.nowMs()
        return
      default:
        assert(committed.kind === recordKind.close, `a record of kind ${committed.kind} for the store`)
        this.#onClosed?.()
    }
  }

  /** The hot path: our own proposals, as they were proposed. */
  #applyOwn(firstIndex: number, term: number, firstNumber: number, count: number): void {
    this.#appliedTerm = term
    for (let at = 0; at < count; at++) {
      const waiter = this.#waiters.take((firstNumber + at) >>> 0)
      assert(waiter !== undefined, 'what is committed was proposed')
      const index = firstIndex + at
      const { command, timeMs, settle } = waiter
      const outcome = this.#store.apply(command, { index, timeMs })
      this.#appliedIndex = index
      if (settle !== undefined) settle({ kind: 'applied', outcome, index, term })
    }
  }

  #applyEntry(index: number, term: number, kind: number): void {
    const { committed } = this.#pipeline
    this.#appliedBytes += committed.sizeBytes
    if (kind === entryKind.command) {
      const timeMs = timeOfEntry(committed.view, committed.offset + entryHeadBytes)
      this.#time.notBefore(timeMs)
      this.#store.apply(this.#decode(index), { index, timeMs })
    } else if (kind !== entryKind.empty) {
      throw unknownEntry(index, `it is of kind ${kind}`)
    }
    this.#appliedIndex = index
    this.#appliedTerm = term
    // The empty entry of the own term: everything before it is applied.
    if (this.#state === 'starting' && this.#role?.kind === 'leader' && term === this.#role.term) {
      this.#state = 'serving'
      this.#onStarted(this)
    }
  }

  #decode(index: number): Command {
    try {
      return decodeCommand(this.#pipeline.committed.content(entryHeadBytes + entryDataHeadBytes), this.#codec)
    } catch (cause) {
      throw unknownEntry(index, 'its command cannot be read', cause)
    }
  }

  #onOpened(opened: Opened): void {
    this.#opened = opened
    for (const warning of opened.warnings) this.#options.log.warn('log repaired', { repair: warning })
    const { snapshot } = opened
    if (snapshot === undefined) {
      this.#beginSnapshots({ index: 0, term: 0 })
      return
    }
    this.#isRestoring = true
    this.#restore(snapshot).then(
      () => {
        this.#isRestoring = false
        this.#beginSnapshots(snapshot)
        this.#drain()
        this.#arm()
      },
      (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))),
    )
  }

  async #restore(snapshot: SnapshotPosition): Promise<void> {
    const startMs = this.#options.clock.monotonicMs()
    const restore = createRestore(this.#options.storeOptions)
    let isHead = true
    for await (const part of this.#options.snapshots.read(snapshot, { verify: 'along' })) {
      if (isHead) {
        this.#time.notBefore(decodeSnapshotHead(part).timeMs)
        isHead = false
        continue
      }
      restore.add(part)
      await new Promise<void>((resolve) => this.#options.timers.nextTurn(resolve))
    }
    this.#store = restore.finish()
    this.#appliedIndex = snapshot.index
    this.#appliedTerm = snapshot.term
    const seconds = (this.#options.clock.monotonicMs() - startMs) / 1000
    this.#options.log.info('snapshot restored', { index: snapshot.index, nodes: this.#store.nodeCount, seconds })
  }

  #beginSnapshots(newest: SnapshotPosition): void {
    const { snapshots, snapshotLimits, clock, timers, log } = this.#options
    this.#snapshotter = createSnapshotter(newest, {
      store: this.#store,
      snapshots,
      limits: snapshotLimits,
      clock,
      timers,
      log,
      nowMs: () => this.#time.nowMs(),
      release: (snapshot, keepAfterIndex) => this.#release({ snapshot, keepAfterIndex }),
      measured: this.#figures.snapshotEnded,
    })
  }

  /** Missed when the ring is full just now: the next snapshot releases more. */
  #release(release: Release): void {
    const { sender } = this.#pipeline
    if (this.#state === 'failed' || this.#state === 'closed') return
    if (sender.isBusy && !sender.resume()) return
    sender.send(recordKind.release, encodeText(release))
    sender.publish()
  }

  #afterApply(): void {
    if (this.#state === 'starting') return
    this.#expiry.look()
    this.#snapshotter?.applied({ index: this.#appliedIndex, term: this.#appliedTerm }, this.#appliedBytes)
    this.#appliedBytes = 0
    this.#pipeline.takeFlushes(this.#onFlush)
    if (this.#waiters.count === 0) this.#onIdle?.()
  }

  readonly #onFlush = ({ seconds, entries }: { readonly seconds: number; readonly entries: number }): void => {
    this.#figures.flushed(seconds, entries)
    if (seconds > slowFlushSeconds) this.#options.log.warn('slow disk', { flushSeconds: seconds, entries })
    this.#saidSlow = false
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#options.timers.after(sweepMs, () => {
      this.#cancelSweep = undefined
      const nowMs = this.#time.nowMs()
      this.#waiters.expire(nowMs - this.#options.proposalTimeoutMs)
      const { oldestTimeMs } = this.#waiters
      if (oldestTimeMs === undefined) return
      const waitedSeconds = (nowMs - oldestTimeMs) / 1000
      if (waitedSeconds > slowFlushSeconds && !this.#saidSlow) {
        this.#saidSlow = true
        this.#options.log.warn('slow disk: a write waits', { waitedSeconds, waiting: this.#waiters.count })
      }
      this.#sweepLater()
    })
  }

  #figuresLater(): void {
    this.#cancelFigures = this.#options.timers.after(figuresMs, () => {
      this.#figures.state({
        appliedIndex: this.#appliedIndex,
        term: this.#appliedTerm,
        pending: this.#waiters.count,
        nodes: this.#store.nodeCount,
        hasRoom: this.#pipeline.hasRoom,
        loopDelaySeconds: this.#options.loopDelaySeconds?.(),
      })
      this.#figuresLater()
    })
  }

  snapshot(): Promise<void> {
    return this.#snapshotter?.take() ?? Promise.resolve()
  }

  #stopTimers(): void {
    this.#expiry.stop()
    this.#cancelSweep?.()
    this.#cancelFigures?.()
  }

  #fail(error: Error): void {
    if (this.#state === 'failed' || this.#state === 'closed') return
    const wasStarting = this.#state === 'starting'
    this.#state = 'failed'
    this.#stopTimers()
    // Whoever starts it is told by the error itself.
    if (!wasStarting) this.#options.log.error('the store has failed', { reason: describeError(error).join('; ') })
    this.#waiters.failAll('stopped')
    void this.#snapshotter?.close()
    this.#onIdle?.()
    this.#onClosed?.()
    if (wasStarting) void this.#pipeline.end().finally(() => this.#onNotStarted(error))
    else this.#options.onFatal(error)
  }

  async close(graceMs: number): Promise<void> {
    if (this.#state === 'closing' || this.#state === 'closed') return
    const wasServing = this.#state === 'serving'
    if (wasServing) this.#state = 'closing'
    this.#expiry.stop()
    await this.#snapshotter?.close()
    if (wasServing && this.#waiters.count > 0) {
      await this.#within(graceMs, (resolve) => {
        this.#onIdle = resolve
      })
    }
    if (this.#isClosing()) await this.#within(graceMs, (resolve) => this.#sendClose(resolve))
    this.#stopTimers()
    this.#waiters.failAll('stopped')
    this.#state = 'closed'
    await this.#pipeline.end()
  }

  /** Not failed meanwhile. */
  #isClosing(): boolean {
    return this.#state === 'closing'
  }

  #sendClose(closed: () => void): void {
    const { sender } = this.#pipeline
    this.#onClosed = closed
    if (sender.isBusy) return
    this.#pipeline.expectEnd()
    sender.send(recordKind.close, new Uint8Array(0))
    sender.publish()
  }

  #within(graceMs: number, begin: (resolve: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      // Unlike the other timers this one must fire, or closing would wait for ever.
      const timer = setTimeout(resolve, graceMs)
      begin(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

/**
 * What is let through when the disk has no room for more: what makes room, what takes next to none, and what members say
 * of themselves, or a store on a full disk could not be started to delete anything from it.
 */
function takesRoom(command: Command): boolean {
  switch (command.kind) {
    case 'delete':
    case 'compare-and-delete':
    case 'get':
    case 'sync':
      return false
    case 'set':
    case 'create':
    case 'create-in-order':
    case 'update':
    case 'compare-and-swap':
      return !command.path.startsWith('/0/')
    default:
      return command satisfies never
  }
}

const unknownEntry = (index: number, why: string, cause?: unknown): KvServerError =>
  new KvServerError('kv-server/unknown-entry', `entry ${index} of the log cannot be applied: ${why}`, {
    hint: 'start the program that wrote the data directory, or a newer one',
    cause,
  })
