/**
 * What can be done to the tree, as it stands in the log: parsed, validated and with all time in it, so that applying
 * it reads nothing but the tree (spec/etcd-v2.md §1.5, §1.6; spec/raft.md §10.3).
 */
import type { ByteString } from '../byte-string.ts'

/**
 * A cleaned absolute path in the whole store: `/0/…` membership, `/1/…` keys, `/2/…` auth. `/1` is what clients call
 * the root. Never a trailing slash, never an empty part, `.` or `..`.
 */
export type StorePath = ByteString

/**
 * When a node ends, in milliseconds since 1970 by the clock of the member that took the request; fractions allowed.
 * `undefined`: never. (Rules of overflow, spec §1.7, are applied where a request is parsed: `deadlineOf`.)
 */
export type DeadlineMs = number | undefined

/**
 * `prevValue`, `prevIndex`; undefined: no such condition. An empty value and an index of 0 are no conditions either.
 * An index above 2⁵³ (up to 2⁶⁴ − 1) comes as a bigint: nothing has it, but the refusal names it.
 */
export type Compare = { readonly value: ByteString | undefined; readonly index: number | bigint | undefined }

export type Command =
  | {
      readonly kind: 'set'
      readonly path: StorePath
      readonly value: ByteString
      readonly isDirectory: boolean
      readonly deadlineMs: DeadlineMs
      /** Keep the value, take only the new deadline; no watcher sees it. */
      readonly isRefresh: boolean
    }
  | {
      readonly kind: 'create'
      readonly path: StorePath
      readonly value: ByteString
      readonly isDirectory: boolean
      readonly deadlineMs: DeadlineMs
    }
  | {
      /** POST: a child named by the index it takes. */
      readonly kind: 'create-in-order'
      readonly path: StorePath
      readonly value: ByteString
      readonly isDirectory: boolean
      readonly deadlineMs: DeadlineMs
    }
  | {
      readonly kind: 'update'
      readonly path: StorePath
      readonly value: ByteString
      readonly deadlineMs: DeadlineMs
      readonly isRefresh: boolean
    }
  | {
      readonly kind: 'compare-and-swap'
      readonly path: StorePath
      readonly value: ByteString
      readonly compare: Compare
      readonly deadlineMs: DeadlineMs
      readonly isRefresh: boolean
    }
  | {
      readonly kind: 'delete'
      readonly path: StorePath
      readonly isDirectory: boolean
      readonly isRecursive: boolean
    }
  | { readonly kind: 'compare-and-delete'; readonly path: StorePath; readonly compare: Compare }
  /** `quorum=true`: a read in its place in the log. Takes no index. */
  | { readonly kind: 'get'; readonly path: StorePath; readonly isRecursive: boolean; readonly isSorted: boolean }
  /** What has its deadline at or before `timeMs` ends, earliest first, 1,000 nodes at most. One index for each. */
  | { readonly kind: 'sync'; readonly timeMs: number }

/**
 * What came of a command or a read. `body` is the whole answer as it goes to the client, newline included: rendered
 * once for answer, history and watchers.
 */
export type Outcome =
  | {
      readonly kind: 'done'
      /** X-Etcd-Index: the store's index after it. */
      readonly index: number
      /** True where the protocol says 201. */
      readonly isCreated: boolean
      readonly body: ByteString
      /**
       * Only for `get`: the body would be longer than 1 MiB and is empty; the stats do not count it. Whoever asked reads
       * it with `Store.read`, in slices; a read that begins after the command was applied is as recent as it was to be.
       */
      readonly isTooLarge?: true
    }
  | {
      readonly kind: 'refused'
      readonly code: StoreErrorCode
      /** Empty: left out of the body. */
      readonly cause: ByteString
      readonly index: number
    }

/** Refusals of the store itself (spec §1.10). */
export type StoreErrorCode = 100 | 101 | 102 | 104 | 105 | 107 | 108 | 401
