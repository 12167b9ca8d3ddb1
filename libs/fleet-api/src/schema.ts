/**
 * What the fleet v1 API talks about, under our names. How it looks on the wire is `codec.ts`'s business.
 * Source: spec/fleet.md §8; `UnitExplanation`, `FleetCordon` and `FleetBrake` are additions of ours.
 */
import type { UnitOption } from '@cluster/unit-file'

/** The three words the API takes for what the user wants of a unit. */
export const targetStates = ['inactive', 'loaded', 'launched'] as const

/** What the user wants of a unit. */
export type TargetState = (typeof targetStates)[number]

/** Whether `text` is one of the three words. Case matters. */
export const isTargetState = (text: string): text is TargetState => targetStates.some((word) => word === text)

export type FleetUnit = {
  readonly name: string
  readonly options: readonly UnitOption[]
  /** One of {@link targetStates}, or whatever else an old store holds; absent when the store holds nothing. */
  readonly targetState?: string
  /** `inactive`, `loaded`, `launched`; a global unit has `inactive` in lists and none when asked for alone. */
  readonly currentState?: string
  /** Full ID of the machine the unit is placed on. */
  readonly machineId?: string
}

/** What systemd says of a unit on one machine. */
export type FleetUnitState = {
  readonly name: string
  readonly machineId: string
  /** 40 hex digits; of the text that machine has loaded. */
  readonly hash: string
  readonly loadState: string
  readonly activeState: string
  readonly subState: string
}

export type FleetMachine = {
  readonly id: string
  readonly metadata: Readonly<Record<string, string>>
  /** `''` when the machine published none. */
  readonly primaryIp: string
  /** It gets no further scheduled units; `draining`: those that it has are to move elsewhere. An addition of ours. */
  readonly cordon?: 'cordoned' | 'draining'
}

/** A machine that gets no further scheduled units, up or not. An addition of ours. */
export type FleetCordon = {
  readonly machineId: string
  /** Those that it has are to move elsewhere, as far as they fit there. */
  readonly drain: boolean
}

/** Whether the engine holds units of lost machines back. An addition of ours. */
export type FleetBrake =
  | { readonly kind: 'idle'; readonly released: readonly string[] }
  | {
      readonly kind: 'held'
      /** IDs of the machines that vanished. */
      readonly lostMachines: readonly string[]
      /** Units that would move now, and those that did shortly before. */
      readonly wouldMove: number
      readonly moved: number
      /** How many may, of how many. */
      readonly allowed: number
      readonly placedUnits: number
      /** Since when, in milliseconds since 1970. */
      readonly sinceMs: number
      /** All of it for a person. */
      readonly text: string
      /** IDs of lost machines that somebody let go. */
      readonly released: readonly string[]
    }

/** A change of one piece of dynamic metadata. `remove` also hides a value that the machine itself configured. */
export type MetadataChange =
  | { readonly kind: 'set'; readonly machineId: string; readonly key: string; readonly value: string }
  | { readonly kind: 'remove'; readonly machineId: string; readonly key: string }

export type MachineVerdict = {
  readonly machineId: string
  readonly fits: boolean
  /** Name of the rule that decided, such as `metadata` or `conflict`; `fits` when none spoke against it. */
  readonly rule: string
  /** The same in words. */
  readonly text: string
}

/** Why a unit runs where it runs, or nowhere. */
export type UnitExplanation = {
  readonly unit: string
  /** What becomes of it: `unknown`, `not-wanted`, `global`, `placed`, `about-to-move` or `waiting`. */
  readonly situation: string
  /** All of it for a person: what, then why, one line each. */
  readonly lines: readonly string[]
  /** Where it is placed, if it is. */
  readonly machineId?: string
  readonly machines: readonly MachineVerdict[]
}
