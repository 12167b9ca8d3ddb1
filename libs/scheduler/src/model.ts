/** The picture of a cluster that planners decide on. Values only; whoever observes the cluster builds it. */
import type { FleetRequirements } from '@cluster/unit-file'

/** What the user wants of a unit. */
export type TargetState = 'inactive' | 'loaded' | 'launched'

export type Machine = {
  readonly id: string
  readonly metadata: Readonly<Record<string, string>>
}

export type Unit = {
  readonly name: string
  /** Absent: the key is missing in the registry (spec/fleet.md trap 7). Policies differ in what that means. */
  readonly targetState?: TargetState
  readonly requirements: FleetRequirements
  /** The machine the unit is placed on, as the registry says; it may be gone. */
  readonly machine?: string
}

/** A cluster at one moment. Order of units and machines does not matter to any planner. */
export type ClusterState = {
  readonly machines: readonly Machine[]
  readonly units: readonly Unit[]
}

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
  readonly hash: string
}

/** A unit as this machine has it. */
export type CurrentUnit = {
  readonly name: string
  readonly state: AgentState
  /** Absent: the text on disk could not be read; counts as different from any. */
  readonly hash?: string
}

export type MachineTask =
  | { readonly kind: 'load' | 'unload' | 'start' | 'stop'; readonly unit: string; readonly reason: string }
  | { readonly kind: 'reload'; readonly reason: string }
