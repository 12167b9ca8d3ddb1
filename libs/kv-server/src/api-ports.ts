/** What the parts of the HTTP API know of each other. */
import type { Exchange } from '@cluster/http'
import type { ByteString } from '@cluster/kv-store'

/** What a request wants to do, as far as rights matter (spec/etcd-v2.md §4.2). */
export type Access =
  | {
      readonly kind: 'key'
      /** The decoded path after `/v2/keys` as sent: `""` for the bare path, a trailing slash counts. */
      readonly key: ByteString
      readonly isWrite: boolean
      readonly isRecursive: boolean
    }
  /** Only the role root may. */
  | { readonly kind: 'root' }

/** `unchecked`: nobody could say, because the password was not compared; the client should ask again. */
export type Permission = 'allowed' | 'refused' | 'unchecked'

export interface Authorizer {
  /** The auth flag as of the last applied entry. */
  readonly isEnabled: boolean
  /**
   * Calls back exactly once with whether the request's credentials allow the access: in the same turn when auth is
   * disabled or the password is known to be right, later when it has to be hashed first. Reading the flag counts in the
   * store's stats (spec §3.2), as in etcd.
   */
  check(exchange: Exchange, access: Access, decide: (permission: Permission) => void): void
}

/** One part of the API: `path` is decoded and cleaned, one character a byte; `query` as sent, without `?`. */
export type ApiPart = (exchange: Exchange, path: ByteString, query: string) => void
