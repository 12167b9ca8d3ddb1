/**
 * Which machine owns which subnet of an overlay network? Pure functions: the network configuration, leases and their
 * keys, allocation as steps, when to renew, and the subnet file with the options made of it.
 * @packageDocumentation
 */
export {
  type Allocation,
  type AllocationAnswer,
  type AllocationPolicy,
  type AllocationStep,
  beginAllocation,
  carefulPolicy,
  continueAllocation,
  isFinished,
  originalPolicy,
} from './allocate.ts'
export {
  type AllocOptions,
  type BackendOptions,
  backendOptions,
  backendTypes,
  type HostGwOptions,
  type UdpOptions,
  type VxlanOptions,
} from './backend-options.ts'
export type { ConfigProblem } from './config-members.ts'
export {
  type ContainerNetwork,
  containerNetwork,
  type DockerFlags,
  podmanWords,
  type RenderedFile,
  renderDockerOptions,
  renderNspawnFiles,
} from './container-options.ts'
export { SubnetError, type SubnetErrorCode } from './errors.ts'
export { candidatesMax } from './free-subnets.ts'
export {
  contains4,
  contains6,
  formatIp4,
  formatIp6,
  formatNet4,
  formatNet6,
  type Ip4,
  type Ip6,
  type Net4,
  type Net6,
  net4,
  net6,
  overlap4,
  overlap6,
  parseIp4,
  parseIp6,
  parseNet4,
  parseNet6,
  sameNet4,
  sameNet6,
  size4,
  size6,
  toIp4,
  toIp6,
} from './ip-net.ts'
export { isJsonObject, type JsonObject, type JsonValue } from './json-text.ts'
export {
  describeSubnet,
  encodeAttributes,
  type Lease,
  type LeaseAttributes,
  type LeaseReading,
  leaseTtlSeconds,
  leaseValueLengthMax,
  parseAttributes,
  parseSubnetKey,
  readLease,
  type Subnet,
  sameSubnet,
  subnetKey,
  subnetsOverlap,
} from './lease.ts'
export { foreignWriter, type LocalRoute, type NetworkConflict, networkConflicts } from './local-conflicts.ts'
export {
  type ConfigProfile,
  type ConfigReading,
  type Ipv6Config,
  type NetworkConfig,
  parseNetworkConfig,
} from './network-config.ts'
export {
  type AllocationPlan,
  type Applicant,
  fits,
  type ListedLease,
  type Listing,
  planAllocation,
} from './plan-allocation.ts'
export {
  leaseEndMs,
  renewalDelayMs,
  renewalRetryMs,
  renewalSpread,
  renewMarginMinutes,
  renewMarginSeconds,
  renewRetryMs,
} from './renewal.ts'
export {
  gateway4,
  gateway6,
  parseSubnetEnv,
  parseVariables,
  previousSubnet,
  renderSubnetEnv,
  type SubnetEnv,
  type SubnetEnvProblem,
} from './subnet-env.ts'
