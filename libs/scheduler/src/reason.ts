/** The reasons of tasks in fleet's words (spec/fleet.md §5.3, §5.4, §6.3), all in this place. */

import { goQuote } from '@cluster/unit-file'
import { match } from 'ts-pattern'
import type { Verdict } from './able-to-run.ts'

/** Why a unit cannot stay on its machine. `''` for the verdict that it fits. */
export function unableReason(unit: string, machine: string, verdict: Verdict): string {
  // Ahead of the rest because a lost machine takes many units along.
  if (verdict.kind === 'machine-gone') return `target Machine(${machine}) went away`
  const unable = (why: string): string => `target Machine(${machine}) unable to run unit: ${why}`
  return (
    match(verdict)
      .with({ kind: 'fits' }, () => '')
      // Nothing leaves because of a cordon.
      .with({ kind: 'cordoned' }, () => unable('the machine is cordoned'))
      .with({ kind: 'machine-id' }, ({ required }) =>
        unable(`agent ID ${goQuote(machine)} does not match required ${goQuote(required)}`),
      )
      .with({ kind: 'metadata' }, () => unable('local Machine metadata insufficient'))
      .with({ kind: 'peer-missing' }, ({ peer }) => unable(`required peer Unit(${peer}) is not scheduled locally`))
      .with({ kind: 'conflict' }, ({ unit: other, declaredBy }) =>
        // The original names the unit itself when the other one declares the conflict: vectors/fleet-scheduler, conf-018.
        unable(`found conflict with locally-scheduled Unit([${declaredBy === 'other-unit' ? unit : other}])`),
      )
      .with({ kind: 'replace' }, ({ unit: other }) => unable(`found replace with locally-scheduled Unit(${other})`))
      .exhaustive()
  )
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
