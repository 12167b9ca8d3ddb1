import { ClusterError } from '@cluster/prelude'

/** What can be wrong with bytes that the store is given, or with how much it is to hold. */
export type KvStoreErrorCode =
  /** Written by a newer program: a format version that this one does not know. */
  | 'kv-store/unknown-version'
  /** Not the bytes of a command. */
  | 'kv-store/invalid-command'
  /** Not the parts of a snapshot, or not all of them, or out of order. */
  | 'kv-store/invalid-snapshot'
  /** 64 GiB of names and values, or 2³² nodes. */
  | 'kv-store/full'

/** A failure of the store itself, as opposed to the refusals that clients are told of. Recognise it by its code. */
export class KvStoreError extends ClusterError<KvStoreErrorCode> {
  override readonly name = 'KvStoreError'
}
