/**
 * The durable log and its snapshots as their users see them. The log is synchronous and meant for a thread of its own;
 * snapshots are written through promises beside it, so that their size never delays a flush.
 */

/** One entry of the replicated log. What `data` means is the caller's. */
export type LogEntry = {
  readonly index: number
  readonly term: number
  /** 0 to 255, the caller's: what kind of entry it is. */
  readonly kind: number
  readonly data: Uint8Array
}

export type HardState = { readonly term: number; readonly votedFor: string | undefined; readonly commit: number }

/** Whose log it is; fixed when it is made. Hex ids, and whatever else the caller keeps with them. */
export type LogIdentity = { readonly clusterId: string; readonly memberId: string; readonly extra: string }

/** What opening found. A fresh log has no entries, no snapshot and hard state term 0. */
export type Recovered = {
  readonly identity: LogIdentity
  readonly isFresh: boolean
  readonly hardState: HardState
  /** The newest snapshot that verifies, undefined for none. Its content is read through `openSnapshots`. */
  readonly snapshot: { readonly index: number; readonly term: number } | undefined
  /** Entries after the snapshot, in order, read while iterating. Can be iterated once, before the first append. */
  readonly entries: Iterable<LogEntry>
  /** What was repaired, in words: a torn tail set aside, a broken snapshot renamed. */
  readonly warnings: readonly string[]
}

export interface Log {
  readonly lastIndex: number
  /**
   * Puts entries (continuing or overwriting a tail of higher index) and a changed hard state into one batch: one write
   * call. Durable after `sync`. `data` may be reused after the call.
   *
   * @throws WalError `wal/no-space` before anything was written when room runs short (`reserve` says when there is some
   *   again); every other failure is `wal/broken` and latches: the log takes nothing more, the process must end
   */
  append(batch: { readonly entries: readonly LogEntry[]; readonly hardState?: HardState }): void
  /** One fdatasync of what was appended since the last one; nothing appended: nothing happens. Same errors as `append`. */
  sync(): void
  /** Whether there is room for client writes (free space ≥ 2 segments + one snapshot's size). Cheap; asks the disk at most once a second. */
  hasRoom(): boolean
  /**
   * A snapshot at this index is durable: segments that only hold entries up to `keepAfterIndex` (at most the snapshot's
   * index) are recycled.
   */
  release(snapshot: { readonly index: number; readonly term: number }, keepAfterIndex: number): void
  /** Housekeeping while idle: prepares the spare segment in slices, writes the "synced through" mark. True: call again soon. */
  tend(): boolean
  /** Writes the end mark, syncs, releases the lock. */
  close(): void
}

export interface SnapshotWriter {
  write(part: Uint8Array): Promise<void>
  /** Syncs, renames into place, syncs the directory, removes snapshots beyond the newest N. Then it is durable. */
  commit(): Promise<void>
  abort(): Promise<void>
}

export interface Snapshots {
  create(at: { readonly index: number; readonly term: number }): Promise<SnapshotWriter>
  /**
   * The parts of one snapshot. `first` (default): verified as a whole before the first is given. `along`: each when its
   * turn comes, and what they make together when all were given; for who throws everything away when this throws, as at a
   * start, where opening the log has read the file once already.
   */
  read(
    at: { readonly index: number; readonly term: number },
    options?: { readonly verify?: 'first' | 'along' },
  ): AsyncIterable<Uint8Array>
  /** Newest first. */
  list(): Promise<readonly { readonly index: number; readonly term: number; readonly sizeBytes: number }[]>
}
