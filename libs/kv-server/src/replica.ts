/**
 * What the API needs of the replicated store, and the only thing that it knows of it: a tree to read, a way to have
 * commands applied, and where the log stands. Behind it are the log, the consensus and the threads.
 */
import type { Command, Outcome, Store } from '@cluster/kv-store/v2'

/** What became of a proposal. A failed one may still be applied later (a 300 of the protocol says no more). */
export type Settled =
  | { readonly kind: 'applied'; readonly outcome: Outcome; readonly index: number; readonly term: number }
  | { readonly kind: 'failed'; readonly failure: ProposalFailure }

export type ProposalFailure =
  /** Not committed within the deadline (5 s + 2 × election timeout). */
  | 'timeout'
  | 'timeout-leader-lost'
  | 'timeout-connection-lost'
  | 'stopped'
  /** The disk has no room left: nothing was written. */
  | 'no-space'
  /** More than the limit of proposals waits already. */
  | 'too-many'
  /** The encoded command is larger than an entry may be. */
  | 'too-large'

export type ReplicaStatus = {
  /** Hex, shortest form. */
  readonly memberId: string
  readonly clusterId: string
  /** Member id of the leader, undefined during elections. */
  readonly leaderId: string | undefined
  /** When this member last began to lead or follow, wall time in ms. */
  readonly leaderSinceMs: number
  readonly startedMs: number
  readonly isLeader: boolean
}

export interface Replica {
  readonly store: Store
  /** Raft index and term of the last applied entry. */
  readonly appliedIndex: number
  readonly appliedTerm: number
  readonly status: ReplicaStatus
  /**
   * The store's time: wall time at start, monotonic from there on, never behind a time in the log. Deadlines are made
   * from it and what is shown is counted from it, so that a clock that jumps neither loses a TTL nor ends one early.
   */
  nowMs(): number
  /** Calls back exactly once, after the command was applied here (in the same turn as the store changed) or has failed. */
  propose(command: Command, settle: (settled: Settled) => void): void
}
