/** The picture of a cluster that planners decide on. Values only; whoever observes the cluster builds it. */
import type { FleetRequirements } from '@cluster/unit-file'

/** What the user wants of a unit. */
export type TargetState = 'inactive' | 'loaded' | 'launched'

/** A machine that is alive. */
export type Machine = {
  readonly id: string
  readonly metadata: Readonly<Record<string, string>>
  /** `true`: it keeps what it has and gets no further scheduled unit. */
  readonly isCordoned?: boolean
}

/** A unit as the registry has it. */
export type Unit = {
  readonly name: string
  /** Absent: the key is missing in the registry (spec/fleet.md trap 7). Policies differ in what that means. */
  readonly targetState?: TargetState
  /** What the registry holds instead, when that is none of the three words (trap 6); `targetState` is absent then. */
  readonly unknownTargetState?: string
  /** Fleet's hash of the text (`hashOptions` of @cluster/unit-file): agents load a unit anew when it changes. */
  readonly hash: string
  readonly requirements: FleetRequirements
  /** The machine the unit is placed on, as the registry says; it may be gone. */
  readonly machine?: string
}

/** A cluster at one moment. Order of units and machines does not matter to any planner. */
export type ClusterState = {
  /** The machines that are alive. */
  readonly machines: readonly Machine[]
  readonly units: readonly Unit[]
  /** Target keys of units that do not exist (any more). */
  readonly orphanTargets?: readonly Placement[]
  /**
   * IDs of machines that are not listed as alive but may be: the leader is new, or the store was away for a while,
   * and one full presence TTL has not passed since (trap 5).
   */
  readonly unconfirmedMachines?: readonly string[]
}

/** A unit and the machine it is on. */
export type Placement = {
  readonly unit: string
  readonly machine: string
}

/** A step of the engine, with the reason that it logs. */
export type ClusterTask = {
  readonly kind: 'schedule' | 'unschedule'
  readonly unit: string
  readonly machine: string
  readonly reason: string
}

/** How far the agent itself has brought a unit. */
export type AgentState = 'inactive' | 'loaded' | 'launched'

/** A unit as this machine should have it. */
export type TargetUnit = {
  readonly name: string
  readonly targetState?: TargetState
  /** See `Unit.unknownTargetState`. */
  readonly unknownTargetState?: string
  readonly hash: string
}

/** A unit as this machine has it. */
export type CurrentUnit = {
  readonly name: string
  readonly state: AgentState
  /** Absent: the text on disk could not be read; counts as different from any. */
  readonly hash?: string
}

/** A step of an agent, with the reason that it logs. */
export type MachineTask =
  | { readonly kind: 'load' | 'unload' | 'start' | 'stop'; readonly unit: string; readonly reason: string }
  | { readonly kind: 'reload'; readonly reason: string }
