/** A replica without a log: commands are applied in the turn in which they are proposed, in the order of their entries. */
import { type Command, createStore, type Store } from '@cluster/kv-store/v2'
import type { ProposalFailure, Replica, ReplicaStatus, Settled } from '../src/replica.ts'

export type MemoryReplicaOptions = {
  /** The store's time; the test moves it. */
  readonly clock?: { nowMs: number }
  readonly store?: Store
  /** Whether `proposed` is filled: not where there are millions. */
  readonly keepsProposed?: boolean
}

/** What the tests may change while it runs. */
export type MemoryReplica = Replica & {
  /** Each further proposal fails like this. */
  failure: ProposalFailure | undefined
  /** Proposals wait here instead of being applied when it is not undefined. */
  held: (() => void)[] | undefined
  leaderId: string | undefined
  /** Expires what is due. */
  readonly sync: () => void
  /** All commands that were proposed. */
  readonly proposed: Command[]
}

/** Member `8e9e05c52164694d` of cluster `cdf818194e3a8c32`, since 2026-11-21T05:00:00Z. */
export function createMemoryReplica({
  clock = { nowMs: Date.UTC(2026, 10, 21, 5) },
  store = createStore(),
  keepsProposed = true,
}: MemoryReplicaOptions = {}): MemoryReplica {
  const startedMs = clock.nowMs
  const proposed: Command[] = []
  let appliedIndex = 4
  const memberId = '8e9e05c52164694d'

  const apply = (command: Command): Settled => {
    appliedIndex += 1
    const outcome = store.apply(command, { index: appliedIndex, timeMs: clock.nowMs })
    return { kind: 'applied', outcome, index: appliedIndex, term: 2 }
  }

  const replica: MemoryReplica = {
    store,
    failure: undefined,
    held: undefined,
    leaderId: memberId,
    proposed,
    get appliedIndex() {
      return appliedIndex
    },
    appliedTerm: 2,
    get status(): ReplicaStatus {
      return {
        memberId,
        clusterId: 'cdf818194e3a8c32',
        leaderId: replica.leaderId,
        leaderSinceMs: startedMs,
        startedMs,
        isLeader: replica.leaderId === memberId,
      }
    },
    nowMs: () => clock.nowMs,
    propose: (command, settle) => {
      if (keepsProposed) proposed.push(command)
      const { failure, held } = replica
      if (failure !== undefined) return settle({ kind: 'failed', failure })
      if (held !== undefined) {
        held.push(() => settle(apply(command)))
        return
      }
      settle(apply(command))
    },
    sync: () => {
      apply({ kind: 'sync', timeMs: clock.nowMs })
    },
  }
  return replica
}
