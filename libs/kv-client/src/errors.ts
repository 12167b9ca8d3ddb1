import { ClusterError } from '@cluster/prelude'

/**
 * What can be wrong with how a client is set up, and what can become of a request through `createV2Api`. What goes
 * wrong with a store behind the `Kv` port is a `KvError`.
 */
export type KvClientErrorCode =
  /** An endpoint that is not `http://HOST:PORT` or `https://HOST:PORT`, or none at all. */
  | 'kv-client/invalid-endpoint'
  /** No member has published an address for clients. */
  | 'kv-client/no-published-endpoints'
  /** Every endpoint was tried and none gave an answer. */
  | 'kv-client/unavailable'
  /** The server refused what was asked, and said why. */
  | 'kv-client/refused'
  /** What came back is no answer of an etcd v2 server. */
  | 'kv-client/not-etcd'
  /** The caller's signal fired; a write may or may not have happened. */
  | 'kv-client/aborted'

/** A client that cannot be made or did not get what it asked for. Recognise it by its code. */
export class KvClientError extends ClusterError<KvClientErrorCode> {
  override readonly name: string = 'KvClientError'
}
