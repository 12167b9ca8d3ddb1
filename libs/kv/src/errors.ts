import { ClusterError } from '@cluster/prelude'

export type KvErrorCode =
  /** No endpoint answered. */
  | 'kv/unavailable'
  /** An endpoint took longer than the request timeout; a write may or may not have happened. */
  | 'kv/timeout'
  /** What came back is not what such a store says. */
  | 'kv/invalid-answer'
  /** The store understood and said no: rights, quota, read-only member. */
  | 'kv/refused'
  /** The key is not a path, names a directory where a value is meant, or leads through a value. */
  | 'kv/invalid-key'
  /** History before the asked revision is gone. */
  | 'kv/compacted'
  /** The caller's signal fired. */
  | 'kv/aborted'

export class KvError extends ClusterError<KvErrorCode> {
  override readonly name = 'KvError'
}
