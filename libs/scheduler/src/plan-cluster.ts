/** Which units move where: the decision of the engine. Rules: spec/fleet.md §5.4. */
import { createClusterModel } from './cluster-model.ts'
import { decide } from './decide.ts'
import type { ClusterState, ClusterTask } from './model.ts'
import type { Policy } from './policy.ts'

/** What the engine has to do, and what it leads to. */
export type ClusterPlan = {
  /** In the order in which they must be done. */
  readonly tasks: readonly ClusterTask[]
  /** Unit → machine once they are done, for every unit with a target, in name order. */
  readonly placement: ReadonlyMap<string, string>
  /**
   * Units that should run and will have no live machine, in name order; `explainUnit` says why. Global units need none.
   */
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
  const model = createClusterModel(state, policy)
  const tasks = decide(model)
  const { newly: unplaced } = model.takeStock()
  const placement = new Map<string, string>()
  for (const { unit, held } of model.units()) if (held !== undefined) placement.set(unit.name, held)
  return { tasks, placement, unplaced }
}
