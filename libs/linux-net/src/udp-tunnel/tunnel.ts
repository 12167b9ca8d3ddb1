/**
 * The udp backend's data plane as the rest of us sees it: a TUN device whose packets travel as the bare content of UDP
 * datagrams, one packet each. Values and ports only, so that a service can name and fake them.
 * Rules: flannel's proxy_amd64.c as recorded in our specification of flannel, §7.1.
 */

/** Another machine: whatever goes to `subnet` is sent to `publicIp`, and only it may send what comes from `subnet`. */
export type UdpTunnelPeer = {
  /** '10.5.34.0/24'. Subnets may overlap: the longest that contains an address is its peer. */
  readonly subnet: string
  /** '10.78.0.2', where the peer's datagrams come from and ours go to. */
  readonly publicIp: string
  /** Where the peer listens; absent: the port that we are bound to, as all machines of a network share it. */
  readonly port?: number
}

/** Why a packet or datagram was not passed on. */
export const udpTunnelDropReasons = [
  /** Fewer than 20 bytes, or not as long as its header says: cut off on its way. */
  'truncated',
  /** Not IPv4, or a header that cannot be one. */
  'not-ipv4',
  /** Time to live used up. */
  'ttl-expired',
  /** From our side: no peer has this destination. Answered with "net unreachable" where the rules allow it. */
  'no-route',
  /** From a machine that is no peer. */
  'unknown-sender',
  /** From a peer, with an inner source outside its subnets. */
  'foreign-source',
  /** The kernel's queue was full for longer than we wait. */
  'queue-full',
  /** The kernel refused it: no route, a filter, a packet larger than the path takes. */
  'refused',
] as const

export type UdpTunnelDropReason = (typeof udpTunnelDropReasons)[number]

/** What the tunnel did since it was opened. Packets are those of the overlay, bytes are theirs, headers included. */
export type UdpTunnelCounters = {
  readonly sentPackets: number
  readonly sentBytes: number
  readonly receivedPackets: number
  readonly receivedBytes: number
  /** "Net unreachable" answers given to our own side. */
  readonly unreachableAnswers: number
  readonly drops: Readonly<Record<UdpTunnelDropReason, number>>
  /** System calls that moved packets: with them one sees how many packets each one carried. */
  readonly deviceReads: number
  readonly deviceWrites: number
  readonly socketReads: number
  readonly socketWrites: number
}

export type UdpTunnel = AsyncDisposable & {
  /** The name that the kernel gave: 'flannel0'. Address, MTU, up and routes are set by whoever opened the tunnel. */
  readonly device: string
  /** The port that the socket is bound to; the one asked for, or the kernel's choice for 0. */
  readonly port: number
  /**
   * Replaces the table as a whole; in effect before the next burst of packets (a burst is bounded).
   * Throws `linux-net/bad-tunnel-peer` for a subnet or address that is none.
   */
  readonly setPeers: (peers: readonly UdpTunnelPeer[]) => void
  readonly counters: () => UdpTunnelCounters
  /** Settles when the data plane ended by itself, with why; never after it was disposed of. */
  readonly failed: Promise<Error>
}

export type UdpTunnelOptions = {
  /** The device's name or pattern, default 'flannel%d'. */
  readonly name?: string
  /** The device's own address, '10.5.34.0': the source of "net unreachable" answers. */
  readonly address: string
  readonly bind: { readonly address: string; readonly port: number }
  readonly peers?: readonly UdpTunnelPeer[]
  /** Whether datagrams must come from a peer and carry a source in its subnet; default true. */
  readonly isSenderChecked?: boolean
  /** Whether packets may cross the device in bundles of up to 64 KiB; default true. False: one system call per packet. */
  readonly isBundling?: boolean
}

/** Opens a tunnel: what a service is given, a worker file already chosen. */
export type OpenUdpTunnel = (options: UdpTunnelOptions) => Promise<UdpTunnel>
