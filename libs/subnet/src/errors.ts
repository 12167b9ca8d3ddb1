import { ClusterError } from '@cluster/prelude'

/** What can end an allocation, or a subnet file. */
export type SubnetErrorCode =
  /** Every subnet between SubnetMin and SubnetMax overlaps a lease. */
  | 'subnet/out-of-subnets'
  /** Every attempt was lost to another machine. */
  | 'subnet/max-retries'
  /** The one subnet that was asked for belongs to another machine. */
  | 'subnet/taken'
  /** A store did not answer, and the policy does not try again. */
  | 'subnet/no-answer'

/** No subnet could be had. The functions here return it as data; who runs them throws it. */
export class SubnetError extends ClusterError<SubnetErrorCode> {
  override readonly name = 'SubnetError'
}
