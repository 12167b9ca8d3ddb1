/**
 * What a Linux machine does with packets: links, addresses, routes, neighbours, filter rules, and a tunnel. What all of it
 * is as values, and the smallest change between two states, is `@cluster/linux-net/state`.
 * @packageDocumentation
 */
export { LinuxNetError, type LinuxNetErrorCode } from './errors.ts'
export { type FindInterfaceOptions, findExternalInterface } from './find-external-interface.ts'
export { type KernelOptions, openKernel } from './open-kernel.ts'
export type { ProgramHost } from './run-program.ts'
export { openUdpTunnel } from './udp-tunnel/open-udp-tunnel.ts'
export {
  type OpenUdpTunnel,
  type UdpTunnel,
  type UdpTunnelCounters,
  type UdpTunnelDropReason,
  type UdpTunnelOptions,
  type UdpTunnelPeer,
  udpTunnelDropReasons,
} from './udp-tunnel/tunnel.ts'
