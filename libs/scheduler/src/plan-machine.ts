/** What one machine must do to have what it should have. Rules and their order: spec/fleet.md §6.3. */
import type { CurrentUnit, MachineTask, TargetUnit } from './model.ts'
import { compareText } from './order.ts'
import type { Policy } from './policy.ts'
import { effectiveTargetState } from './target-state.ts'
import type { MachineTarget } from './target-units.ts'

type UnitTask = Exclude<MachineTask, { readonly kind: 'reload' }>

const reasons = {
  notHere: 'unit loaded but not scheduled here',
  notLoaded: 'unit scheduled here but not loaded',
  hashDiffers: 'unit loaded but hash differs to expected',
  notLaunched: 'unit currently loaded but desired state is launched',
  launched: 'unit currently launched but desired state is loaded',
  reload: 'always reload unit files',
} as const

/**
 * The tasks of one round: unloads, loads, one reload if there were any of these, stops, starts; within each by name.
 *
 * @param target as `targetUnits` answers it; when it is not certain there is nothing to do
 * @param current what the machine has, in any order
 */
export function planMachine(
  target: Pick<MachineTarget, 'units' | 'isCertain'>,
  current: readonly CurrentUnit[],
  policy: Policy,
): readonly MachineTask[] {
  if (!target.isCertain) return []
  const targetByName = new Map(target.units.map((unit) => [unit.name, unit]))
  const currentByName = new Map(current.map((unit) => [unit.name, unit]))
  const names = [...new Set([...targetByName.keys(), ...currentByName.keys()])].sort(compareText)
  const tasks = names.flatMap((name) => planUnit(name, targetByName.get(name), currentByName.get(name), policy))
  const of = (kind: UnitTask['kind']): readonly UnitTask[] => tasks.filter((task) => task.kind === kind)
  const changes = [...of('unload'), ...of('load')]
  const reload: readonly MachineTask[] = changes.length === 0 ? [] : [{ kind: 'reload', reason: reasons.reload }]
  return [...changes, ...reload, ...of('stop'), ...of('start')]
}

/**
 * What remains of a round's tasks when the one at `failed` failed. fleet leaves all of it to the next round, so that
 * one bad unit starves those sorted behind it (trap 11); under `others-go-on` only the same unit waits, and a failed
 * reload fails every start whose unit was loaded in this round.
 *
 * @param failed index into `tasks`
 */
export function tasksAfterFailure(
  tasks: readonly MachineTask[],
  failed: number,
  policy: Policy,
): readonly MachineTask[] {
  const failure = tasks[failed]
  if (failure === undefined || policy.failedTask === 'ends-the-round') return []
  const loaded = new Set(tasks.flatMap((task) => (task.kind === 'load' ? [task.unit] : [])))
  return tasks
    .slice(failed + 1)
    .filter((task) =>
      task.kind === 'reload'
        ? true
        : failure.kind === 'reload'
          ? !(task.kind === 'start' && loaded.has(task.unit))
          : task.unit !== failure.unit,
    )
}

function planUnit(
  unit: string,
  target: TargetUnit | undefined,
  current: CurrentUnit | undefined,
  policy: Policy,
): readonly UnitTask[] {
  const state = target === undefined ? 'inactive' : effectiveTargetState(target, policy)
  if (target === undefined || state === 'inactive') {
    return current === undefined ? [] : [{ kind: 'unload', unit, reason: reasons.notHere }]
  }
  const load: readonly UnitTask[] = [
    { kind: 'load', unit, reason: reasons.notLoaded },
    ...(state === 'launched' ? [{ kind: 'start', unit, reason: reasons.notLaunched } as const] : []),
  ]
  if (current === undefined) return load
  if (current.hash !== target.hash) {
    return [{ kind: 'unload', unit, reason: reasons.hashDiffers }, ...load]
  }
  if (current.state === 'inactive') return load
  switch (state) {
    case 'launched':
      return current.state === 'launched' ? [] : [{ kind: 'start', unit, reason: reasons.notLaunched }]
    case 'loaded':
      return current.state === 'loaded' ? [] : [{ kind: 'stop', unit, reason: reasons.launched }]
    case 'unclear':
      // fleet knows no way from here to a state it does not know, and says so in its log (trap 7).
      return []
    default:
      return state satisfies never
  }
}
