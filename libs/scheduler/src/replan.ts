/**
 * Planning that goes on: a cluster is held as the last plan leaves it, and one change is planned without looking at
 * what the change does not concern. Always equal to planning the changed state from scratch, policy by policy.
 */
import { type MachineVerdict, verdictOn } from './able-to-run.ts'
import { adopt, type ClusterChange } from './change.ts'
import { type ClusterModel, createClusterModel, type TakeBack } from './cluster-model.ts'
import { clearAgenda, decide } from './decide.ts'
import type { LoadNotes } from './machine-table.ts'
import type { ClusterState, ClusterTask, Machine, Unit } from './model.ts'
import { compareText } from './order.ts'
import type { Policy } from './policy.ts'
import { byName, prepareUnitsSliced, type UnitEntry, unitsPerSlice } from './unit-entry.ts'

/** What one change led to. */
export type Replan = {
  /** In the order in which they must be done; as `planCluster` has them for the changed state. */
  readonly tasks: readonly ClusterTask[]
  /** Units that had a live machine, or were not there, and now should run and have none. In name order. */
  readonly newlyUnplaced: readonly string[]
  /** Units that had none, and now have one, should not run, or are gone. In name order. */
  readonly noLongerUnplaced: readonly string[]
}

/** What changes would lead to. */
export type Attempt = Replan & {
  /** Units whose place would be another, in the order of the tasks; `from` is absent for one that had none. */
  readonly moves: readonly { readonly unit: string; readonly from?: string; readonly to: string }[]
  /** Machines whose number of units, globals included, would be another. Absent: the machine is not there. By ID. */
  readonly loads: readonly { readonly machine: string; readonly before?: number; readonly after?: number }[]
}

/** A planner that holds a cluster and is told of changes. */
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
  /** The same for changes that happened together: planned once, when all of them are there. */
  readonly applyAll: (changes: Iterable<ClusterChange>) => Replan
  /** What `apply` would answer to these changes at once, and where it would lead; the planner stays as it is. */
  readonly attempt: (changes: readonly ClusterChange[]) => Attempt
  /** Another round without any change, for policies that plan one round at a time. */
  readonly round: () => Replan
  /** A unit, with its place once everything is done. */
  readonly unitByName: (name: string) => Unit | undefined
  /** The machine of a unit once everything is done. */
  readonly placeOf: (name: string) => string | undefined
  /** The number of units on a live machine, globals included; `undefined` for any other. */
  readonly loadOf: (machine: string) => number | undefined
  /** The verdict of every machine on a unit, in ID order, as `ableToRun` has it for the state; none without the unit. */
  readonly ableToRun: (name: string) => readonly MachineVerdict[]
  readonly policy: Policy
  /** The live machines, in ID order. */
  readonly machines: () => readonly Machine[]
  /** IDs of machines that are not live but may be. */
  readonly unconfirmedMachines: () => readonly string[]
  /** Whether a unit should run and has no live machine. */
  readonly isUnplaced: (name: string) => boolean
  /** Units that should run and have no live machine, in name order. */
  readonly unplaced: () => readonly string[]
  /** The whole state as plain data, everything in order of names and IDs; it copies, and takes O(n). */
  readonly state: () => ClusterState
}

/**
 * A planner that holds this state. It takes the memory of the state about twice, and does not change it.
 *
 * @throws SchedulerError scheduler/duplicate-machine, scheduler/duplicate-unit
 */
export function createPlanner(state: ClusterState, policy: Policy): Planner {
  return plannerOn(createClusterModel(state, policy), state, policy)
}

/**
 * The same with pauses, for a process that must not stand still meanwhile: of 10,000 units none takes longer than some
 * ten milliseconds, as long as most of them have their place. Below 1,000 units there is none.
 *
 * @throws SchedulerError scheduler/duplicate-machine, scheduler/duplicate-unit
 */
export function* createPlannerSliced(state: ClusterState, policy: Policy): Generator<undefined, Planner, undefined> {
  const prepared = yield* prepareUnitsSliced(state.units, policy)
  const isLarge = prepared.entries.length >= unitsPerSlice
  if (isLarge) yield
  const model = createClusterModel(state, policy, prepared)
  if (isLarge) yield
  return plannerOn(model, state, policy)
}

function plannerOn(model: ClusterModel, state: ClusterState, policy: Policy): Planner {
  const unconfirmed = new Set((state.unconfirmedMachines ?? []).filter((id) => model.machineById(id) === undefined))
  const isUnplaced = (name: string): boolean => {
    const entry = model.unitByName(name)
    return entry !== undefined && model.unplaced.has(entry)
  }

  let isAgendaClear = true
  /** To be done ahead of the next change: a planner that is only asked never needs it. */
  const clearAgendaOnce = (): void => {
    if (!isAgendaClear) clearAgenda(model)
    isAgendaClear = true
  }
  const plan = (): Replan => {
    const replan = planOnly()
    isAgendaClear = false
    return replan
  }
  const planOnly = (): Replan => {
    const tasks = decide(model)
    const { newly, noLonger } = model.takeStock()
    return { tasks, newlyUnplaced: newly, noLongerUnplaced: noLonger }
  }

  const change = (what: ClusterChange): void => {
    clearAgendaOnce()
    if (what.kind === 'put-unit') {
      const orphan = model.orphanTargets.get(what.unit.name)
      model.orphanTargets.delete(what.unit.name)
      model.putUnit(orphan === undefined ? what.unit : adopt(what.unit, orphan))
    } else if (what.kind === 'remove-unit') model.removeUnit(what.unit)
    else if (what.kind === 'put-machine') {
      unconfirmed.delete(what.machine.id)
      model.putMachine(what.machine)
    } else loseMachine(what)
  }
  const loseMachine = ({ machine, mayBeAlive = false }: ClusterChange & { readonly kind: 'remove-machine' }): void => {
    if (mayBeAlive) unconfirmed.add(machine)
    else unconfirmed.delete(machine)
    model.removeMachine(machine, mayBeAlive)
  }

  const unitByName = (name: string): Unit | undefined => {
    const entry = model.unitByName(name)
    return entry && withPlace(entry)
  }

  /** The change that takes another one back, but for the places of units. */
  const inverse = (what: ClusterChange): ClusterChange => {
    if (what.kind === 'put-unit' || what.kind === 'remove-unit') {
      const name = what.kind === 'put-unit' ? what.unit.name : what.unit
      const unit = unitByName(name)
      return unit === undefined ? { kind: 'remove-unit', unit: name } : { kind: 'put-unit', unit }
    }
    const id = what.kind === 'put-machine' ? what.machine.id : what.machine
    const machine = model.machineById(id)?.machine
    if (machine !== undefined) return { kind: 'put-machine', machine }
    return { kind: 'remove-machine', machine: id, mayBeAlive: unconfirmed.has(id) }
  }

  const attempt = (changes: readonly ClusterChange[]): Attempt => {
    clearAgendaOnce()
    const orphans = [...model.orphanTargets]
    const loadsBefore: LoadNotes = new Map()
    model.noteLoads(loadsBefore)
    const losses = changes.flatMap((each) => (each.kind === 'remove-machine' ? [each] : []))
    const takeBack = losses.length === changes.length ? model.removeForNow(losses) : undefined
    const answer = takeBack === undefined ? attemptAny(changes, loadsBefore) : attemptLoss(takeBack, loadsBefore)
    model.orphanTargets.clear()
    for (const [unit, machine] of orphans) model.orphanTargets.set(unit, machine)
    return answer
  }

  const attemptLoss = (takeBack: TakeBack, loadsBefore: LoadNotes): Attempt => {
    const { replan, heldBefore } = planNoting()
    const moves = [...heldBefore].flatMap(([entry, from]) => moveOf(entry, from) ?? [])
    const answer = { ...replan, moves, loads: changedLoads(loadsBefore, model) }
    model.noteLoads(undefined)
    takeBack(heldBefore, { newly: replan.newlyUnplaced, noLonger: replan.noLongerUnplaced })
    return answer
  }

  const attemptAny = (changes: readonly ClusterChange[], loadsBefore: LoadNotes): Attempt => {
    const agenda = Array.from(model.review.members, ({ unit }) => unit.name)
    const names = changes.flatMap((each) => unitOf(each) ?? [])
    const placesBefore = new Map(names.map((name) => [name, model.unitByName(name)?.held]))
    const undo = changes.map((each) => {
      const back = inverse(each)
      change(each)
      return back
    })
    const { replan, heldBefore } = planNoting()
    const moves = [
      ...[...placesBefore].flatMap(([name, from]) => moveOf(model.unitByName(name), from) ?? []),
      ...[...heldBefore].flatMap(([entry, from]) =>
        placesBefore.has(entry.unit.name) ? [] : (moveOf(entry, from) ?? []),
      ),
    ]
    const answer = { ...replan, moves, loads: changedLoads(loadsBefore, model) }
    model.noteLoads(undefined)
    for (const back of undo.toReversed()) change(back)
    for (const [before, from] of heldBefore) {
      // A unit that the changes are about is another entry by now.
      const isSame = !placesBefore.has(before.unit.name)
      const entry = isSame ? before : model.unitByName(before.unit.name)
      const held = isSame ? from : placesBefore.get(before.unit.name)
      if (entry === undefined || entry.held === held) continue
      const machine = held === undefined ? undefined : model.machineById(held)
      // A unit that kept its place on a machine that is gone waits.
      const isThere = held !== undefined && (entry.isGlobal || model.mayBeAlive(held))
      if (machine === undefined) model.setTarget(entry, isThere ? held : undefined)
      else model.placeOn(entry, machine)
      model.setHeld(entry, held)
    }
    // All is as before, and so is who needs another look; but units that came back onto a lost machine are to leave it.
    const stranded = [...model.review.members].filter(
      ({ target }) => target !== undefined && model.machineById(target) === undefined,
    )
    model.review.clear()
    for (const entry of stranded) model.review.add(entry)
    for (const name of [...agenda, ...names]) {
      const entry = model.unitByName(name)
      if (entry !== undefined) model.review.add(entry)
    }
    model.takeStock()
    return answer
  }

  /** A plan, and what units had before it gave them something else. */
  const planNoting = () => {
    const heldBefore = new Map<UnitEntry, string | undefined>()
    model.onHeld((entry, held) => {
      if (!heldBefore.has(entry)) heldBefore.set(entry, held)
    })
    const replan = planOnly()
    model.onHeld(undefined)
    return { replan, heldBefore }
  }
  return {
    firstPlan: plan(),
    apply(what) {
      change(what)
      return plan()
    },
    applyAll(all) {
      for (const each of all) change(each)
      return plan()
    },
    attempt,
    round() {
      clearAgendaOnce()
      return plan()
    },
    unitByName,
    placeOf: (name) => model.unitByName(name)?.held,
    loadOf: (machine) => model.machineById(machine)?.load,
    ableToRun(name) {
      const entry = model.unitByName(name)
      if (entry === undefined) return []
      return model.machines.map((machine) => ({
        machine: machine.machine.id,
        verdict: verdictOn(model, entry, machine),
      }))
    },
    policy,
    machines: () => model.machines.map(({ machine }) => machine),
    unconfirmedMachines: () => [...unconfirmed].sort(compareText),
    isUnplaced,
    unplaced: () => [...model.unplaced].sort(byName).map(({ unit: { name } }) => name),
    state: () => ({
      machines: model.machines.map(({ machine }) => machine),
      units: Array.from(model.units(), withPlace),
      orphanTargets: Array.from(model.orphanTargets, ([unit, machine]) => ({ unit, machine })).sort((one, other) =>
        compareText(one.unit, other.unit),
      ),
      unconfirmedMachines: [...unconfirmed].sort(compareText),
    }),
  }
}

const unitOf = (change: ClusterChange): string | undefined => {
  if (change.kind === 'put-unit') return change.unit.name
  return change.kind === 'remove-unit' ? change.unit : undefined
}

function changedLoads(notes: LoadNotes, { machineById }: ClusterModel): Attempt['loads'] {
  const changed: { machine: string; before?: number; after?: number }[] = []
  const left = new Set<string>()
  for (const [{ machine, isGone }, before] of notes) if (isGone && before !== undefined) left.add(machine.id)
  for (const [{ machine, isGone, load }, before] of notes) {
    // A machine that left and came back is another entry under the same ID.
    if (before === undefined && (isGone || left.has(machine.id))) continue
    const after = isGone ? machineById(machine.id)?.load : load
    if (after === before) continue
    if (before === undefined || after === undefined) {
      changed.push({
        machine: machine.id,
        ...(before !== undefined && { before }),
        ...(after !== undefined && { after }),
      })
    } else changed.push({ machine: machine.id, before, after })
  }
  return changed.sort((one, other) => compareText(one.machine, other.machine))
}

function moveOf(entry: UnitEntry | undefined, from: string | undefined): Attempt['moves'][number] | undefined {
  if (entry?.held === undefined || entry.held === from) return undefined
  const { unit, held: to } = entry
  return from === undefined ? { unit: unit.name, to } : { unit: unit.name, from, to }
}

function withPlace({ unit, held }: UnitEntry): Unit {
  if (unit.machine === held) return unit
  const { machine: _, ...rest } = unit
  return held === undefined ? rest : { ...rest, machine: held }
}
