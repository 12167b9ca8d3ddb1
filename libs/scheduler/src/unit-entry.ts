/** Units prepared for planning: ranks instead of names, globs as numbers, so that no decision compares texts. */

import { SchedulerError } from './errors.ts'
import { type GlobIndex, indexGlobs } from './glob-index.ts'
import type { ClusterState, Machine, Unit } from './model.ts'
import { compareText } from './order.ts'
import type { Policy } from './policy.ts'
import { createShapeTable, type Shape, type ShapeTable } from './shape.ts'
import { isWanted } from './target-state.ts'

/** Only the cluster model writes the fields that are not `readonly`. */
export type UnitEntry = {
  readonly unit: Unit
  /** Grows with the name, but for neighbours that share one because the later came into a cluster that was planned. */
  readonly rank: number
  readonly isWanted: boolean
  readonly isGlobal: boolean
  shape: Shape
  /** The machine it has in the plan in the making, which may be gone. */
  target: string | undefined
  /** The live machine that it has there and on which it counts: it is among the units of that machine. */
  place: Place | undefined
  /** Where it is in the list of that machine. */
  slot: number
  /** The machine it has once the last plan is done, as the registry knows it. */
  held: string | undefined
  /** Units with a MachineOf on it, if any. */
  followers: ReadonlySet<UnitEntry> | undefined
}

/** What a unit knows of its machine; `placeOf` of the cluster model gives the rest. */
export type Place = { readonly machine: Machine; readonly rank: number }

/** Units with a MachineOf on this one, in name order. */
export function followersOf({ followers }: UnitEntry): readonly UnitEntry[] {
  if (followers === undefined) return noEntries
  return followers.size === 1 ? [...followers] : [...followers].sort(byName)
}

const noEntries: readonly UnitEntry[] = []

export type PreparedUnits = {
  /** In name order. */
  readonly entries: readonly UnitEntry[]
  readonly globs: GlobIndex
  readonly shapes: ShapeTable
}

/**
 * The units in name order, each where its `machine` says.
 *
 * @throws SchedulerError scheduler/duplicate-unit
 */
export function prepareUnits(units: ClusterState['units'], policy: Policy): PreparedUnits {
  const work = prepareUnitsSliced(units, policy)
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}

/** So many units are prepared between two pauses. */
export const unitsPerSlice = 1000

/** The same with pauses. */
export function* prepareUnitsSliced(
  units: ClusterState['units'],
  policy: Policy,
): Generator<undefined, PreparedUnits, undefined> {
  const sorted = sortByName(units)
  if (sorted.length >= unitsPerSlice) yield
  const globs = globsOf(sorted)
  const shapes = createShapeTable()
  const entries: UnitEntry[] = []
  // A function of its own: a loop in the generator itself was the slowest thing in a profile of explaining.
  const prepareSome = (some: readonly Unit[]): void => {
    for (const unit of some) {
      const shape = shapes.acquire(unit, globs.idOf, globs.matching(unit.name))
      entries.push(createEntry(unit, entries.length, shape, policy))
    }
  }
  for (let from = 0; from < sorted.length; from += unitsPerSlice) {
    prepareSome(sorted.slice(from, from + unitsPerSlice))
    if (entries.length % unitsPerSlice === 0) yield
  }
  return { entries, globs, shapes }
}

function globsOf(units: readonly Unit[]): GlobIndex {
  const globs = indexGlobs()
  for (const { requirements } of units) {
    for (const glob of requirements.conflicts) globs.acquire(glob)
    for (const glob of requirements.replaces) globs.acquire(glob)
  }
  return globs
}

export const createEntry = (unit: Unit, rank: number, shape: Shape, policy: Policy): UnitEntry => ({
  unit,
  rank,
  isWanted: isWanted(unit, policy),
  isGlobal: unit.requirements.global,
  shape,
  target: unit.machine,
  place: undefined,
  slot: 0,
  held: unit.machine,
  followers: undefined,
})

/** For sorting: by name, without comparing texts where ranks differ. */
export const byName = (one: UnitEntry, other: UnitEntry): number =>
  one.rank - other.rank || (one === other ? 0 : compareText(one.unit.name, other.unit.name))

function sortByName(units: ClusterState['units']): readonly Unit[] {
  // Below the surrogates the order of characters is the one that the engine compares by itself, several times as fast.
  const isPlain = !units.some(({ name }) => /[\ud800-\uffff]/.test(name))
  if (isPlain && isAscending(units)) return units
  const compare = isPlain ? compareUnits : (one: Unit, other: Unit): number => compareText(one.name, other.name)
  const sorted = [...units].sort(compare)
  const twice = sorted.find(({ name }, index) => sorted[index + 1]?.name === name)
  if (twice === undefined) return sorted
  throw new SchedulerError('scheduler/duplicate-unit', `unit ${twice.name} is in the cluster state twice`, {
    hint: 'give every unit once; the registry has one entry per name',
  })
}

function isAscending(units: ClusterState['units']): boolean {
  let last: string | undefined
  for (const { name } of units) {
    if (last !== undefined && last >= name) return false
    last = name
  }
  return true
}

function compareUnits({ name: one }: Unit, { name: other }: Unit): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

const intersect = (some: readonly number[], others: readonly number[]): boolean =>
  some.length > 0 && others.length > 0 && some.some((id) => others.includes(id))

/** Which side's Conflicts forbids the two on one machine; the glob of `other` is looked at first, as in fleet. */
export function conflictBetween(entry: UnitEntry, other: UnitEntry): 'own' | 'other' | undefined {
  if (entry === other) return undefined
  if (intersect(other.shape.conflicts, entry.shape.matchedBy)) return 'other'
  return intersect(entry.shape.conflicts, other.shape.matchedBy) ? 'own' : undefined
}

/** Which of the two replaces the other; both directions at once cancel out. */
export function replaceBetween(entry: UnitEntry, other: UnitEntry): 'replaces' | 'replaced-by' | undefined {
  if (entry === other) return undefined
  const replaces = intersect(entry.shape.replaces, other.shape.matchedBy)
  if (replaces === intersect(other.shape.replaces, entry.shape.matchedBy)) return undefined
  return replaces ? 'replaces' : 'replaced-by'
}
