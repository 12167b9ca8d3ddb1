/** The reasons of tasks in fleet's words (spec/fleet.md §5.3, §5.4, §6.3), all in this place. */

import { goQuote } from '@cluster/unit-file'
import type { Verdict } from './able-to-run.ts'

/** Why a unit cannot stay on its machine. `''` for the verdict that it fits. */
export function unableReason(unit: string, machine: string, verdict: Verdict): string {
  const unable = (why: string): string => `target Machine(${machine}) unable to run unit: ${why}`
  switch (verdict.kind) {
    case 'fits':
      return ''
    case 'machine-gone':
      return `target Machine(${machine}) went away`
    // Nothing leaves because of a cordon.
    case 'cordoned':
      return unable('the machine is cordoned')
    case 'machine-id':
      return unable(`agent ID ${goQuote(machine)} does not match required ${goQuote(verdict.required)}`)
    case 'metadata':
      return unable('local Machine metadata insufficient')
    case 'peer-missing':
      return unable(`required peer Unit(${verdict.peer}) is not scheduled locally`)
    case 'conflict': {
      // The original names the unit itself when the other one declares the conflict: vectors/fleet-scheduler, conf-018.
      const named = verdict.declaredBy === 'other-unit' ? unit : verdict.unit
      return unable(`found conflict with locally-scheduled Unit([${named}])`)
    }
    case 'replace':
      return unable(`found replace with locally-scheduled Unit(${verdict.unit})`)
    default:
      return verdict satisfies never
  }
}

export const inactiveReason = 'target state inactive'

const launchedReason = 'target state launched and unit not scheduled'

/** One text for all units that are to be launched: there may be a million of them. */
export const waitingReason = (targetState: string): string =>
  targetState === 'launched' ? launchedReason : `target state ${targetState} and unit not scheduled`

/** Ours: fleet never moves a unit because of its leader. */
export const followReason = (leader: string): string => `unit follows Unit(${leader}) to another machine`

/** Ours: fleet keeps such a key for ever (trap 58). */
export const globalTargetReason = 'global unit needs no target'

/** Ours: fleet keeps such a key for ever (trap 58). */
export const orphanTargetReason = 'target of a unit that does not exist'
