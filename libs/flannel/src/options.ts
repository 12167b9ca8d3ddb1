/** What a caller gives to the service and what it gets: the types that an app, or fleetd, is written against. */
import type { Key, Kv } from '@cluster/kv'
import type { Kernel } from '@cluster/linux-net/state'
import type { Clock, Logger, Meter, Random } from '@cluster/prelude'
import type { CheckReport } from './check.ts'
import type { FindExternal } from './external.ts'
import type { Plan } from './plan.ts'
import type { FlannelStatus } from './status.ts'
import type { SubnetFile } from './subnet-file.ts'
import type { OpenUdpTunnel } from './udp-tunnel.ts'

/** What an operator may choose; the original's flag and default in brackets. */
export type FlannelConfig = {
  /** Hide overlay addresses behind the machine's when packets leave the overlay [`--ip-masq`, false]. */
  readonly masquerade?: boolean
  /** Let packets of the overlay pass the machine's FORWARD rules [`--iptables-forward-rules`, true]. */
  readonly forward?: boolean
  /** How long before its end the lease is renewed, 1 to 1439 [`--subnet-lease-renew-margin`, 60]. */
  readonly renewMarginMinutes?: number
  /** How often the kernel is looked at even if it reports no change. Default 10 s. */
  readonly lookIntervalMs?: number
  /** How often the filter rules are looked at [`--iptables-resync`, 5 s]. */
  readonly filterIntervalMs?: number
  /** When another machine has our lease: end, so that the machine starts anew, or take another subnet. Default `stop`. */
  readonly onLeaseTaken?: 'stop' | 'reallocate'
  /** How long to wait for an external interface at the start. Default 60 s. */
  readonly externalDeadlineMs?: number
  /** How long to race with other machines for a free subnet. Default 2 min. */
  readonly acquireDeadlineMs?: number
  /** udp: pass packets only from machines of the network and from their own subnets. Default true. */
  readonly checkSources?: boolean
}

export type FlannelOptions = {
  readonly kv: Kv
  /** Where the network stands in the store [`--etcd-prefix`, `/coreos.com/network`]; with `name`, the parent. */
  readonly prefix?: Key
  /** The network's name in multi-network mode: its keys stand below `prefix/name`. */
  readonly name?: string
  readonly kernel: Kernel
  /** The data plane of udp. Absent: a network with that backend is refused. */
  readonly openUdpTunnel?: OpenUdpTunnel
  readonly subnetFile: SubnetFile
  readonly findExternal: FindExternal
  /** Addresses of the store: a network that would swallow them is refused. Names are left out by the caller. */
  readonly storeAddresses?: readonly string[]
  readonly config?: FlannelConfig
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly meter: Meter
}

/** How a run ended without a failure: on the caller's signal, or because another machine holds our subnet. */
export type FlannelEnd = 'stopped' | 'lease-lost'

export type Flannel = {
  /**
   * Runs until the signal fires or the lease is lost to another machine. What was made in the kernel stays, so that
   * a restart loses no packet; only the udp tunnel ends with the process.
   *
   * @throws FlannelError when the overlay cannot work here; also then nothing is left half-configured
   */
  readonly run: (signal: AbortSignal) => Promise<FlannelEnd>
  /** Resolves once `status().ready` is true for the first time; with `false` when the signal fires or `run` ends before. */
  readonly ready: (signal: AbortSignal) => Promise<boolean>
  readonly status: () => FlannelStatus
  /**
   * What is different in the kernel from what it should be. Looks, changes nothing.
   *
   * @throws FlannelError `flannel/not-running` without a lease
   */
  readonly plan: (signal?: AbortSignal) => Promise<Plan>
  /**
   * The way to another machine, hop by hop.
   *
   * @param peer its subnet, an address in it, or its public address
   * @throws FlannelError `flannel/unknown-peer`, `flannel/not-running`
   */
  readonly check: (peer: string, signal?: AbortSignal) => Promise<CheckReport>
}

/** The original's default for `prefix`. */
export const defaultPrefix: Key = '/coreos.com/network'
