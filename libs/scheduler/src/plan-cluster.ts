/** Which units move where: the decision of the engine. Rules: spec/fleet.md §5.4. */
import { applyTasks } from './apply-tasks.ts'
import { createClusterModel } from './cluster-model.ts'
import { createDraft } from './draft.ts'
import type { ClusterState, ClusterTask } from './model.ts'
import { compareText } from './order.ts'
import { planRound } from './plan-round.ts'
import type { Policy } from './policy.ts'
import { settle } from './settle.ts'
import { clearStaleTargets } from './stale-targets.ts'
import { isWanted } from './target-state.ts'

export type ClusterPlan = {
  /** In the order in which they must be done. */
  readonly tasks: readonly ClusterTask[]
  /** Unit → machine once they are done, for every unit with a target. */
  readonly placement: ReadonlyMap<string, string>
  /** Units that should run and will have no machine, in name order; `explainUnit` says why. Global units need none. */
  readonly unplaced: readonly string[]
}

/**
 * What the engine has to do in this state.
 *
 * Under `fleetPolicy` one round of fleet's engine, which may need further rounds to settle, or never does. Under
 * `defaultPolicy` everything at once: the plan of the resulting state is empty.
 *
 * @throws SchedulerError scheduler/duplicate-machine, scheduler/duplicate-unit
 */
export function planCluster(state: ClusterState, policy: Policy): ClusterPlan {
  const draft = createDraft(createClusterModel(state, policy), state.unconfirmedMachines ?? [])
  const decided = policy.rounds === 'until-settled' ? settle(draft) : planRound(draft)
  const tasks = policy.staleTargets === 'cleared' ? [...clearStaleTargets(state), ...decided] : decided
  const { units } = applyTasks(state, tasks)
  return {
    tasks,
    placement: new Map(units.flatMap(({ name, machine }) => (machine === undefined ? [] : [[name, machine]]))),
    unplaced: units
      .filter((unit) => unit.machine === undefined && !unit.requirements.global && isWanted(unit, policy))
      .map(({ name }) => name)
      .sort(compareText),
  }
}
