/** What can go wrong between us and systemd, and how D-Bus error names become our codes. */
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
  /** The identity of this machine cannot be read. */
  | 'systemd/host'

export class SystemdError extends ClusterError<SystemdErrorCode> {
  override readonly name = 'SystemdError'
}

/** Error names of the bus that say "nobody there", not "no". */
const nobodyThere: ReadonlySet<string> = new Set([
  'org.freedesktop.DBus.Error.ServiceUnknown',
  'org.freedesktop.DBus.Error.NameHasNoOwner',
  // the bus says so when the other side goes away before it answers: systemd re-executes itself
  'org.freedesktop.DBus.Error.NoReply',
  'org.freedesktop.DBus.Error.Disconnected',
  'org.freedesktop.DBus.Error.NoServer',
  'org.freedesktop.systemd1.ShuttingDown',
])

const tooSlow: ReadonlySet<string> = new Set([
  'org.freedesktop.DBus.Error.Timeout',
  'org.freedesktop.DBus.Error.TimedOut',
])

const notAllowed: ReadonlySet<string> = new Set([
  'org.freedesktop.DBus.Error.AccessDenied',
  'org.freedesktop.DBus.Error.AuthFailed',
  'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired',
])

/** systemd's answer for a unit it does not know, which is fine for everything that takes something away. */
export const noSuchUnit = 'org.freedesktop.systemd1.NoSuchUnit'

/**
 * The error for an error reply.
 *
 * @param what what was asked, such as `start of a.service`
 */
export function errorOfReply(what: string, { name, text }: { name: string; text: string }): SystemdError {
  if (nobodyThere.has(name)) {
    return new SystemdError('systemd/unavailable', `${what}: systemd does not answer on the bus: ${text}`, {
      hint: 'check that systemd runs as init of this machine and that dbus.service is active',
    })
  }
  if (tooSlow.has(name)) {
    return new SystemdError('systemd/timeout', `${what}: ${text}`, { hint: 'see systemctl list-jobs for what it does' })
  }
  if (notAllowed.has(name)) {
    return new SystemdError('systemd/refused', `${what}: systemd does not let us: ${text}`, {
      hint: 'run as root, or allow this user in polkit to manage units and unit files',
    })
  }
  return new SystemdError('systemd/refused', `${what}: systemd refused: ${text}`, {
    hint: 'see systemctl status and journalctl -u of the unit on this machine',
  })
}
