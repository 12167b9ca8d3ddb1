/**
 * The units on one machine, counted by the globs they carry and the globs that match them: whether a unit conflicts
 * with any of them takes as many look-ups as it has globs, however many units there are.
 */
import { byName, conflictBetween, replaceBetween, type UnitEntry } from './unit-entry.ts'

/** A class because there are thousands: an object with methods of its own would take ten times the memory. */
export class Occupancy {
  readonly #members = new Set<UnitEntry>()
  // Made when the first glob comes: many machines of a large cluster have none.
  #conflictCarriers: Counts | undefined
  #replaceCarriers: Counts | undefined
  #matches: Counts | undefined

  get members(): ReadonlySet<UnitEntry> {
    return this.#members
  }

  /** Whether it was not there before. */
  add(entry: UnitEntry): boolean {
    if (this.#members.has(entry)) return false
    this.#members.add(entry)
    this.#count(entry, 1)
    return true
  }

  remove(entry: UnitEntry): void {
    if (this.#members.delete(entry)) this.#count(entry, -1)
  }

  /** Whether it conflicts with any other member; it may be a member itself. */
  hasConflict(entry: UnitEntry): boolean {
    return this.#meets(entry, entry.shape.conflicts, this.#conflictCarriers)
  }

  /** The first other member by name that it conflicts with. */
  firstConflict(entry: UnitEntry): UnitEntry | undefined {
    if (!this.hasConflict(entry)) return undefined
    return firstByName(this.#members, (other) => conflictBetween(entry, other) !== undefined)
  }

  /** Whether any other member might replace it or be replaced by it; `false` is certain. */
  mayReplace(entry: UnitEntry): boolean {
    return this.#meets(entry, entry.shape.replaces, this.#replaceCarriers)
  }

  /** The first other member by name in a Replaces relation with it. */
  firstReplace(entry: UnitEntry): UnitEntry | undefined {
    if (!this.mayReplace(entry)) return undefined
    return firstByName(this.#members, (other) => replaceBetween(entry, other) !== undefined)
  }

  #count({ shape: { conflicts, replaces, matchedBy } }: UnitEntry, by: number): void {
    if (conflicts.length > 0) this.#conflictCarriers = counted(this.#conflictCarriers, conflicts, by)
    if (replaces.length > 0) this.#replaceCarriers = counted(this.#replaceCarriers, replaces, by)
    if (matchedBy.length > 0) this.#matches = counted(this.#matches, matchedBy, by)
  }

  /** Whether a member but the entry itself carries a glob that matches it, or matches a glob it carries. */
  #meets(entry: UnitEntry, own: readonly number[], carriers: Counts | undefined): boolean {
    const { matchedBy } = entry.shape
    if (carriers !== undefined) {
      for (const glob of matchedBy) {
        const count = carriers.get(glob) ?? 0
        if (count > 1 || (count === 1 && !(own.includes(glob) && this.#members.has(entry)))) return true
      }
    }
    const matches = this.#matches
    if (matches !== undefined) {
      for (const glob of own) {
        const count = matches.get(glob) ?? 0
        if (count > 1 || (count === 1 && !(matchedBy.includes(glob) && this.#members.has(entry)))) return true
      }
    }
    return false
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
