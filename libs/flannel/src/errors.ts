import { ClusterError } from '@cluster/prelude'

/** Why the overlay of this machine cannot go on. Each ends `run`: the caller reports it and exits with status 1. */
export type FlannelErrorCode =
  /** An option of the caller that no network could work with. */
  | 'flannel/bad-option'
  /** `Backend.Type` is none that exists, or one that this program does not have. */
  | 'flannel/unknown-backend'
  /** The backend does not work with this configuration or on this machine: host-gw behind NAT, udp without TUN. */
  | 'flannel/unusable-backend'
  /** No interface towards the other machines was found in time. */
  | 'flannel/no-external-interface'
  /** Network lies over what this machine reaches otherwise: a link of its own, or the store. */
  | 'flannel/network-overlaps'
  /** A device of our name is there and is not ours. */
  | 'flannel/foreign-device'
  /** All subnets from SubnetMin to SubnetMax are taken. */
  | 'flannel/out-of-subnets'
  /** The one subnet that was asked for belongs, or overlaps one that belongs, to another machine. */
  | 'flannel/lease-taken'
  /** Other machines were faster each time, until the deadline. */
  | 'flannel/no-lease'
  /** The kernel did not take what must be there before anything else: no rights, no module. */
  | 'flannel/kernel-refused'
  /** The subnet file can be neither read nor written. */
  | 'flannel/subnet-file'
  /** Nobody tells which network is meant. */
  | 'flannel/unknown-network'
  /** Something was asked that only a machine with a lease can answer. */
  | 'flannel/not-running'
  /** Somebody asked for a machine of the network that has no lease. */
  | 'flannel/unknown-peer'

/** A failure of the overlay service. Recognise it by its code. */
export class FlannelError extends ClusterError<FlannelErrorCode> {
  override readonly name = 'FlannelError'
}
