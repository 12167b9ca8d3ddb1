/** A cluster after its tasks, each done as the store does it. */
import type { ClusterState, ClusterTask } from './model.ts'

/**
 * The state after the tasks: a unit is unscheduled only if it still is on that machine, and scheduled only if it is
 * on none, as the conditional writes of the engine are. Tasks on units that the state does not have act on
 * `orphanTargets`.
 */
export function applyTasks(state: ClusterState, tasks: readonly ClusterTask[]): ClusterState {
  const placed = state.units.flatMap(({ name, machine }) => (machine === undefined ? [] : [[name, machine] as const]))
  const orphans = (state.orphanTargets ?? []).map(({ unit, machine }) => [unit, machine] as const)
  const targets = new Map<string, string>([...orphans, ...placed])
  for (const { kind, unit, machine } of tasks) {
    if (kind === 'schedule' && !targets.has(unit)) targets.set(unit, machine)
    if (kind === 'unschedule' && targets.get(unit) === machine) targets.delete(unit)
  }
  const units = state.units.map(({ machine: _, ...unit }) => {
    const machine = targets.get(unit.name)
    return machine === undefined ? unit : { ...unit, machine }
  })
  const names = new Set(units.map(({ name }) => name))
  const orphanTargets = [...targets].flatMap(([unit, machine]) => (names.has(unit) ? [] : [{ unit, machine }]))
  const { orphanTargets: _, ...rest } = state
  return { ...rest, units, ...(orphanTargets.length === 0 ? {} : { orphanTargets }) }
}
