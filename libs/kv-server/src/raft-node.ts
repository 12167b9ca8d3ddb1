/**
 * The port to consensus, and its implementation for one member: what is durable here is committed. It decides, it does
 * nothing: what to write, send and apply comes out of `ready`, and what became durable goes in with `advance`.
 *
 * The log has a thread of its own and is told of new entries while it still flushes older ones; so `ready` may be asked
 * again before the last one's entries are durable, and `advance` says how far the log has come.
 *
 * @see design.md §4; Raft dissertation §3.5, §10.2.1
 */
import { assert, ok, type Result } from '@cluster/prelude'

/** One entry of the log. `kind` and `data` mean nothing here, but for the kind of the empty entry. */
export type RaftEntry = {
  readonly index: number
  readonly term: number
  readonly kind: number
  /** Stays the caller's: it must not change until the entry has come back in `Ready.committed`. */
  readonly data: Uint8Array
}

export type RaftHardState = { readonly term: number; readonly votedFor: string | undefined; readonly commit: number }

/** A message to another member, already encoded. */
export type RaftMessage = { readonly to: string; readonly data: Uint8Array }

/** A `readIndex` that may be answered once everything up to `index` is applied. */
export type ReadState = { readonly context: string; readonly index: number }

export type RaftRole = {
  readonly kind: 'leader' | 'candidate' | 'follower'
  /** Member id in hex, undefined during elections. */
  readonly leader: string | undefined
  readonly term: number
}

/** Everything that the caller must do, in this order, with no choice left. */
export type Ready = {
  /** To be appended and made durable in one batch; nothing to persist: no entries and no hard state. */
  readonly persist: { readonly hardState: RaftHardState | undefined; readonly entries: readonly RaftEntry[] }
  /** May leave before anything is durable. */
  readonly sendNow: readonly RaftMessage[]
  /** May leave only after `persist` is durable. */
  readonly sendAfterSync: readonly RaftMessage[]
  /** To be applied, in order. They are durable. */
  readonly committed: readonly RaftEntry[]
  readonly reads: readonly ReadState[]
  readonly role: RaftRole
}

/** Why nothing can be proposed now. */
export type NotProposed = { readonly kind: 'no-leader' | 'too-much-uncommitted' }

export interface RaftNode {
  /** A moment has passed. */
  tick(): void
  /** A message from another member. */
  step(message: Uint8Array): void
  propose(kind: number, data: Uint8Array): Result<void, NotProposed>
  readIndex(context: string): void
  /** What is to be done and was not handed out yet; undefined: nothing. */
  ready(): Ready | undefined
  /** All entries and hard states handed out, up to this index, are durable. */
  advance(durableIndex: number): void
}

/** What the log and the last snapshot say at start. */
export type OneMemberStart = {
  readonly memberId: string
  /** The kind of the empty entry with which a leader begins its term. */
  readonly emptyKind: number
  readonly hardState: RaftHardState
  /** The last entry of the log, or of the snapshot when there is none after it. */
  readonly lastIndex: number
  readonly lastTerm: number
}

const nothing: readonly never[] = []
const noData = new Uint8Array(0)

/**
 * Consensus among one: it leads from the start, in a term of its own that begins with an empty entry, and an entry is
 * committed when it is durable. What the log already held is committed too and is not handed out again.
 */
export function createOneMemberNode({ memberId, emptyKind, hardState, lastIndex, lastTerm }: OneMemberStart): RaftNode {
  const term = Math.max(hardState.term, lastTerm) + 1
  const role: RaftRole = { kind: 'leader', leader: memberId, term }
  let last = lastIndex
  let committed = lastIndex
  /** Proposed and not handed out yet. */
  let unsent: RaftEntry[] = []
  /** Handed out and not durable yet, oldest first from `uncommittedAt` on. */
  let uncommitted: RaftEntry[] = []
  let uncommittedAt = 0
  let hardStateToPersist: RaftHardState | undefined = { term, votedFor: memberId, commit: lastIndex }
  let applicable: RaftEntry[] = []
  let reads: ReadState[] = []

  const append = (kind: number, data: Uint8Array): void => {
    last += 1
    unsent.push({ index: last, term, kind, data })
  }
  append(emptyKind, noData)

  return {
    tick: () => undefined,
    step: () => assert(false, 'a cluster of one member gets no messages from others'),
    propose: (kind, data) => {
      append(kind, data)
      return ok(undefined)
    },
    readIndex: (context) => {
      reads.push({ context, index: committed })
    },
    ready: () => {
      if (unsent.length === 0 && applicable.length === 0 && reads.length === 0) return undefined
      const entries = unsent
      const ready: Ready = {
        persist: { hardState: hardStateToPersist, entries },
        sendNow: nothing,
        sendAfterSync: nothing,
        committed: applicable,
        reads,
        role,
      }
      if (uncommittedAt === uncommitted.length) {
        uncommitted = entries
        uncommittedAt = 0
      } else if (entries.length > 0) {
        for (const entry of entries) uncommitted.push(entry)
      }
      unsent = []
      applicable = []
      reads = []
      hardStateToPersist = undefined
      return ready
    },
    advance: (durableIndex) => {
      assert(durableIndex >= committed && durableIndex <= last, 'what is durable was handed out and does not shrink')
      committed = durableIndex
      for (;;) {
        const entry = uncommitted[uncommittedAt]
        if (entry === undefined || entry.index > durableIndex) break
        applicable.push(entry)
        uncommittedAt += 1
      }
      // Long queues would otherwise keep what has left them.
      if (uncommittedAt === uncommitted.length || uncommittedAt > 4096) {
        uncommitted = uncommitted.slice(uncommittedAt)
        uncommittedAt = 0
      }
    },
  }
}
