/**
 * The store as its users see it. Made by `createStore` (empty) or `restoreStore` (from a snapshot). Synchronous; what
 * could take longer than a few milliseconds is handed out in slices that the caller spreads over turns.
 */
import type { ByteString } from '../byte-string.ts'
import type { Command, Outcome, StorePath } from './command.ts'

/** Where in the log a command stands, and when it was proposed. */
export type AppliedAt = { readonly index: number; readonly timeMs: number }

export type ReadOptions = { readonly isRecursive: boolean; readonly isSorted: boolean }

/** A read that is complete, or one that is too large for one turn. */
export type Reading =
  | Outcome
  | {
      readonly kind: 'sliced'
      readonly index: number
      /**
       * The body in parts, as of the index of the read whatever is applied meanwhile; each call does a few milliseconds
       * of work. A part may be empty: work was done (sorting), and there is nothing to send yet. `undefined`: complete.
       * Must be called to the end or given up with `close`.
       */
      readonly next: () => ByteString | undefined
      readonly close: () => void
    }

/** One event of the history. */
export type StoreEvent = {
  readonly index: number
  /** As `Outcome.body`. */
  readonly body: ByteString
}

export type WatchOptions = {
  readonly isRecursive: boolean
  /** Stay after the first event. */
  readonly isStream: boolean
  /** waitIndex; 0: from now on. */
  readonly fromIndex: number
}

/**
 * A registered watcher. The store fills its queue while it applies; the owner empties it. `wake` is called at most once
 * until the queue has been taken.
 */
export interface Watcher {
  /** X-Etcd-Index of the answer: the index when the watch began. */
  readonly startIndex: number
  /** Events not yet taken, oldest first; the queue is then empty. */
  take(): readonly StoreEvent[]
  /** True once no further event will come: a single event was delivered, or the reader fell 100 events behind. */
  readonly isOver: boolean
  /** Whether it is over because the reader fell too far behind. */
  readonly isOverrun: boolean
  close(): void
}

export type Watching = { readonly kind: 'watching'; readonly watcher: Watcher } | Extract<Outcome, { kind: 'refused' }>

export interface Store {
  /** The store index: X-Etcd-Index. */
  readonly index: number
  /** How many nodes there are, directories included. */
  readonly nodeCount: number
  apply(command: Command, at: AppliedAt): Outcome
  /** `nowMs` only decides the `ttl` that is shown. */
  read(path: StorePath, options: ReadOptions, nowMs: number): Reading
  /** For the server's own use (auth, membership): the value of a file, undefined when there is none. Not counted in the stats. */
  valueOf(path: StorePath): ByteString | undefined
  /** For the server's own use: names of the children (hidden ones too) in byte order, undefined when it is no directory. Not counted. */
  childrenOf(path: StorePath): readonly ByteString[] | undefined
  /** `wake` may be called before `watch` returns only for a hit in the history. */
  watch(path: StorePath, options: WatchOptions, wake: (watcher: Watcher) => void): Watching
  /**
   * The earliest deadline there is; undefined: nothing has one. The owner proposes a `sync` when it has passed, and looks
   * again after it: one sync ends 1,000 nodes at most.
   */
  readonly nextDeadlineMs: number | undefined
  readonly stats: StoreStats
  /** Adds to a counter of the stats for reads that bypass `read` (the auth flag, spec §3.2). */
  countRead(isFound: boolean): void
  /**
   * Everything there is, as of this moment, in parts that are made while the store goes on: each call does a few
   * milliseconds of work. Format: docs/formats/keyspace.md.
   */
  snapshot(): SnapshotParts
}

export interface SnapshotParts {
  /**
   * The next part, at most 256 KiB; `undefined`: that was all. All parts lie in the same memory: one is gone when the
   * next is asked for.
   */
  next(): Uint8Array | undefined
  close(): void
}

/** The counters of `/v2/stats/store`, by their names there. */
export type StoreStats = {
  readonly getsSuccess: number
  readonly getsFail: number
  readonly setsSuccess: number
  readonly setsFail: number
  readonly deleteSuccess: number
  readonly deleteFail: number
  readonly updateSuccess: number
  readonly updateFail: number
  readonly createSuccess: number
  readonly createFail: number
  readonly compareAndSwapSuccess: number
  readonly compareAndSwapFail: number
  readonly compareAndDeleteSuccess: number
  readonly compareAndDeleteFail: number
  readonly expireCount: number
  readonly watchers: number
}
