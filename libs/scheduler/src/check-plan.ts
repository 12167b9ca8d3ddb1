/**
 * What must be true of any plan and any placement, checked without the planner: globs are matched one by one, and
 * every machine is looked at as a whole. For tests, and for whoever doubts a plan.
 */
import { isMachine } from './able-to-run.ts'
import { applyTasks } from './apply-tasks.ts'
import { isConflict } from './conflict.ts'
import { hasMetadata } from './metadata.ts'
import type { ClusterState, ClusterTask, Machine, Unit } from './model.ts'
import { compareText } from './order.ts'
import type { Policy } from './policy.ts'
import { isWanted } from './target-state.ts'

/** A rule that a plan breaks, and the unit it breaks it for. */
export type PlanViolation = {
  readonly unit: string
  readonly rule:
    | 'unknown-unit'
    | 'not-there'
    | 'already-placed'
    | 'machine-gone'
    | 'inactive'
    | 'global'
    | 'machine-id'
    | 'metadata'
    | 'peer-missing'
    | 'conflict'
  /** For a person: what is wrong. */
  readonly message: string
}

/** Tasks that cannot be done in their order, and what is wrong with the placement they lead to. None: all is well. */
export function checkPlan(
  state: ClusterState,
  tasks: readonly ClusterTask[],
  policy: Policy,
): readonly PlanViolation[] {
  return [...checkTasks(state, tasks), ...checkPlacement(applyTasks(state, tasks), policy)]
}

function checkTasks(state: ClusterState, tasks: readonly ClusterTask[]): readonly PlanViolation[] {
  const known = new Set([
    ...state.units.map(({ name }) => name),
    ...(state.orphanTargets ?? []).map(({ unit }) => unit),
  ])
  const live = new Set(state.machines.map(({ id }) => id))
  const places = new Map<string, string>((state.orphanTargets ?? []).map(({ unit, machine }) => [unit, machine]))
  for (const { name, machine } of state.units) if (machine !== undefined) places.set(name, machine)
  return tasks.flatMap(({ kind, unit, machine }): readonly PlanViolation[] => {
    const place = places.get(unit)
    if (!known.has(unit)) return [{ unit, rule: 'unknown-unit', message: `there is no unit ${unit} to ${kind}` }]
    if (kind === 'unschedule') {
      places.delete(unit)
      return place === machine ? [] : [{ unit, rule: 'not-there', message: `${unit} is not on ${machine}` }]
    }
    places.set(unit, machine)
    if (place !== undefined) return [{ unit, rule: 'already-placed', message: `${unit} is on ${place} already` }]
    return live.has(machine) ? [] : [{ unit, rule: 'machine-gone', message: `${machine} is not alive` }]
  })
}

/**
 * Scheduled units that must not be where they are. Units on machines that may be alive are not looked at under a
 * policy that keeps them.
 */
export function checkPlacement(state: ClusterState, policy: Policy): readonly PlanViolation[] {
  const spared = new Set(policy.unconfirmedLoss === 'keep-units' ? state.unconfirmedMachines : [])
  const live = new Map(state.machines.map((machine) => [machine.id, machine]))
  const onMachine = new Map<string, Unit[]>(state.machines.map(({ id }) => [id, []]))
  for (const unit of state.units) if (counts(unit, policy)) onMachine.get(unit.machine ?? '')?.push(unit)
  return state.units
    .toSorted((one, other) => compareText(one.name, other.name))
    .flatMap((unit): readonly PlanViolation[] => {
      const { name, machine: id, requirements } = unit
      if (id === undefined) return []
      const broken = (rule: PlanViolation['rule'], message: string): readonly PlanViolation[] => [
        { unit: name, rule, message: `${name} is on ${id}: ${message}` },
      ]
      if (requirements.global) {
        return policy.staleTargets === 'cleared' ? broken('global', 'global units have no target') : []
      }
      if (!isWanted(unit, policy)) return broken('inactive', 'it should not run')
      const machine = live.get(id)
      // Whether another machine fits a unit that keeps its lost place is the planner's question, not a rule of placement.
      const isSpared = policy.lostPlaces === 'kept-until-another-fits' || spared.has(id)
      if (machine === undefined) return isSpared ? [] : broken('machine-gone', 'that machine is not alive')
      return checkUnit(unit, machine, onMachine.get(id) ?? [], state.units, policy, broken)
    })
}

const counts = (unit: Unit, policy: Policy): boolean => !unit.requirements.global && isWanted(unit, policy)

function checkUnit(
  unit: Unit,
  machine: Machine,
  scheduled: readonly Unit[],
  units: readonly Unit[],
  policy: Policy,
  broken: (rule: PlanViolation['rule'], message: string) => readonly PlanViolation[],
): readonly PlanViolation[] {
  const { machineId, metadata, machineOf } = unit.requirements
  const names = new Set([...scheduled, ...globalsOn(machine, scheduled, units, policy)].map(({ name }) => name))
  const peer = machineOf.find((each) => !names.has(each))
  const rival = scheduled.find((other) => isConflict(unit, other))
  return [
    ...(machineId === undefined || isMachine(machineId, machine.id)
      ? []
      : broken('machine-id', `it requires machine ${machineId}`)),
    ...(hasMetadata(metadata, machine.metadata) ? [] : broken('metadata', 'the machine lacks required metadata')),
    ...(peer === undefined ? [] : broken('peer-missing', `${peer} is not there`)),
    ...(rival === undefined ? [] : broken('conflict', `it conflicts with ${rival.name}`)),
  ]
}

/** The global units that find room on a machine beside the scheduled ones. */
function globalsOn(
  machine: Machine,
  scheduled: readonly Unit[],
  units: readonly Unit[],
  policy: Policy,
): readonly Unit[] {
  const accepted: Unit[] = []
  for (const unit of units.toSorted((one, other) => compareText(one.name, other.name))) {
    if (!unit.requirements.global || !(policy.inactiveGlobals === 'counted' || isWanted(unit, policy))) continue
    if (!hasMetadata(unit.requirements.metadata, machine.metadata)) continue
    if (![...scheduled, ...accepted].some((other) => isConflict(unit, other))) accepted.push(unit)
  }
  return accepted
}
