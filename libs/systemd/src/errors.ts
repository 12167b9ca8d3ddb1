import { ClusterError } from '@cluster/prelude'

export type SystemdErrorCode =
  /** No bus, or no systemd behind it. */
  | 'systemd/unavailable'
  | 'systemd/timeout'
  /** systemd said no to this unit. */
  | 'systemd/refused'
  /** The name is not a unit that can be loaded here. */
  | 'systemd/invalid-name'
  /** The unit directory cannot be read or written. */
  | 'systemd/directory'
  /** journalctl is missing or failed. */
  | 'systemd/journal'

export class SystemdError extends ClusterError<SystemdErrorCode> {
  override readonly name = 'SystemdError'
}
