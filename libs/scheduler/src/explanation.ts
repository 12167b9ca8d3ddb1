/** What there is to say about where a unit runs. */
import type { MachineVerdict } from './able-to-run.ts'
import type { TargetState } from './model.ts'
import type { RuleLine, TextOf } from './rule-line.ts'

/** Where a unit is, or why it is nowhere. */
export type Situation =
  /** Nobody has a unit of this name. */
  | { readonly kind: 'unknown' }
  /** `reason`: it should not run, or the registry does not say (`targetState` is absent, or a word nobody knows). */
  | { readonly kind: 'not-wanted'; readonly reason: 'inactive' | 'target-state-missing' | 'target-state-unknown' }
  /** It runs on every machine that fits. */
  | { readonly kind: 'global'; readonly machines: readonly string[] }
  | { readonly kind: 'placed'; readonly machine: string; readonly isConfirmed: boolean }
  /** The next plan puts it there; `from` is where it is until then, `reason` why it leaves or comes. */
  | { readonly kind: 'about-to-move'; readonly machine: string; readonly from?: string; readonly reason: string }
  /**
   * No machine can have it. `from` is where it is until the next plan takes it away, `lost` the machine that is gone
   * and on which it would go on.
   */
  | { readonly kind: 'waiting'; readonly from?: string; readonly reason?: string; readonly lost?: string }

/** What a unit named in MachineOf is doing. */
export type PeerState =
  | { readonly peer: string; readonly kind: 'missing' | 'waiting' | 'inactive' | 'global' }
  | { readonly peer: string; readonly kind: 'placed'; readonly machine: string }

/** What a machine says to a unit, and the line of a unit file that decides it. */
export type MachineExplanation = MachineVerdict & {
  /** Absent when no line decides (`fits`, `cordoned`, `machine-gone`), or the text is not at hand. */
  readonly line?: RuleLine
}

/** What an explanation may draw on beside the cluster. */
export type ExplainOptions = {
  /** Texts of unit files: with them every verdict that rests on a line has it, in `machines` and in `lines`. */
  readonly textOf?: TextOf
}

/** All that there is to say about one unit: for programs in its fields, for people in `lines`. */
export type Explanation = {
  readonly unit: string
  readonly targetState?: TargetState
  readonly situation: Situation
  /** By machine ID; what each would say once the plan is done. */
  readonly machines: readonly MachineExplanation[]
  readonly peers: readonly PeerState[]
  /** A chain of MachineOf that leads back to where it began, when the unit is in one or waits for one. */
  readonly cycle?: readonly string[]
  /** All of it for a person: what, then why, one line each. */
  readonly lines: readonly string[]
}
