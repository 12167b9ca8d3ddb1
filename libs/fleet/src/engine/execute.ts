import type { Revision } from '@cluster/kv'
import type { ClusterTask } from '@cluster/scheduler'
import type { Registry } from '../registry/registry.ts'

export type TaskOutcome =
  | { readonly kind: 'done'; readonly revision: Revision }
  /** Somebody else changed the unit; what was planned after it rests on a picture that is no longer true. */
  | { readonly kind: 'bounced' }

/** Does one task of the engine: one compare-and-set. Errors of the store pass. */
export async function executeClusterTask(
  registry: Registry,
  { kind, unit, machine }: ClusterTask,
  signal: AbortSignal,
): Promise<TaskOutcome> {
  const outcome =
    kind === 'schedule'
      ? await registry.schedule(unit, machine, signal)
      : await registry.unschedule(unit, machine, signal)
  if (outcome.ok) return { kind: 'done', revision: outcome.value }
  // Already as planned counts as done: an earlier write of unknown outcome was ours.
  const found = outcome.error.found
  if (kind === 'schedule' && found?.value === machine) return { kind: 'done', revision: found.revision }
  return { kind: 'bounced' }
}
