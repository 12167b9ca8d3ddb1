/** Units prepared for planning: ranks instead of names, globs as numbers, so that no decision compares texts. */

import { SchedulerError } from './errors.ts'
import { indexGlobs } from './glob-index.ts'
import type { ClusterState, Unit } from './model.ts'
import { compareText } from './order.ts'
import type { Policy } from './policy.ts'
import { isWanted } from './target-state.ts'

export type UnitEntry = {
  readonly unit: Unit
  /** Place in the order of names. */
  readonly rank: number
  readonly isWanted: boolean
  readonly isGlobal: boolean
  readonly machineOf: readonly string[]
  /** Numbers of its own Conflicts globs. */
  readonly conflicts: readonly number[]
  /** Numbers of its own Replaces globs. */
  readonly replaces: readonly number[]
  /** Numbers of all globs, of whichever unit and kind, that match its name. */
  readonly matchedBy: readonly number[]
}

/**
 * The units in name order.
 *
 * @throws SchedulerError scheduler/duplicate-unit
 */
export function prepareUnits(units: ClusterState['units'], policy: Policy): readonly UnitEntry[] {
  const sorted = [...units].sort((one, other) => compareText(one.name, other.name))
  const globs = indexGlobs(sorted.flatMap(({ requirements }) => [...requirements.conflicts, ...requirements.replaces]))
  const idsOf = (patterns: readonly string[]): readonly number[] =>
    patterns.length === 0 ? none : [...new Set(patterns)].flatMap((pattern) => globs.idOf(pattern) ?? [])
  return sorted.map((unit, rank) => {
    if (rank > 0 && sorted[rank - 1]?.name === unit.name) {
      throw new SchedulerError('scheduler/duplicate-unit', `unit ${unit.name} is in the cluster state twice`, {
        hint: 'give every unit once; the registry has one entry per name',
      })
    }
    const matchedBy = globs.matching(unit.name)
    return {
      unit,
      rank,
      isWanted: isWanted(unit, policy),
      isGlobal: unit.requirements.global,
      machineOf: unit.requirements.machineOf,
      conflicts: idsOf(unit.requirements.conflicts),
      replaces: idsOf(unit.requirements.replaces),
      matchedBy: matchedBy.length === 0 ? none : matchedBy,
    }
  })
}

const none: readonly number[] = []

const intersect = (some: readonly number[], others: readonly number[]): boolean =>
  some.length > 0 && others.length > 0 && some.some((id) => others.includes(id))

/** Which side's Conflicts forbids the two on one machine; the glob of `other` is looked at first, as in fleet. */
export function conflictBetween(entry: UnitEntry, other: UnitEntry): 'own' | 'other' | undefined {
  if (entry === other) return undefined
  if (intersect(other.conflicts, entry.matchedBy)) return 'other'
  return intersect(entry.conflicts, other.matchedBy) ? 'own' : undefined
}

/** Which of the two replaces the other; both directions at once cancel out. */
export function replaceBetween(entry: UnitEntry, other: UnitEntry): 'replaces' | 'replaced-by' | undefined {
  if (entry === other) return undefined
  const replaces = intersect(entry.replaces, other.matchedBy)
  if (replaces === intersect(other.replaces, entry.matchedBy)) return undefined
  return replaces ? 'replaces' : 'replaced-by'
}
