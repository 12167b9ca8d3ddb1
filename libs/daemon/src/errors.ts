import { ClusterError } from '@cluster/prelude'

export type DaemonErrorCode =
  /** A flag that there is not, or one without its value. */
  | 'daemon/usage'
  /** A word on the command line that is not a flag. */
  | 'daemon/unexpected-argument'
  /** A value in the file, the environment or a flag that cannot be right. */
  | 'daemon/bad-config'
  /** The configuration file cannot be read. */
  | 'daemon/config-file'
  /** A duration that is not one, outside a configuration. */
  | 'daemon/shutdown-timeout'

export class DaemonError extends ClusterError<DaemonErrorCode> {
  override readonly name = 'DaemonError'
}
