import { ClusterError } from '@cluster/prelude'

export type FleetErrorCode =
  /** Another live machine uses the same machine ID. */
  | 'fleet/machine-id-in-use'
  /** What the registry holds for this unit cannot be read. */
  | 'fleet/unreadable-unit'
  /** A listener would be open to the network. */
  | 'fleet/insecure-listener'
  /** What this process remembers on disk cannot be read or written. */
  | 'fleet/local-record'

/** A failure of the fleet service itself; the store's and systemd's failures keep their own codes. */
export class FleetError extends ClusterError<FleetErrorCode> {
  override readonly name = 'FleetError'
}
