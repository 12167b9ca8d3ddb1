/**
 * The units on one machine, counted by the globs they carry and the globs that match them: whether a unit conflicts
 * with any of them takes as many look-ups as it has globs, however many units there are.
 */
import { byName, conflictBetween, replaceBetween, type UnitEntry } from './unit-entry.ts'

export type Occupancy = {
  readonly members: ReadonlySet<UnitEntry>
  readonly add: (entry: UnitEntry) => void
  readonly remove: (entry: UnitEntry) => void
  /** Whether it conflicts with any other member; it may be a member itself. */
  readonly hasConflict: (entry: UnitEntry) => boolean
  /** The first other member by name that it conflicts with. */
  readonly firstConflict: (entry: UnitEntry) => UnitEntry | undefined
  /** Whether any other member might replace it or be replaced by it; `false` is certain. */
  readonly mayReplace: (entry: UnitEntry) => boolean
  /** The first other member by name in a Replaces relation with it. */
  readonly firstReplace: (entry: UnitEntry) => UnitEntry | undefined
}

export function createOccupancy(): Occupancy {
  const members = new Set<UnitEntry>()
  // Made when the first glob comes: many machines of a large cluster have none.
  let conflictCarriers: Counts | undefined
  let replaceCarriers: Counts | undefined
  let matches: Counts | undefined

  const countAll = ({ shape: { conflicts, replaces, matchedBy } }: UnitEntry, by: number): void => {
    if (conflicts.length > 0) conflictCarriers = counted(conflictCarriers, conflicts, by)
    if (replaces.length > 0) replaceCarriers = counted(replaceCarriers, replaces, by)
    if (matchedBy.length > 0) matches = counted(matches, matchedBy, by)
  }

  /** Whether a member but the entry itself carries a glob that matches it, or matches a glob it carries. */
  const meets = (entry: UnitEntry, own: readonly number[], carriers: Counts | undefined): boolean => {
    const { matchedBy } = entry.shape
    if (carriers !== undefined) {
      for (const glob of matchedBy) {
        const count = carriers.get(glob) ?? 0
        if (count > 1 || (count === 1 && !(own.includes(glob) && members.has(entry)))) return true
      }
    }
    if (matches !== undefined) {
      for (const glob of own) {
        const count = matches.get(glob) ?? 0
        if (count > 1 || (count === 1 && !(matchedBy.includes(glob) && members.has(entry)))) return true
      }
    }
    return false
  }

  const hasConflict = (entry: UnitEntry): boolean => meets(entry, entry.shape.conflicts, conflictCarriers)
  const mayReplace = (entry: UnitEntry): boolean => meets(entry, entry.shape.replaces, replaceCarriers)

  return {
    members,
    add: (entry) => {
      if (members.has(entry)) return
      members.add(entry)
      countAll(entry, 1)
    },
    remove: (entry) => {
      if (members.delete(entry)) countAll(entry, -1)
    },
    hasConflict,
    firstConflict: (entry) =>
      hasConflict(entry) ? firstByName(members, (other) => conflictBetween(entry, other) !== undefined) : undefined,
    mayReplace,
    firstReplace: (entry) =>
      mayReplace(entry) ? firstByName(members, (other) => replaceBetween(entry, other) !== undefined) : undefined,
  }
}

/** The member with the smallest name that the test takes. */
export function firstByName(members: Iterable<UnitEntry>, test: (entry: UnitEntry) => boolean): UnitEntry | undefined {
  let first: UnitEntry | undefined
  for (const entry of members) {
    if ((first === undefined || byName(entry, first) < 0) && test(entry)) first = entry
  }
  return first
}

/** How many members have a glob. */
type Counts = Map<number, number>

function counted(counts: Counts = new Map(), globs: readonly number[], by: number): Counts {
  for (const glob of globs) {
    const sum = (counts.get(glob) ?? 0) + by
    if (sum === 0) counts.delete(glob)
    else counts.set(glob, sum)
  }
  return counts
}
