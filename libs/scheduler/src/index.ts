/**
 * Which machine should run which unit, and what must a machine do about it? Pure functions from a picture of the
 * cluster to a list of tasks.
 * @packageDocumentation
 */
export type {
  AgentState,
  ClusterState,
  ClusterTask,
  CurrentUnit,
  Machine,
  MachineTask,
  Placement,
  TargetState,
  TargetUnit,
  Unit,
} from './model.ts'
export { defaultPolicy, fleetPolicy, type Policy } from './policy.ts'
