/**
 * The cluster as a plan in the making sees it: which units each machine has, and its load. Changed step by step; no
 * decision rebuilds it. Rules: spec/fleet.md §5.2.
 *
 * Whatever changes also tells which units need another look, so that a plan after one change visits few of them.
 */
import { type Agenda, createAgenda } from './agenda.ts'
import { literalPrefix } from './glob-index.ts'
import { createMachineTable, type LoadNotes, type MachineEntry, type OpenMachineEntry } from './machine-table.ts'
import type { ClusterState, Machine, Unit } from './model.ts'
import { compareText } from './order.ts'
import type { Policy } from './policy.ts'
import type { MetadataRequirement } from './shape.ts'
import { createSortedEntries } from './sorted-entries.ts'
import {
  byName,
  conflictBetween,
  createEntry,
  type PreparedUnits,
  prepareUnits,
  replaceBetween,
  type UnitEntry,
} from './unit-entry.ts'
import { createWaitingRoom, type WaitingRoom } from './waiting-room.ts'

export type { MachineEntry } from './machine-table.ts'

export type ClusterModel = {
  readonly policy: Policy
  /** In ID order. */
  readonly machines: readonly MachineEntry[]
  readonly unitByName: (name: string) => UnitEntry | undefined
  /** All units in name order. */
  readonly units: () => Iterable<UnitEntry>
  readonly machineById: (id: string) => MachineEntry | undefined
  /** Those whose ID begins with these 8 characters, in ID order. */
  readonly machinesByShortId: (shortId: string) => readonly MachineEntry[]
  readonly setTarget: (entry: UnitEntry, machine: string | undefined) => void
  /** `setTarget` to a live machine. */
  readonly placeOn: (entry: UnitEntry, machine: MachineEntry) => void
  /** The live machine on which a unit counts. */
  readonly placeOf: (entry: UnitEntry) => MachineEntry | undefined
  /** Says what the registry has, for a unit whose target follows by itself. */
  readonly setHeld: (entry: UnitEntry, machine: string | undefined) => void
  /** Is told of every `setHeld`, with what was held before. */
  readonly onHeld: (listener: ((entry: UnitEntry, before: string | undefined) => void) | undefined) => void
  /** From now on notes each machine whose load changes; `undefined`: no more. */
  readonly noteLoads: (notes: LoadNotes | undefined) => void
  /** Whether the machine has the metadata that the unit requires. */
  readonly hasMetadata: (entry: UnitEntry, machine: MachineEntry) => boolean
  /** The machine with the fewest units, then the smallest ID, among those that meet it and that the test takes. */
  readonly leastLoaded: (
    requirement: MetadataRequirement | undefined,
    test: (machine: MachineEntry) => boolean,
  ) => MachineEntry | undefined
  /** Whether a machine that is not listed as alive may be so, and its units keep their place (trap 5). */
  readonly mayBeAlive: (machine: string) => boolean
  /** Units whose place needs another look. */
  readonly review: Agenda
  /** Units in a Replaces relation with one on their machine, and maybe some that are not. */
  readonly replaced: Agenda
  readonly waiting: WaitingRoom
  /** Replaced units for which there was no other machine, and at which versions of cluster and machine. */
  readonly stuck: Map<UnitEntry, string>
  /** Tries something that it undoes: nobody takes notice. */
  readonly inSilence: <T>(attempt: () => T) => T
  /** Changes whenever room is made anywhere, or something arrives that others may need beside them. */
  readonly version: () => number

  /** Targets of units that do not exist. */
  readonly orphanTargets: Map<string, string>
  /** Global units that have a target. */
  readonly targetedGlobals: ReadonlySet<UnitEntry>
  /** Units that should run and have no live machine, as of the last `takeStock`. */
  readonly unplaced: ReadonlySet<UnitEntry>
  /** Brings `unplaced` up to date; names of those that were not in it and now are, and the other way round, in order. */
  readonly takeStock: () => { readonly newly: readonly string[]; readonly noLonger: readonly string[] }

  readonly putUnit: (unit: Unit) => void
  readonly removeUnit: (name: string) => void
  readonly putMachine: (machine: Machine) => void
  readonly removeMachine: (id: string, mayBeAlive: boolean) => void
  /**
   * Removes live machines to see what follows. What it returns takes that back, and everything planned and held since.
   *
   * @returns `undefined` when it has done nothing: a machine is not there, or units wait that may find another
   */
  readonly removeForNow: (losses: readonly Loss[]) => TakeBack | undefined
}

/** A machine that is not listed as alive any more. */
export type Loss = { readonly machine: string; readonly mayBeAlive?: boolean }

/**
 * @param held what units held before they were given something else
 * @param stock what `takeStock` said of it
 */
export type TakeBack = (
  held: ReadonlyMap<UnitEntry, string | undefined>,
  stock: ReturnType<ClusterModel['takeStock']>,
) => void

/**
 * The model of a state.
 *
 * @param prepared its units, where they were prepared before
 * @throws SchedulerError scheduler/duplicate-machine, scheduler/duplicate-unit
 */
export function createClusterModel(
  state: ClusterState,
  policy: Policy,
  { entries, globs, shapes }: PreparedUnits = prepareUnits(state.units, policy),
): ClusterModel {
  const byUnitName = new Map<string, UnitEntry>()
  for (const entry of entries) byUnitName.set(entry.unit.name, entry)
  const names = createSortedEntries(entries)
  const followers = new Map<string, Set<UnitEntry>>()
  const globals: UnitEntry[] = []
  const machines = createMachineTable(state.machines)
  const unconfirmed = new Set(state.unconfirmedMachines)
  /** By the ID of a machine that is not live: the units that keep, or kept, their place there. */
  const away = new Map<string, Set<UnitEntry>>()
  const orphanTargets = new Map<string, string>()
  for (const { unit, machine } of state.orphanTargets ?? []) {
    if (!byUnitName.has(unit)) orphanTargets.set(unit, machine)
  }

  const review = createAgenda()
  const replaced = createAgenda()
  const waiting = createWaitingRoom()
  const stuck = new Map<UnitEntry, string>()
  const targetedGlobals = new Set<UnitEntry>()
  const unplaced = new Set<UnitEntry>()
  /** Who may have begun or ceased to be unplaced since the last look, and who did and is gone. */
  const toWeigh = new Set<UnitEntry>()
  const goneUnplaced = new Set<string>()
  let isStockTaken = false
  let tellHeld: ((entry: UnitEntry, before: string | undefined) => void) | undefined
  let silence = 0
  let version = 0

  // What a change tells.

  const noticeEnter = (machine: OpenMachineEntry, entry: UnitEntry): void => {
    if (silence > 0) return
    machine.version++
    if (entry.followers !== undefined || entry.isGlobal) version++
    if (entry.followers !== undefined) wakeFollowers(entry.followers, machine)
    const mayConflict = machine.units.hasConflict(entry)
    const mayReplace = machine.units.mayReplace(entry)
    if (!mayConflict && !mayReplace) return
    review.add(entry)
    if (mayReplace) replaced.add(entry)
    for (const other of machine.units.members) {
      const replaces = mayReplace && replaceBetween(entry, other) !== undefined
      if (replaces) replaced.add(other)
      if (replaces || conflictBetween(entry, other) !== undefined) review.add(other)
    }
  }
  const wakeFollowers = (followers: Iterable<UnitEntry>, machine: OpenMachineEntry): void => {
    for (const follower of followers) if (follower.target === undefined) waiting.wake(follower.shape, machine)
  }
  const noticeLeave = (machine: OpenMachineEntry, entry: UnitEntry): void => {
    if (silence > 0) return
    version++
    machine.version++
    if (entry.followers !== undefined) {
      for (const follower of entry.followers) if (follower.target === machine.machine.id) review.add(follower)
    }
    waiting.wakeByRoom(entry.shape, machine)
  }

  // Who is where.

  let conflictsOfGlobals: ReadonlySet<number> = new Set()
  let matchesOfGlobals: ReadonlySet<number> = new Set()
  /** Whether a unit conflicts with any global unit: only then its coming and going can change which ones find room. */
  const isNearGlobals = ({ shape }: UnitEntry): boolean =>
    shape.matchedBy.some((glob) => conflictsOfGlobals.has(glob)) ||
    shape.conflicts.some((glob) => matchesOfGlobals.has(glob))
  const findGlobalsNeighbourhood = (): void => {
    conflictsOfGlobals = new Set(globals.flatMap(({ shape }) => shape.conflicts))
    matchesOfGlobals = new Set(globals.flatMap(({ shape }) => shape.matchedBy))
  }

  /** Global units give way to scheduled ones; among themselves the smaller name has the room. */
  const fillGlobals = (machine: OpenMachineEntry): void => {
    if (globals.length === 0 && machine.globals.size === 0) return
    const before = machine.globals
    for (const entry of before) machine.units.remove(entry)
    const after = new Set<UnitEntry>()
    for (const entry of globals) {
      if (!machines.meets(machine, entry.shape.metadata) || machine.units.hasConflict(entry)) continue
      after.add(entry)
      machine.units.add(entry)
    }
    machine.globals = after
    if (after.size !== before.size) machines.changeLoad(machine, after.size - before.size)
    for (const entry of before) if (!machine.units.has(entry)) noticeLeave(machine, entry)
    for (const entry of after) if (!before.has(entry)) noticeEnter(machine, entry)
  }
  const refillGlobals = (): void => {
    findGlobalsNeighbourhood()
    for (const machine of machines.inOrder) fillGlobals(machine)
  }

  const enter = (machine: OpenMachineEntry, entry: UnitEntry): void => {
    entry.place = machine
    machine.units.add(entry)
    machines.changeLoad(machine, 1)
    noticeEnter(machine, entry)
  }
  const leave = (machine: OpenMachineEntry, entry: UnitEntry): void => {
    entry.place = undefined
    machine.units.remove(entry)
    machines.changeLoad(machine, -1)
    noticeLeave(machine, entry)
  }
  const counts = ({ isWanted, isGlobal }: UnitEntry): boolean => isWanted && !isGlobal
  const countsAsGlobal = ({ isWanted, isGlobal }: UnitEntry): boolean =>
    isGlobal && (isWanted || policy.inactiveGlobals === 'counted')
  const live = (id: string | undefined): OpenMachineEntry | undefined =>
    id === undefined ? undefined : machines.byId(id)

  const placeOf = ({ place }: UnitEntry): OpenMachineEntry | undefined =>
    place === undefined ? undefined : machines.atRank(place.rank)

  const retarget = (entry: UnitEntry, id: string | undefined, to = live(id)): void => {
    const had = entry.target
    const isCounted = counts(entry)
    const before = placeOf(entry)
    if (before !== undefined) leave(before, entry)
    entry.target = id
    if (silence === 0 && isCounted) {
      if (id === undefined && had !== undefined) waiting.add(entry)
      if (id !== undefined && had === undefined) waiting.remove(entry)
    }
    const after = isCounted ? to : undefined
    if (after !== undefined) enter(after, entry)
    if (!isCounted || !isNearGlobals(entry)) return
    if (before !== undefined) fillGlobals(before)
    if (after !== undefined && after !== before) fillGlobals(after)
  }

  // What the registry says.

  const mayBeAlive = (id: string): boolean => policy.unconfirmedLoss === 'keep-units' && unconfirmed.has(id)

  /** Whether what the registry has is no live machine. */
  const isAway = ({ place }: UnitEntry, held: string): boolean =>
    place?.machine.id !== held && machines.byId(held) === undefined
  const weighLater = (entry: UnitEntry): void => {
    if (isStockTaken) toWeigh.add(entry)
  }
  const weighNoMore = (entry: UnitEntry): void => {
    toWeigh.delete(entry)
    if (unplaced.delete(entry)) goneUnplaced.add(entry.unit.name)
  }
  const isPlaceless = (entry: UnitEntry): boolean => {
    const { held } = entry
    return counts(entry) && (held === undefined || (isAway(entry, held) && !unconfirmed.has(held)))
  }
  const takeStock = (): ReturnType<ClusterModel['takeStock']> => {
    const newly: string[] = []
    const noLonger: string[] = []
    for (const entry of isStockTaken ? toWeigh : entries) {
      const was = unplaced.delete(entry) || (goneUnplaced.size > 0 && goneUnplaced.delete(entry.unit.name))
      const is = isPlaceless(entry)
      if (is) unplaced.add(entry)
      if (is !== was) (is ? newly : noLonger).push(entry.unit.name)
    }
    noLonger.push(...goneUnplaced)
    toWeigh.clear()
    goneUnplaced.clear()
    isStockTaken = true
    return { newly: newly.sort(compareText), noLonger: noLonger.sort(compareText) }
  }
  const forgetHeld = (entry: UnitEntry): void => {
    if (entry.held === undefined) return
    if (entry.isGlobal) targetedGlobals.delete(entry)
    if (away.size === 0) return
    const group = away.get(entry.held)
    group?.delete(entry)
    if (group?.size === 0) away.delete(entry.held)
  }
  const noteHeld = (entry: UnitEntry): void => {
    const { held } = entry
    if (held !== undefined && entry.isGlobal) targetedGlobals.add(entry)
    if (held !== undefined && counts(entry) && isAway(entry, held)) goAway(entry, held)
    weighLater(entry)
  }
  const goAway = (entry: UnitEntry, id: string): void => {
    const group = away.get(id)
    if (group === undefined) away.set(id, new Set([entry]))
    else group.add(entry)
  }
  /** Units that kept their place on a machine that is not live are where the registry says, to be looked at again. */
  const recall = (id: string): void => {
    for (const entry of away.get(id) ?? []) {
      if (entry.target === undefined) retarget(entry, id)
      review.add(entry)
    }
  }

  /** A machine is there, and with it the units that kept their place. */
  const returnTo = (entry: OpenMachineEntry): void => {
    const { id } = entry.machine
    unconfirmed.delete(id)
    version++
    entry.version++
    const returned = away.get(id)
    away.delete(id)
    for (const each of returned ?? []) {
      if (each.target === undefined) retarget(each, id)
      else enter(entry, each)
      review.add(each)
      weighLater(each)
    }
  }

  // Units.

  /** A glob that is new, or that nobody carries any more: every unit whose name it matches has another shape. */
  const rematch = (glob: string): void => {
    const prefix = literalPrefix(glob)
    const exact = byUnitName.get(glob)
    const candidates = prefix === undefined ? (exact === undefined ? [] : [exact]) : [...names.withPrefix(prefix)]
    for (const candidate of candidates) {
      const entry = byUnitName.get(candidate.unit.name)
      if (entry === undefined) continue
      const matchedBy = globs.matching(entry.unit.name)
      if (matchedBy.length === entry.shape.matchedBy.length) continue
      const before = entry.shape
      const change = (): void => {
        entry.shape = shapes.acquire(entry.unit, globs.idOf, matchedBy)
        shapes.release(before)
      }
      const machine = live(entry.target)
      const homes = countsAsGlobal(entry)
        ? machines.inOrder.filter(({ units }) => units.has(entry))
        : machine?.units.has(entry)
          ? [machine]
          : []
      for (const { units } of homes) units.remove(entry)
      if (counts(entry) && entry.target === undefined) waiting.reshape(entry, before, change)
      else change()
      for (const { units } of homes) units.add(entry)
    }
  }
  const globsOf = ({ requirements }: Unit): readonly string[] => [...requirements.conflicts, ...requirements.replaces]

  /** What is to be done for a unit that is in all lists. */
  const settleIn = (entry: UnitEntry): void => {
    for (const peer of entry.shape.machineOf) {
      let group = followers.get(peer)
      if (group === undefined) {
        group = new Set()
        followers.set(peer, group)
        const leader = byUnitName.get(peer)
        if (leader !== undefined) leader.followers = group
      }
      group.add(entry)
    }
    if (entry.target !== undefined) review.add(entry)
    else if (counts(entry)) waiting.add(entry)
    const machine = counts(entry) ? live(entry.target) : undefined
    if (machine !== undefined) enter(machine, entry)
    noteHeld(entry)
  }

  const addUnit = (unit: Unit): void => {
    const rank = names.before(unit.name)?.rank ?? -1
    const entry = createEntry(unit, rank, shapes.acquire(unit, globs.idOf, globs.matching(unit.name)), policy)
    entry.followers = followers.get(unit.name)
    byUnitName.set(unit.name, entry)
    names.add(entry)
    settleIn(entry)
    if (countsAsGlobal(entry)) {
      globals.push(entry)
      globals.sort(byName)
      refillGlobals()
      return
    }
    const machine = placeOf(entry)
    if (machine !== undefined && isNearGlobals(entry)) fillGlobals(machine)
  }

  const takeOut = (entry: UnitEntry): void => {
    const machine = placeOf(entry)
    if (machine !== undefined) leave(machine, entry)
    else if (counts(entry) && entry.target === undefined) waiting.remove(entry)
    names.delete(entry)
    review.delete(entry)
    replaced.delete(entry)
    stuck.delete(entry)
    forgetHeld(entry)
    weighNoMore(entry)
    for (const peer of entry.shape.machineOf) {
      const group = followers.get(peer)
      group?.delete(entry)
      if (group?.size !== 0) continue
      followers.delete(peer)
      const leader = byUnitName.get(peer)
      if (leader !== undefined) leader.followers = undefined
    }
    if (countsAsGlobal(entry)) {
      globals.splice(globals.indexOf(entry), 1)
      refillGlobals()
    } else if (machine !== undefined && isNearGlobals(entry)) fillGlobals(machine)
  }
  /** Last, so that what follows the unit under its name can go on using what they share. */
  const dispose = ({ unit, shape }: UnitEntry): void => {
    const unused = shapes.release(shape)
    if (unused !== undefined) machines.forget(unused)
    releaseGlobs(unit)
  }

  const acquireGlobs = (unit: Unit): void => {
    const isNew = globsOf(unit).filter((glob) => globs.acquire(glob))
    for (const glob of isNew) rematch(glob)
    if (isNew.length > 0) findGlobalsNeighbourhood()
  }
  const releaseGlobs = (unit: Unit): void => {
    const isGone = globsOf(unit).filter((glob) => globs.release(glob))
    for (const glob of isGone) rematch(glob)
    if (isGone.length > 0) findGlobalsNeighbourhood()
  }

  // Machines that go, for good or until they are taken back.

  const removeMachine = (id: string, isLossUncertain: boolean): void => {
    if (isLossUncertain) unconfirmed.add(id)
    else unconfirmed.delete(id)
    const entry = machines.byId(id)
    if (entry !== undefined) {
      machines.leave(entry)
      version++
      for (const member of entry.units.scheduled) member.place = undefined
      // All of them count, else they would not be here.
      if (entry.units.scheduled.length > 0) away.set(id, new Set(entry.units.scheduled))
      waiting.wakeByMachineId(id)
    }
    recall(id)
    for (const each of away.get(id) ?? []) weighLater(each)
  }

  const removeForNow: ClusterModel['removeForNow'] = (losses) => {
    const lost = new Set(losses.flatMap(({ machine }) => live(machine) ?? []))
    if (lost.size < losses.length || !waiting.isAsleep()) return undefined
    const toReview = [...review.members]
    const toReplace = [...replaced.members]
    for (const { machine, mayBeAlive = false } of losses) removeMachine(machine, mayBeAlive)
    return (held, { newly, noLonger }) => {
      // Nothing is told: who waits, and who needs a look, is known from before.
      silence++
      for (const entry of held.keys()) {
        if (counts(entry) && entry.target === undefined) waiting.remove(entry)
        else retarget(entry, undefined)
      }
      for (const machine of lost) restoreMachine(machine)
      for (const [entry, before] of held) if (entry.held !== before) restorePlace(entry, before)
      waiting.sleepAll()
      restoreAgenda(review, toReview)
      restoreAgenda(replaced, toReplace)
      toWeigh.clear()
      for (const entry of entriesOf(newly)) unplaced.delete(entry)
      for (const entry of entriesOf(noLonger)) unplaced.add(entry)
      version++
      silence--
    }
  }
  const restoreMachine = (machine: OpenMachineEntry): void => {
    const { id } = machine.machine
    unconfirmed.delete(id)
    away.delete(id)
    machines.rejoin(machine)
    machine.units.reclaim()
    for (const member of machine.units.scheduled) {
      // It found no other place, and kept this one.
      if (member.held === id && member.target === undefined) waiting.remove(member)
      member.target = id
      member.held = id
      member.place = machine
    }
  }
  const restorePlace = (entry: UnitEntry, id: string | undefined): void => {
    const isThere = id !== undefined && (entry.isGlobal || live(id) !== undefined || mayBeAlive(id))
    retarget(entry, isThere ? id : undefined)
    if (counts(entry) && !isThere) waiting.add(entry)
    forgetHeld(entry)
    entry.held = id
    noteHeld(entry)
  }
  const restoreAgenda = (agenda: Agenda, members: readonly UnitEntry[]): void => {
    agenda.clear()
    for (const entry of members) agenda.add(entry)
  }
  const entriesOf = (unitNames: readonly string[]): readonly UnitEntry[] =>
    unitNames.flatMap((name) => byUnitName.get(name) ?? [])

  // The state to begin with.

  for (const entry of entries) if (countsAsGlobal(entry)) globals.push(entry)
  findGlobalsNeighbourhood()
  for (const entry of entries) settleIn(entry)
  for (const machine of machines.inOrder) fillGlobals(machine)

  return {
    policy,
    machines: machines.inOrder,
    unitByName: (name) => byUnitName.get(name),
    units: () => names,
    machineById: (id) => machines.byId(id),
    machinesByShortId: machines.byShortId,
    setTarget: (entry, id) => retarget(entry, id),
    placeOf,
    placeOn: (entry, { machine, rank }) => retarget(entry, machine.id, machines.atRank(rank)),
    setHeld: (entry, id) => {
      tellHeld?.(entry, entry.held)
      forgetHeld(entry)
      entry.held = id
      noteHeld(entry)
    },
    onHeld: (listener) => {
      tellHeld = listener
    },
    hasMetadata: (entry, machine) => machines.meets(machine, entry.shape.metadata),
    leastLoaded: (requirement, test) => machines.leastLoaded(requirement, test),
    mayBeAlive,
    review,
    replaced,
    waiting,
    stuck,
    inSilence: (attempt) => {
      silence++
      const result = attempt()
      silence--
      return result
    },
    version: () => version,
    orphanTargets,
    targetedGlobals,
    unplaced,
    takeStock,
    putUnit(unit) {
      const before = byUnitName.get(unit.name)
      acquireGlobs(unit)
      if (before !== undefined) takeOut(before)
      addUnit(unit)
      if (before !== undefined) dispose(before)
    },
    removeUnit(name) {
      const before = byUnitName.get(name)
      if (before === undefined) return
      byUnitName.delete(name)
      takeOut(before)
      dispose(before)
    },
    putMachine(machine) {
      const known = machines.byId(machine.id)
      if (known !== undefined) machines.relabel(known, machine)
      const entry = known ?? machines.join(machine)
      returnTo(entry)
      fillGlobals(entry)
      for (const member of entry.units.members) {
        review.add(member)
        if (member.followers !== undefined) wakeFollowers(member.followers, entry)
      }
      waiting.wakeByMachine(entry, (requirement) => machines.meets(entry, requirement))
      if (known === undefined) waiting.wakeByMachineId(machine.id)
    },
    removeForNow,
    noteLoads: machines.noteLoads,
    removeMachine,
  }
}
