/**
 * The units on one machine, counted by the globs they carry and the globs that match them: whether a unit conflicts
 * with any of them takes as many look-ups as it has globs, however many units there are.
 */
import { byName, conflictBetween, replaceBetween, type UnitEntry } from './unit-entry.ts'

/** A class because there are thousands: an object with methods of its own would take ten times the memory. */
export class Occupancy {
  /** Each knows its place in here, so that the last one can fill a gap. */
  readonly #scheduled: UnitEntry[] = []
  #globals: Set<UnitEntry> | undefined
  // Made when the first glob comes: many machines of a large cluster have none.
  #conflictCarriers: Counts | undefined
  #replaceCarriers: Counts | undefined
  #matches: Counts | undefined

  /** In no order; it must not be held while units come and go. */
  get members(): readonly UnitEntry[] {
    return this.#globals === undefined ? this.#scheduled : [...this.#scheduled, ...this.#globals]
  }

  /** Those that are not global; it must not be held while units come and go. */
  get scheduled(): readonly UnitEntry[] {
    return this.#scheduled
  }

  has(entry: UnitEntry): boolean {
    if (entry.isGlobal) return this.#globals?.has(entry) === true
    return this.#scheduled[entry.slot] === entry
  }

  add(entry: UnitEntry): void {
    if (this.has(entry)) return
    if (entry.isGlobal) {
      this.#globals ??= new Set()
      this.#globals.add(entry)
    } else entry.slot = this.#scheduled.push(entry) - 1
    this.#count(entry, 1)
  }

  remove(entry: UnitEntry): void {
    if (!this.has(entry)) return
    if (entry.isGlobal) {
      this.#globals?.delete(entry)
      if (this.#globals?.size === 0) this.#globals = undefined
    } else {
      const last = this.#scheduled.pop()
      if (last !== undefined && last !== entry) {
        this.#scheduled[entry.slot] = last
        last.slot = entry.slot
      }
    }
    this.#count(entry, -1)
  }

  /** Takes back units that were elsewhere meanwhile, without having been removed from here. */
  reclaim(): void {
    for (const [index, entry] of this.#scheduled.entries()) entry.slot = index
  }

  /** Whether it conflicts with any other member; it may be a member itself. */
  hasConflict(entry: UnitEntry): boolean {
    return this.#meets(entry, entry.shape.conflicts, this.#conflictCarriers)
  }

  /** The first other member by name that it conflicts with. */
  firstConflict(entry: UnitEntry): UnitEntry | undefined {
    if (!this.hasConflict(entry)) return undefined
    return firstByName(this.members, (other) => conflictBetween(entry, other) !== undefined)
  }

  /** Whether any other member might replace it or be replaced by it; `false` is certain. */
  mayReplace(entry: UnitEntry): boolean {
    return this.#meets(entry, entry.shape.replaces, this.#replaceCarriers)
  }

  /** The first other member by name in a Replaces relation with it. */
  firstReplace(entry: UnitEntry): UnitEntry | undefined {
    if (!this.mayReplace(entry)) return undefined
    return firstByName(this.members, (other) => replaceBetween(entry, other) !== undefined)
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
        if (count > 1 || (count === 1 && !(own.includes(glob) && this.has(entry)))) return true
      }
    }
    const matches = this.#matches
    if (matches !== undefined) {
      for (const glob of own) {
        const count = matches.get(glob) ?? 0
        if (count > 1 || (count === 1 && !(matchedBy.includes(glob) && this.has(entry)))) return true
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
