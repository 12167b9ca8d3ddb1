/**
 * What the fleet v1 API talks about, under our names. How it looks on the wire is `codec.ts`'s business.
 * Source: spec/fleet.md §8; `UnitExplanation` is an addition of ours.
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
