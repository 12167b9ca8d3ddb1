/** Opens the udp backend's tunnel in a thread of its own. */
import type { UdpTunnel, UdpTunnelOptions } from './tunnel.ts'

/**
 * Opens a TUN device and a UDP socket, and moves packets between them in a thread until it is disposed of; then the
 * device and its routes are gone. Needs CAP_NET_ADMIN.
 *
 * @param workerFile the built file of `@cluster/linux-net/udp-tunnel-worker`
 */
export declare function openUdpTunnel(
  options: UdpTunnelOptions & { readonly workerFile: string | URL },
): Promise<UdpTunnel>
