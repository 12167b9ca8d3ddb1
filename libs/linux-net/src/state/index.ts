/**
 * A machine's network as values: what is there, what should be there, and the smallest change between the two. No I/O:
 * everything here runs on any machine.
 * @packageDocumentation
 */
export { batchLine, commandText, type NetworkCommand, programOf } from './command.ts'
export { diff, type NetworkPlan, type Refusal, removal } from './diff.ts'
export {
  chooseExternalInterface,
  type ExternalInterface,
  type InterfaceOptions,
  type NoInterface,
} from './external-interface.ts'
export {
  type FilterMode,
  type FilterNames,
  type FilterPlan,
  filterLines,
  filterNames,
  filterPlan,
  type ObservedFilter,
  type OverlayFilter,
} from './filter.ts'
export type { Failure, FailureReason, Kernel, KernelChange, KernelFilter, RouteLookup } from './kernel.ts'
export { createModelKernel, type ModelKernel, type ModelKernelOptions } from './model-kernel.ts'
export {
  type Address,
  emptyState,
  type ForwardingEntry,
  type Link,
  type Neighbour,
  type NetworkState,
  type Route,
  type VxlanOptions,
} from './network-state.ts'
export { connectedRoutesInside, type OwnedDevice, type Ownership, routeProtocol } from './ownership.ts'
