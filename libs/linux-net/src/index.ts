/** What a Linux machine does with packets: links, addresses, routes, neighbours, filter rules, and a tunnel. @packageDocumentation */
export { UdpTunnelError, type UdpTunnelErrorCode } from './udp-tunnel/errors.ts'
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
