/** The data plane of the udp backend, as much of it as the service needs. `openUdpTunnel` of `@cluster/linux-net` fits. */

/** Another machine: whatever goes to `subnet` is sent to `publicIp`. Text as `ip` prints it. */
export type UdpTunnelPeer = { readonly subnet: string; readonly publicIp: string }

/** What the data plane did since it was opened; `drops` by reason. */
export type UdpTunnelFigures = {
  readonly sentPackets: number
  readonly receivedPackets: number
  readonly drops: Readonly<Record<string, number>>
}

/** A TUN device and a socket with packets moving between them; address, MTU, up and routes are the service's business. */
export type UdpTunnel = AsyncDisposable & {
  /** The name that the kernel gave: `flannel0`. */
  readonly device: string
  /** Replaces the table as a whole. */
  readonly setPeers: (peers: readonly UdpTunnelPeer[]) => void
  readonly counters: () => UdpTunnelFigures
  /** Settles when the data plane ended by itself, with why; never after it was disposed of. */
  readonly failed: Promise<Error>
}

/** Opens the data plane; the device carries no address yet. Throws when the machine does not allow it. */
export type OpenUdpTunnel = (options: {
  /** The device's name or pattern: `flannel%d`. */
  readonly name: string
  /** Source of the answers to packets that no peer takes: the first address of our subnet. */
  readonly address: string
  readonly bind: { readonly address: string; readonly port: number }
  /** Whether datagrams must come from a peer and carry a source in its subnet. */
  readonly isSenderChecked: boolean
}) => Promise<UdpTunnel>
