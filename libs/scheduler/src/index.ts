/**
 * Which machine should run which unit, and what must a machine do about it? Pure functions from a picture of the
 * cluster to a list of tasks.
 * @packageDocumentation
 */
export { ableToRun, type MachineVerdict, type Verdict } from './able-to-run.ts'
export { applyTasks } from './apply-tasks.ts'
export {
  type BrakeDecision,
  type BrakeHistory,
  type BrakePolicy,
  type BrakeReason,
  type BrakeSituation,
  brake,
  brakeText,
  defaultBrakePolicy,
} from './brake.ts'
export { applyChange, type ClusterChange } from './change.ts'
export { checkPlacement, checkPlan, type PlanViolation } from './check-plan.ts'
export { SchedulerError, type SchedulerErrorCode } from './errors.ts'
export { explainHeld, explainUnit } from './explain.ts'
export type { ExplainOptions, Explanation, MachineExplanation, PeerState, Situation } from './explanation.ts'
export { verdictText } from './explanation-lines.ts'
export { findMachineOfCycles } from './machine-of-cycles.ts'
export type { MissingMetadata } from './metadata.ts'
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
export { type ClusterPlan, planCluster } from './plan-cluster.ts'
export { planMachine, tasksAfterFailure } from './plan-machine.ts'
export { defaultPolicy, fleetPolicy, type Policy } from './policy.ts'
export { findRemedies, type Remedy, type RemedyLimits } from './remedies.ts'
export { type Attempt, createPlanner, createPlannerSliced, type Planner, type Replan } from './replan.ts'
export { type RuleLine, ruleLine, ruleLineText, type TextOf } from './rule-line.ts'
export { type MachineTarget, type OwnMachine, targetUnits } from './target-units.ts'
export { type UnitFromTextOptions, unitFromText } from './unit-from-text.ts'
export {
  loseMachines,
  type MachineSets,
  machineSets,
  type SetOutcome,
  type SetsProgress,
  whatIf,
  whatIfLost,
} from './what-if.ts'
