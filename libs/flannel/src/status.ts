/** What the service tells about itself when asked: values for people and programs, JSON as they are. */

/** How far the service is. `running` only once the first snapshot of everybody's leases is in the kernel. */
export type FlannelPhase =
  | 'starting'
  | 'waiting-for-store'
  | 'waiting-for-config'
  | 'waiting-for-interface'
  | 'acquiring'
  | 'programming'
  | 'running'
  | 'stopped'

/** Another machine of the network, by its lease. */
export type PeerStatus = {
  /** `10.5.34.0/24` */
  readonly subnet: string
  readonly publicIp: string
  /** As in the lease; empty for udp and alloc. */
  readonly backendType: string
  /** How packets go there: through the tunnel, straight to the machine, or not at all (see `reason`). */
  readonly path: 'tunnel' | 'direct' | 'none'
  /** Why there is no path: another backend, no usable data, lies over a link of this machine. */
  readonly reason?: string
  /** Seconds since this daemon last heard of the lease: written, renewed, or read anew. */
  readonly lastSeenSeconds: number
  /** Seconds until the lease ends; absent for a reservation. */
  readonly expiresInSeconds?: number
}

export type FlannelStatus = {
  readonly phase: FlannelPhase
  /** Whether containers of this machine can reach those of others now, as far as this daemon knows. */
  readonly ready: boolean
  /** Name of the network in multi-network mode. */
  readonly name?: string
  /** `10.5.0.0/16` */
  readonly network?: string
  /** As written in the configuration. */
  readonly backend?: string
  /** The tunnel device, where the backend has one. */
  readonly device?: string
  readonly external?: { readonly device: string; readonly mtu: number; readonly interfaceAddress: string }
  readonly publicIp?: string
  /** What containers must use. */
  readonly mtu?: number
  readonly lease?: {
    readonly subnet: string
    readonly key: string
    /** Seconds; absent for a reservation. Negative when it has ended and the store is away. */
    readonly expiresInSeconds?: number
    readonly renewsInSeconds?: number
  }
  readonly store: { readonly reachable: boolean; readonly unreachableSeconds?: number }
  readonly kernel: {
    /** Seconds since everything was last looked at. */
    readonly lastLookSeconds?: number
    /** How often something of ours had to be put back. */
    readonly repairs: number
    /** What the kernel refuses now, as command and reason. */
    readonly failures: readonly string[]
  }
  readonly peers: readonly PeerStatus[]
  /** Packets that the udp data plane dropped, by reason. */
  readonly drops?: Readonly<Record<string, number>>
  /** What a person should know: junk keys, a configuration that waits for a restart, a shared public address. */
  readonly problems: readonly string[]
}
