/**
 * fleetd as a library: it keeps a machine registered, runs the units that belong on it, places units on machines while
 * it leads, and answers the fleet API v1. Over any `Kv` and any `UnitManager`; it knows neither etcd nor D-Bus.
 * @packageDocumentation
 */
export type { RecordStore } from './agent/local-record.ts'
export { checkListener } from './api/authorize.ts'
export { createHeldPlan, type HeldPlan, type PlacedUnits } from './engine/held-plan.ts'
export { FleetError, type FleetErrorCode } from './errors.ts'
export { createFleet, type Fleet, type FleetConfig, type FleetMachine, type FleetOptions } from './fleet.ts'
export {
  type ClusterView,
  clusterStateOf,
  currentStateOf,
  type RegistryLease,
  type RegistryMachine,
  type RegistryProblem,
  type RegistryUnit,
  type UnreadableUnit,
} from './registry/cluster-view.ts'
export type { BrakeRecord, BrakeRelease, Cordon, EngineLease, MachineObject, UnitState } from './registry/codec.ts'
export { createKeyspace, defaultPrefix, type KeyMeaning, type Keyspace } from './registry/keyspace.ts'
export {
  createRegistry,
  type HeldLease,
  type Registry,
  type StoredUnit,
  type UnitContent,
} from './registry/registry.ts'
export { createViewReader, type Touched, type ViewReader } from './registry/view-reader.ts'
export type { Sliced } from './slices.ts'
