import { ClusterError } from '@cluster/prelude'

/** Why a picture of a cluster cannot be planned on. */
export type SchedulerErrorCode =
  /** A machine ID is given twice. */
  | 'scheduler/duplicate-machine'
  /** A unit name is given twice. */
  | 'scheduler/duplicate-unit'
  /** A unit text cannot be read as fleet reads it. */
  | 'scheduler/unreadable-unit'

/** What callers of this library can get wrong; a plan itself never fails. */
export class SchedulerError extends ClusterError<SchedulerErrorCode> {
  override readonly name = 'SchedulerError'
}
