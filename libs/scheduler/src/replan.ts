/**
 * Planning that goes on: a cluster is held as the last plan leaves it, and one change is planned without looking at
 * what the change does not concern. Always equal to planning the changed state from scratch, policy by policy.
 */
import { adopt, type ClusterChange } from './change.ts'
import { createClusterModel } from './cluster-model.ts'
import { clearAgenda, decide } from './decide.ts'
import type { ClusterState, ClusterTask, Unit } from './model.ts'
import type { Policy } from './policy.ts'
import { byName, type UnitEntry } from './unit-entry.ts'

/** What one change led to. */
export type Replan = {
  /** In the order in which they must be done; as `planCluster` has them for the changed state. */
  readonly tasks: readonly ClusterTask[]
  /** Units that had a live machine, or were not there, and now should run and have none. In name order. */
  readonly newlyUnplaced: readonly string[]
  /** Units that had none, and now have one, should not run, or are gone. In name order. */
  readonly noLongerUnplaced: readonly string[]
}

export type Planner = {
  /** The plan of the state that it was made from. */
  readonly firstPlan: Replan
  /**
   * Plans a change of the state in which everything planned so far is done, and takes it as done.
   *
   * Takes O(log n) for each unit that is moved, or is on a machine that changed, or waits for what changed; a glob that
   * no other unit carries takes a look at each name it matches, a global unit one at each machine.
   */
  readonly apply: (change: ClusterChange) => Replan
  /** Another round without any change, for policies that plan one round at a time. */
  readonly round: () => Replan
  /** A unit, with its place once everything is done. */
  readonly unitByName: (name: string) => Unit | undefined
  /** The machine of a unit once everything is done. */
  readonly placeOf: (name: string) => string | undefined
  /** The number of units on a live machine, globals included; `undefined` for any other. */
  readonly loadOf: (machine: string) => number | undefined
  /** Units that should run and have no live machine, in name order. */
  readonly unplaced: () => readonly string[]
  /** The whole state, as plain data; it copies, and takes O(n). */
  readonly state: () => ClusterState
}

/**
 * A planner that holds this state. It takes the memory of the state about twice, and does not change it.
 *
 * @throws SchedulerError scheduler/duplicate-machine, scheduler/duplicate-unit
 */
export function createPlanner(state: ClusterState, policy: Policy): Planner {
  const model = createClusterModel(state, policy)
  const unconfirmed = new Set(state.unconfirmedMachines)
  /** By unit that changed sides: whether it was unplaced before. */
  let before = new Map(Array.from(model.unplaced, ({ unit }): [string, boolean] => [unit.name, false]))
  model.onUnplaced((unit, isUnplaced) => {
    if (before.get(unit) === undefined) before.set(unit, !isUnplaced)
  })

  const plan = (): Replan => {
    const tasks = decide(model)
    clearAgenda(model)
    const changed = [...before].sort(([one], [other]) => (one < other ? -1 : 1))
    before = new Map()
    const isUnplaced = (name: string): boolean => {
      const entry = model.unitByName(name)
      return entry !== undefined && model.unplaced.has(entry)
    }
    return {
      tasks,
      newlyUnplaced: changed.flatMap(([unit, was]) => (!was && isUnplaced(unit) ? [unit] : [])),
      noLongerUnplaced: changed.flatMap(([unit, was]) => (was && !isUnplaced(unit) ? [unit] : [])),
    }
  }

  const change = (what: ClusterChange): void => {
    if (what.kind === 'put-unit') {
      const orphan = model.orphanTargets.get(what.unit.name)
      model.orphanTargets.delete(what.unit.name)
      model.putUnit(orphan === undefined ? what.unit : adopt(what.unit, orphan))
    } else if (what.kind === 'remove-unit') model.removeUnit(what.unit)
    else if (what.kind === 'put-machine') {
      unconfirmed.delete(what.machine.id)
      model.putMachine(what.machine)
    } else {
      if (what.mayBeAlive === true) unconfirmed.add(what.machine)
      else unconfirmed.delete(what.machine)
      model.removeMachine(what.machine, what.mayBeAlive === true)
    }
  }

  const unitByName = (name: string): Unit | undefined => {
    const entry = model.unitByName(name)
    return entry && withPlace(entry)
  }

  return {
    firstPlan: plan(),
    apply(what) {
      change(what)
      return plan()
    },
    round: plan,
    unitByName,
    placeOf: (name) => model.unitByName(name)?.held,
    loadOf: (machine) => model.machineById(machine)?.load,
    unplaced: () => [...model.unplaced].sort(byName).map(({ unit: { name } }) => name),
    state: () => ({
      machines: model.machines.map(({ machine }) => machine),
      units: Array.from(model.units(), withPlace),
      orphanTargets: Array.from(model.orphanTargets, ([unit, machine]) => ({ unit, machine })),
      unconfirmedMachines: [...unconfirmed],
    }),
  }
}

function withPlace({ unit, held }: UnitEntry): Unit {
  if (unit.machine === held) return unit
  const { machine: _, ...rest } = unit
  return held === undefined ? rest : { ...rest, machine: held }
}
