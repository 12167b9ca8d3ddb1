/**
 * What must be true of any plan and any placement, checked without the planner: globs are matched one by one, and
 * every machine is looked at as a whole. For tests, and for whoever doubts a plan.
 */
import { isMachine } from './able-to-run.ts'
import { applyTasks } from './apply-tasks.ts'
import { isConflict, isReplacing } from './conflict.ts'
import { hasMetadata, missingMetadata } from './metadata.ts'
import type { ClusterState, ClusterTask, Machine, Unit } from './model.ts'
import { compareText } from './order.ts'
import type { Policy } from './policy.ts'
import { isWanted } from './target-state.ts'

/** A rule that a plan breaks, and the unit it breaks it for. */
export type PlanViolation = {
  readonly unit: string
  readonly rule: /** A task on a unit that the state does not have. */
    | 'unknown-unit'
    /** A task takes a unit off a machine that it is not on. */
    | 'not-there'
    /** A task puts a unit on a machine while it has one. */
    | 'already-placed'
    /** A task puts a unit on a machine that takes no further units. */
    | 'cordoned'
    /** It is, or is put, on a machine that is not alive. */
    | 'machine-gone'
    /** It has a machine and should not run. */
    | 'inactive'
    /** It is global and has a machine, which the policy has removed. */
    | 'global'
    /** A machine is kept for a unit that does not exist, which the policy has removed. */
    | 'orphan-target'
    | 'machine-id'
    /** `other` is the key. */
    | 'metadata'
    /** `other` is the peer. */
    | 'peer-missing'
    /** `other` is the unit it conflicts with. */
    | 'conflict'
    /** `other`, on the same machine, replaces it, and another machine would take it. */
    | 'replaced'
  readonly machine?: string
  /** What it cannot be with, or lacks. */
  readonly other?: string
  /** For a person: what is wrong. */
  readonly message: string
}

/**
 * Tasks that cannot be done in their order, and everything that is wrong with the placement they lead to. None: all is
 * well. A plan that leaves a unit waiting breaks no rule.
 */
export function checkPlan(
  state: ClusterState,
  tasks: readonly ClusterTask[],
  policy: Policy,
): readonly PlanViolation[] {
  return [...checkTasks(state, tasks), ...checkPlacement(applyTasks(state, tasks), policy)]
}

function checkTasks(state: ClusterState, tasks: readonly ClusterTask[]): readonly PlanViolation[] {
  const orphans = state.orphanTargets ?? []
  const known = new Set([...state.units.map(({ name }) => name), ...orphans.map(({ unit }) => unit)])
  const live = new Map(state.machines.map((machine) => [machine.id, machine]))
  const places = new Map<string, string>(orphans.map(({ unit, machine }) => [unit, machine]))
  for (const { name, machine } of state.units) if (machine !== undefined) places.set(name, machine)
  return tasks.flatMap(({ kind, unit, machine }): readonly PlanViolation[] => {
    const broken = (rule: PlanViolation['rule'], message: string): PlanViolation => ({ unit, rule, machine, message })
    const place = places.get(unit)
    if (!known.has(unit)) return [broken('unknown-unit', `there is no unit ${unit} to ${kind}`)]
    if (kind === 'unschedule') {
      if (place !== machine) return [broken('not-there', `${unit} is not on ${machine}`)]
      places.delete(unit)
      return []
    }
    const problems: PlanViolation[] = []
    if (place === undefined) places.set(unit, machine)
    else problems.push(broken('already-placed', `${unit} is on ${place} already`))
    const target = live.get(machine)
    if (target === undefined) problems.push(broken('machine-gone', `${machine} is not alive`))
    if (target?.isCordoned === true) problems.push(broken('cordoned', `${machine} takes no further units, nor ${unit}`))
    return problems
  })
}

/**
 * Everything that is wrong with where units are, in name order. Units on machines that may be alive are not looked at
 * under a policy that keeps them, nor units that keep their place on a lost machine under a policy that lets them.
 */
export function checkPlacement(state: ClusterState, policy: Policy): readonly PlanViolation[] {
  const spared = new Set(policy.unconfirmedLoss === 'keep-units' ? state.unconfirmedMachines : [])
  const scene = sceneOf(state, policy)
  const orphans = policy.staleTargets === 'cleared' ? (state.orphanTargets ?? []) : []
  const ofOrphans = orphans.map(
    ({ unit, machine }): PlanViolation => ({
      unit,
      rule: 'orphan-target',
      machine,
      message: `${machine} is kept for ${unit}, which does not exist`,
    }),
  )
  const ofUnits = state.units.flatMap((unit): readonly PlanViolation[] => {
    const { name, machine: id } = unit
    if (id === undefined) return []
    const broken: Report = (rule, message, other) => [
      {
        unit: name,
        rule,
        machine: id,
        ...(other === undefined ? {} : { other }),
        message: `${name} is on ${id}: ${message}`,
      },
    ]
    if (unit.requirements.global) {
      return policy.staleTargets === 'cleared' ? broken('global', 'global units have no target') : []
    }
    if (!isWanted(unit, policy)) return broken('inactive', 'it should not run')
    const here = scene.get(id)
    if (here !== undefined)
      return [...checkUnit(unit, here, broken), ...checkReplaced(unit, here, scene, policy, broken)]
    // Whether another machine fits a unit that keeps its lost place is the planner's question, not a rule of placement.
    const isSpared = policy.lostPlaces === 'kept-until-another-fits' || spared.has(id)
    return isSpared ? [] : broken('machine-gone', 'that machine is not alive')
  })
  return [...ofOrphans, ...ofUnits].sort((one, other) => compareText(one.unit, other.unit))
}

type Report = (rule: PlanViolation['rule'], message: string, other?: string) => readonly PlanViolation[]

/** A live machine and what runs there. */
type Place = {
  readonly machine: Machine
  /** Scheduled units that should run. */
  readonly scheduled: readonly Unit[]
  /** Those, and the global units that find room beside them. */
  readonly present: readonly Unit[]
  /** What would be present if others were scheduled. */
  readonly with: (scheduled: readonly Unit[]) => Place
}

/** The live machines by ID. */
type Scene = ReadonlyMap<string, Place>

function sceneOf({ machines, units }: ClusterState, policy: Policy): Scene {
  const globals = units
    .filter((unit) => unit.requirements.global && (policy.inactiveGlobals === 'counted' || isWanted(unit, policy)))
    .sort((one, other) => compareText(one.name, other.name))
  const onMachine = new Map<string, Unit[]>(machines.map(({ id }) => [id, []]))
  for (const unit of units) {
    if (!unit.requirements.global && isWanted(unit, policy)) onMachine.get(unit.machine ?? '')?.push(unit)
  }
  const placeOf = (machine: Machine, scheduled: readonly Unit[]): Place => ({
    machine,
    scheduled,
    present: withGlobals(machine, scheduled, globals),
    with: (others) => placeOf(machine, others),
  })
  return new Map(machines.map((machine) => [machine.id, placeOf(machine, onMachine.get(machine.id) ?? [])]))
}

/** Global units give way to scheduled ones; among themselves the smaller name has the room. */
function withGlobals(machine: Machine, scheduled: readonly Unit[], globals: readonly Unit[]): readonly Unit[] {
  const present = [...scheduled]
  for (const unit of globals) {
    if (!hasMetadata(unit.requirements.metadata, machine.metadata)) continue
    if (!present.some((other) => isConflict(unit, other))) present.push(unit)
  }
  return present
}

function checkUnit(unit: Unit, { machine, scheduled, present }: Place, broken: Report): readonly PlanViolation[] {
  const { machineId, metadata } = unit.requirements
  return [
    ...(machineId === undefined || isMachine(machineId, machine.id)
      ? []
      : broken('machine-id', `it requires machine ${machineId}`)),
    ...missingMetadata(metadata, machine.metadata).flatMap(({ key, allowed }) =>
      broken('metadata', `it requires ${allowed.map((value) => `${key}=${value}`).join(' or ')}`, key),
    ),
    ...missingPeers(unit, present).flatMap((peer) => broken('peer-missing', `${peer} is not there`, peer)),
    ...scheduled
      .filter((other) => isConflict(unit, other))
      .flatMap(({ name }) => broken('conflict', `it conflicts with ${name}`, name)),
  ]
}

const missingPeers = ({ requirements }: Unit, present: readonly Unit[]): readonly string[] =>
  [...new Set(requirements.machineOf)].filter((peer) => !present.some(({ name }) => name === peer))

/** Trap 9: fleet parts any such pair; under the repaired rule they stay together while no other machine fits. */
function checkReplaced(
  unit: Unit,
  here: Place,
  scene: Scene,
  { replacement }: Policy,
  broken: Report,
): readonly PlanViolation[] {
  const by = here.present.filter((other) => isReplacing(other, unit))
  if (by.length === 0) return []
  const isRepaired = replacement === 'replaced-unit-if-it-fits'
  const to = isRepaired ? destinationOf(unit, here, scene) : undefined
  if (isRepaired && to === undefined) return []
  const remedy = to === undefined ? '' : `, and ${to.machine.id} would take it`
  return by.flatMap(({ name }) => broken('replaced', `${name} replaces it${remedy}`, name))
}

/** A machine that takes the unit and what is here because of it, when those that stay lack nobody. */
function destinationOf(unit: Unit, here: Place, scene: Scene): Place | undefined {
  const group = new Set([unit])
  for (const { name } of group) {
    for (const other of here.scheduled) if (other.requirements.machineOf.includes(name)) group.add(other)
  }
  const left = here.with(here.scheduled.filter((other) => !group.has(other)))
  if (left.present.some((other) => missingPeers(other, left.present).length > 0)) return undefined
  return [...scene.values()].find((place) => place !== here && takesAll(place, [...group]))
}

function takesAll(place: Place, group: readonly Unit[]): boolean {
  if (group.length === 0) return true
  const next = group.find((unit) => fits(unit, place))
  if (next === undefined) return false
  return takesAll(
    place.with([...place.scheduled, next]),
    group.filter((unit) => unit !== next),
  )
}

function fits(unit: Unit, place: Place): boolean {
  if (place.machine.isCordoned === true) return false
  if (checkUnit(unit, place, (rule, message) => [{ unit: unit.name, rule, message }]).length > 0) return false
  return !place.present.some((other) => isConflict(unit, other) || isReplacing(unit, other) || isReplacing(other, unit))
}
