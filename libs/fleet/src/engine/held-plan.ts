/**
 * The engine's plan from one look to the next: the planner holds the cluster, and is told what differs from what it
 * believes. Always as if planned from scratch, whatever was bounced, missed or changed by others meanwhile. Pure.
 */
import { assert } from '@cluster/prelude'
import {
  type ClusterChange,
  type ClusterState,
  type ClusterTask,
  createPlannerSliced,
  type Machine,
  type Planner,
  type Policy,
  planCluster,
  type Unit,
} from '@cluster/scheduler'
import { type ClusterView, clusterStateOf, plannedMachine, plannedUnit } from '../registry/cluster-view.ts'
import type { Touched } from '../registry/view-reader.ts'
import type { Sliced } from '../slices.ts'

/** Where units are, as the registry says. */
export type PlacedUnits = {
  readonly count: number
  /** By machine, up or not; none that has no unit. */
  readonly on: ReadonlyMap<string, number>
}

export type HeldPlan = {
  /** Takes note of what views show differently. Everything must be told once, in as many calls as you like. */
  readonly note: (touched: Touched) => void
  /** Looks at a view: at what was noted, or at all of it when nothing is held. */
  readonly look: (view: ClusterView) => PlacedUnits
  /**
   * The tasks for the view looked at last, which count as done from then on. Those that were not done are seen at the
   * next look, and planned again. Pauses while nothing is held yet; until it is done nothing else may be asked for.
   *
   * @param mayBeAlive machines that are not listed and keep their units all the same
   */
  readonly plan: (mayBeAlive: ReadonlySet<string>) => Sliced<readonly ClusterTask[]>
  /** What `plan` would answer, without consequences. */
  readonly preview: (mayBeAlive: ReadonlySet<string>) => readonly ClusterTask[]
  /** Holds nothing any more; the next look sees everything. */
  readonly forget: () => void
}

/**
 * What the engine plans on: the cluster, but without machines that are drained. Units stay where they are when no other
 * machine fits, so that a drained machine is left as a lost one is.
 */
export function engineStateOf(view: ClusterView, mayBeAlive: Iterable<string> = []): ClusterState {
  const state = clusterStateOf(view, [...mayBeAlive])
  return { ...state, machines: state.machines.filter(({ id }) => view.cordons.get(id)?.drain !== true) }
}

/** A plan that holds nothing yet. */
export function createHeldPlan(policy: Policy): HeldPlan {
  let planner: Planner | undefined
  let view: ClusterView | undefined
  /** Machines as the planner was told; one that is not here is gone. */
  let told = new Map<string, Machine | 'away'>()
  const dirtyMachines = new Set<string>()
  /** Units to compare with what the planner believes, those of the last tasks among them. */
  const dirtyUnits = new Set<string>()
  const places = new Map<string, string>()
  const unitsOn = new Map<string, number>()

  const count = (machine: string, by: number): void => {
    const units = (unitsOn.get(machine) ?? 0) + by
    if (units === 0) unitsOn.delete(machine)
    else unitsOn.set(machine, units)
  }
  const notePlace = (unit: string, machine: string | undefined): void => {
    const before = places.get(unit)
    if (before === machine) return
    if (before !== undefined) count(before, -1)
    if (machine === undefined) places.delete(unit)
    else {
      places.set(unit, machine)
      count(machine, 1)
    }
  }

  const machineChange = (now: ClusterView, id: string, mayBeAlive: ReadonlySet<string>): ClusterChange | undefined => {
    const listed = now.machines.get(id)
    const before = told.get(id)
    if (listed !== undefined && listed.cordon?.drain !== true) {
      const machine = plannedMachine(listed)
      return isSameMachine(before, machine) ? undefined : { kind: 'put-machine', machine }
    }
    if (listed === undefined && mayBeAlive.has(id)) {
      return before === 'away' ? undefined : { kind: 'remove-machine', machine: id, mayBeAlive: true }
    }
    return before === undefined ? undefined : { kind: 'remove-machine', machine: id }
  }

  const unitChange = (now: ClusterView, held: Planner, name: string): ClusterChange | undefined => {
    const listed = now.units.get(name)
    const before = held.unitByName(name)
    if (listed === undefined) return before === undefined ? undefined : { kind: 'remove-unit', unit: name }
    const unit = plannedUnit(listed)
    return before !== undefined && isSameUnit(before, unit) ? undefined : { kind: 'put-unit', unit }
  }

  const changesFor = (now: ClusterView, held: Planner, mayBeAlive: ReadonlySet<string>): readonly ClusterChange[] => {
    const away = [...told].flatMap(([id, machine]) => (machine === 'away' ? [id] : []))
    const ids = new Set([...dirtyMachines, ...away, ...mayBeAlive])
    return [
      ...Array.from(ids, (id) => machineChange(now, id, mayBeAlive)),
      ...Array.from(dirtyUnits, (name) => unitChange(now, held, name)),
    ].filter((change) => change !== undefined)
  }

  /** Targets of units that are gone concern nobody else. */
  const orphanTasks = ({ leftovers }: ClusterView): readonly ClusterTask[] => {
    const orphanTargets = [...leftovers].flatMap(([unit, { machine }]) =>
      machine === undefined ? [] : [{ unit, machine }],
    )
    return orphanTargets.length === 0 ? [] : planCluster({ machines: [], units: [], orphanTargets }, policy).tasks
  }

  const lookedAt = (): ClusterView => {
    assert(view !== undefined, 'a look comes before a plan')
    return view
  }

  return {
    note({ units, machines }) {
      if (planner === undefined) return
      for (const name of units) dirtyUnits.add(name)
      for (const id of machines) dirtyMachines.add(id)
    },
    look(now) {
      if (planner === undefined) {
        places.clear()
        unitsOn.clear()
      }
      view = now
      for (const name of planner === undefined ? now.units.keys() : dirtyUnits) {
        notePlace(name, now.units.get(name)?.machine)
      }
      return { count: places.size, on: unitsOn }
    },
    preview(mayBeAlive) {
      const now = lookedAt()
      const tasks =
        planner === undefined
          ? planCluster(withoutOrphans(engineStateOf(now, mayBeAlive)), policy).tasks
          : planner.attempt(changesFor(now, planner, mayBeAlive)).tasks
      return [...orphanTasks(now), ...tasks]
    },
    *plan(mayBeAlive) {
      const now = lookedAt()
      let tasks: readonly ClusterTask[]
      if (planner === undefined) {
        const state = withoutOrphans(engineStateOf(now, mayBeAlive))
        if (state.units.length >= 1000) yield
        planner = yield* createPlannerSliced(state, policy)
        tasks = planner.firstPlan.tasks
        told = new Map(state.machines.map((machine) => [machine.id, machine]))
        for (const id of mayBeAlive) if (!now.machines.has(id)) told.set(id, 'away')
      } else {
        const changes = changesFor(now, planner, mayBeAlive)
        tasks = planner.applyAll(changes).tasks
        for (const change of changes) {
          if (change.kind === 'put-machine') told.set(change.machine.id, change.machine)
          else if (change.kind === 'remove-machine' && change.mayBeAlive === true) told.set(change.machine, 'away')
          else if (change.kind === 'remove-machine') told.delete(change.machine)
        }
      }
      dirtyMachines.clear()
      dirtyUnits.clear()
      for (const { unit } of tasks) dirtyUnits.add(unit)
      return [...orphanTasks(now), ...tasks]
    },
    forget() {
      planner = undefined
      view = undefined
      told = new Map()
      places.clear()
      unitsOn.clear()
      dirtyMachines.clear()
      dirtyUnits.clear()
    },
  }
}

const withoutOrphans = ({ orphanTargets: _, ...state }: ClusterState): ClusterState => state

function isSameMachine(one: Machine | 'away' | undefined, other: Machine): boolean {
  if (one === undefined || one === 'away') return false
  if (one.isCordoned !== other.isCordoned) return false
  const [before, now] = [Object.entries(one.metadata), Object.entries(other.metadata)]
  return before.length === now.length && before.every(([key, value]) => other.metadata[key] === value)
}

/** The requirements are those of the text that the hash is of. */
const isSameUnit = (one: Unit, other: Unit): boolean =>
  one.hash === other.hash &&
  one.targetState === other.targetState &&
  one.unknownTargetState === other.unknownTargetState &&
  one.machine === other.machine
