/**
 * What fleet and flannel need of a store, and no more: a tree of text values, read as of one revision, written
 * under a precondition, watched from a revision on. Adapters: the model here, `@cluster/kv-client` for etcd.
 */
import type { Brand, Result } from '@cluster/prelude'

/**
 * An absolute path of one or more non-empty parts: `/fleet/job/a.service/target`. No trailing slash.
 * A prefix names the same kind of path and stands for everything below it (and not for the key itself);
 * the prefix `/` is the whole store.
 */
export type Key = string

/** Where in the store's history something happened; grows with every write, safe integers only. */
export type Revision = Brand<number, 'Revision'>

export type KvEntry = {
  readonly key: Key
  readonly value: string
  /** The write that gave the entry this value. */
  readonly revision: Revision
  /** Seconds left to live when it was read; absent: lives until deleted. */
  readonly ttlSeconds?: number
}

/** What stood below a prefix at one revision, in byte order of the keys. Empty means: known to be empty. */
export type KvSnapshot = {
  readonly revision: Revision
  readonly entries: readonly KvEntry[]
}

export type KvEvent =
  | {
      readonly type: 'put'
      readonly key: Key
      readonly value: string
      readonly revision: Revision
      readonly ttlSeconds?: number
    }
  | { readonly type: 'delete'; readonly key: Key; readonly revision: Revision; readonly expired: boolean }
  /** A whole subtree vanished: `key` and everything below it. */
  | { readonly type: 'delete-prefix'; readonly key: Key; readonly revision: Revision; readonly expired: boolean }

export type Precondition =
  | { readonly kind: 'absent' }
  | { readonly kind: 'present' }
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'revision'; readonly revision: Revision }

/** The precondition did not hold; nothing was written. `found` is what stood there, where the store says so. */
export type Conflict = { readonly kind: 'conflict'; readonly key: Key; readonly found: KvEntry | undefined }

export type PutOptions = {
  readonly onlyIf?: Precondition
  /** Whole seconds, at least 1. The entry is gone that long after the last put. Absent: it stays. */
  readonly ttlSeconds?: number
  readonly signal?: AbortSignal
}

export type DeleteOptions = { readonly onlyIf?: Precondition; readonly signal?: AbortSignal }

export interface Kv {
  /**
   * Everything below `prefix`, as of one revision; a prefix that does not exist is empty.
   *
   * @throws KvError `kv/unavailable`, `kv/timeout`, `kv/invalid-answer`, `kv/refused`, `kv/aborted`
   */
  range(prefix: Key, signal?: AbortSignal): Promise<KvSnapshot>

  /** One entry; `undefined` when it is not there. Errors as `range`. */
  get(key: Key, signal?: AbortSignal): Promise<KvEntry | undefined>

  /** Writes one value. Parts of the path that do not exist are made. Errors as `range`, and `kv/invalid-key`. */
  put(key: Key, value: string, options?: PutOptions): Promise<Result<Revision, Conflict>>

  /** Removes one entry. Absent already: a conflict with `found: undefined`. */
  delete(key: Key, options?: DeleteOptions): Promise<Result<Revision, Conflict>>

  /** Removes `prefix` itself and everything below it; absent already: nothing happens. */
  deletePrefix(prefix: Key, signal?: AbortSignal): Promise<Revision>

  /**
   * What happened below `prefix` after the revision, in order, in batches that never split a revision; survives cuts
   * of the connection by itself, as long as some endpoint answers. Ends (returns) when the signal fires.
   * When something above or at the prefix is removed as a whole, the event names the prefix: `delete-prefix`.
   *
   * @throws KvError `kv/compacted` when the store no longer knows what happened since: read again and watch from there
   * @throws KvError as `range` when no endpoint answers any more: nothing was missed, watch again after the last event
   */
  watch(prefix: Key, after: Revision, signal: AbortSignal): AsyncIterable<readonly KvEvent[]>
}
