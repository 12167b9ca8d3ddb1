import { ClusterError } from '@cluster/prelude'

/** What can go wrong with a store as a whole. Errors of its log are those of `@cluster/wal`, passed on. */
export type KvServerErrorCode =
  /** The snapshot in the data directory is of a newer version, or none of a store. */
  | 'kv-server/unknown-snapshot'
  /** An entry of the log is of a newer version, or none of a store. */
  | 'kv-server/unknown-entry'
  /** The data directory belongs to another member or cluster than asked for. */
  | 'kv-server/wrong-identity'
  /** A thread of the store ended: nothing more is acknowledged. */
  | 'kv-server/thread-died'
  /** The file of the worker threads cannot be started. */
  | 'kv-server/no-worker'
  /** The store did not come up: its first entries were not committed. */
  | 'kv-server/start-failed'
  /** A write of the server's own (users, roles, members) was not committed in time; it may still be applied. */
  | 'kv-server/not-committed'
  /** More passwords than the limit wait to be hashed. */
  | 'kv-server/too-many-passwords'
  /** The store has been closed. */
  | 'kv-server/closed'

/** A failure of the store. Recognise it by its code. */
export class KvServerError extends ClusterError<KvServerErrorCode> {
  override readonly name = 'KvServerError'
}
