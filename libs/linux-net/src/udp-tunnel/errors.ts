/** What can go wrong when a tunnel is opened or while it moves packets. */
import { ClusterError } from '@cluster/prelude'

export type UdpTunnelErrorCode =
  /** This host cannot call into the C library: only the udp backend is affected. */
  | 'linux-net/ffi-unavailable'
  /** No TUN device: rights, or the kernel's module. */
  | 'linux-net/tun-unavailable'
  /** No UDP socket at that address and port. */
  | 'linux-net/udp-socket'
  /** A subnet or address in the table that is none. */
  | 'linux-net/bad-tunnel-peer'
  /** The data plane ended by itself: the device was removed, or it has a fault. */
  | 'linux-net/tunnel-ended'

export class UdpTunnelError extends ClusterError<UdpTunnelErrorCode> {
  override readonly name = 'UdpTunnelError'
}
