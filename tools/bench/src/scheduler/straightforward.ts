/**
 * A planner as one would write it down, which looks at the whole cluster anew for each decision, as fleet's engine does.
 * It places with the same rules in the same order.
 */
import type { ClusterState, Machine, Unit } from '@cluster/scheduler'
import { matchGlob } from '@cluster/unit-file'

/** Places units in name order, at most so many; the machine of each. */
export function placeStraightforwardly({ machines, units }: ClusterState, most: number): ReadonlyMap<string, string> {
  const placed = new Map<string, string>()
  const waiting = [...units].sort((one, other) => (one.name < other.name ? -1 : 1))
  for (const unit of waiting.slice(0, most)) {
    const views = new Map<string, Unit[]>(machines.map(({ id }) => [id, []]))
    for (const each of units) views.get(placed.get(each.name) ?? '')?.push(each)
    const byLoad = machines
      .map((machine) => ({ machine, scheduled: views.get(machine.id) ?? [] }))
      .sort(
        (one, other) => one.scheduled.length - other.scheduled.length || (one.machine.id < other.machine.id ? -1 : 1),
      )
    const found = byLoad.find(({ machine, scheduled }) => isAble(unit, machine, scheduled))
    if (found !== undefined) placed.set(unit.name, found.machine.id)
  }
  return placed
}

const isAble = ({ name, requirements }: Unit, machine: Machine, scheduled: readonly Unit[]): boolean =>
  [...requirements.metadata].every(([key, allowed]) => allowed.includes(machine.metadata[key] ?? '')) &&
  requirements.machineOf.every((peer) => scheduled.some((other) => other.name === peer)) &&
  !scheduled.some(
    (other) =>
      other.requirements.conflicts.some((glob) => matchGlob(glob, name)) ||
      requirements.conflicts.some((glob) => matchGlob(glob, other.name)),
  )
