/**
 * flanneld as a library: a subnet for this machine, leased from a store, and a kernel that follows everybody's leases.
 * Over any `Kv` and any `Kernel` port; it knows neither etcd nor `ip`.
 * @packageDocumentation
 */
export { type CheckReport, checkPeer, type Hop, type HopName } from './check.ts'
export { type CleanupOptions, type CleanupReport, cleanup } from './cleanup.ts'
export { FlannelError, type FlannelErrorCode } from './errors.ts'
export type { ExternalInterface, FindExternal } from './external.ts'
export { createFlannel } from './flannel.ts'
export { foreseeStart } from './foresee-start.ts'
export { runNetworks } from './networks.ts'
export {
  defaultPrefix,
  type Flannel,
  type FlannelConfig,
  type FlannelEnd,
  type FlannelOptions,
} from './options.ts'
export { type Overlay, planOf } from './overlay.ts'
export type { Plan } from './plan.ts'
export type { ReadOverlayOptions } from './read-network.ts'
export { readOverlay } from './read-overlay.ts'
export { readStatus } from './read-status.ts'
export type { FlannelPhase, FlannelStatus, PeerStatus } from './status.ts'
export { createVolatileSubnetFile, type SubnetFile } from './subnet-file.ts'
export type { OpenUdpTunnel, UdpTunnel, UdpTunnelFigures, UdpTunnelPeer } from './udp-tunnel.ts'
