import { ClusterError } from '@cluster/prelude'

/** Every way in which the lab can fail. */
export type LabErrorCode =
  | 'lab/requirements'
  | 'lab/command-failed'
  | 'lab/root'
  | 'lab/not-up'
  | 'lab/already-up'
  | 'lab/unknown-machine'
  | 'lab/machine-down'
  | 'lab/timeout'
  | 'lab/bad-name'
  | 'lab/damaged-state'
  | 'lab/not-built'

/** What the lab throws when the host, a machine or the store does not do what was asked. */
export class LabError extends ClusterError<LabErrorCode> {
  override readonly name = 'LabError'
}
