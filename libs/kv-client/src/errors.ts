import { ClusterError } from '@cluster/prelude'

/** What can be wrong with how a client is set up. What goes wrong with the store is a `KvError`. */
export type KvClientErrorCode =
  /** An endpoint that is not `http://HOST:PORT` or `https://HOST:PORT`, or none at all. */
  'kv-client/invalid-endpoint'

/** A client that cannot be made as asked for. */
export class KvClientError extends ClusterError<KvClientErrorCode> {
  override readonly name = 'KvClientError'
}
