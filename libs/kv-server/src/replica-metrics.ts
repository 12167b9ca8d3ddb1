/** The figures of the replica, under the names that a scrape shows. */
import type { Meter } from '@cluster/prelude'
import type { ProposalFailure } from './replica.ts'

export interface ReplicaFigures {
  readonly flushed: (seconds: number, entries: number) => void
  readonly snapshotEnded: (outcome: 'written' | 'failed', seconds: number) => void
  readonly proposalFailed: (failure: ProposalFailure) => void
  /** What is looked at now and then. */
  readonly state: (state: {
    readonly appliedIndex: number
    readonly term: number
    readonly pending: number
    readonly nodes: number
    readonly hasRoom: boolean
    /** Undefined: nobody measures it. */
    readonly loopDelaySeconds: number | undefined
  }) => void
}

export function createReplicaFigures(meter: Meter): ReplicaFigures {
  const flushSeconds = meter.histogram('kv_log_flush_seconds', 'How long one fdatasync of the log took')
  const batchEntries = meter.histogram('kv_log_batch_entries', 'Entries made durable by one flush')
  const snapshotSeconds = meter.histogram('kv_snapshot_seconds', 'How long a snapshot took', ['outcome'])
  const failures = meter.counter('kv_proposals_failed_total', 'Proposals that were not applied in time', ['reason'])
  const applied = meter.gauge('kv_applied_index', 'The last applied entry of the log')
  const term = meter.gauge('kv_term', 'The term of the last applied entry')
  const pending = meter.gauge('kv_pending_proposals', 'Proposals that wait for the log')
  const nodes = meter.gauge('kv_tree_nodes', 'Nodes in the tree, directories included')
  const room = meter.gauge('kv_disk_has_room', '1 while the disk has room for writes of clients')
  const delay = meter.gauge('kv_loop_delay_seconds', 'The longest delay of the event loop in the last second')
  return {
    flushed: (seconds, entries) => {
      flushSeconds.observe(seconds)
      batchEntries.observe(entries)
    },
    snapshotEnded: (outcome, seconds) => snapshotSeconds.observe(seconds, { outcome }),
    proposalFailed: (reason) => failures.add({ reason }),
    state: (state) => {
      applied.set(state.appliedIndex)
      term.set(state.term)
      pending.set(state.pending)
      nodes.set(state.nodes)
      room.set(state.hasRoom ? 1 : 0)
      if (state.loopDelaySeconds !== undefined) delay.set(state.loopDelaySeconds)
    },
  }
}
