/** Which units move where: the decision of the engine. Rules: spec/fleet.md §5.4. */
import { applyTasks } from './apply-tasks.ts'
import { createClusterModel } from './cluster-model.ts'
import { createDraft } from './draft.ts'
import type { ClusterState, ClusterTask, Unit } from './model.ts'
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
  const draft = createDraft(createClusterModel(state, policy), state.unconfirmedMachines ?? [])
  const decided = policy.rounds === 'until-settled' ? settle(draft) : planRound(draft)
  const moves = policy.lostPlaces === 'given-up' ? decided : withoutVainMoves(state, decided, policy)
  const tasks = policy.staleTargets === 'cleared' ? [...clearStaleTargets(state), ...moves] : moves
  const { units } = applyTasks(state, tasks)
  const present = new Set([...state.machines.map(({ id }) => id), ...(state.unconfirmedMachines ?? [])])
  const hasMachine = ({ machine }: Unit): boolean => machine !== undefined && present.has(machine)
  return {
    tasks,
    placement: new Map(units.flatMap(({ name, machine }) => (machine === undefined ? [] : [[name, machine]]))),
    unplaced: units
      .filter((unit) => !hasMachine(unit) && !unit.requirements.global && isWanted(unit, policy))
      .map(({ name }) => name)
      .sort(compareText),
  }
}

/**
 * The tasks but for those that only take a unit off a lost machine and find no other for it. Nothing else in the plan
 * depends on them: what is on a lost machine takes no room and is nobody's peer.
 */
function withoutVainMoves(state: ClusterState, tasks: readonly ClusterTask[], policy: Policy): readonly ClusterTask[] {
  const placed = new Set(tasks.flatMap(({ kind, unit }) => (kind === 'schedule' ? [unit] : [])))
  const wanted = new Set(state.units.flatMap((unit) => (isWanted(unit, policy) ? [unit.name] : [])))
  const live = new Set(state.machines.map(({ id }) => id))
  return tasks.filter(
    ({ kind, unit, machine }) => kind === 'schedule' || live.has(machine) || placed.has(unit) || !wanted.has(unit),
  )
}
