import { ClusterError } from '@cluster/prelude'

/** What can go wrong between us and the store. For writes the code also says whether something may have happened. */
export type KvErrorCode =
  /** No endpoint could be reached, or none that was asked is able to serve. Nothing was written. */
  | 'kv/unavailable'
  /** A request was sent and no answer came in time, or the connection was cut: a write may or may not have happened. */
  | 'kv/timeout'
  /** What came back is not what such a store says. A write may or may not have happened. */
  | 'kv/invalid-answer'
  /** The store understood and said no: rights, quota, size, read-only member. Nothing was written. */
  | 'kv/refused'
  /** The key is not a path, names a directory where a value is meant, or leads through a value. Nothing was written. */
  | 'kv/invalid-key'
  /** History before the asked revision is gone. */
  | 'kv/compacted'
  /** The caller's signal fired. A write may or may not have happened. */
  | 'kv/aborted'

/** A failure of a key-value store, of whatever adapter. Recognise it by its code. */
export class KvError extends ClusterError<KvErrorCode> {
  override readonly name = 'KvError'
}
