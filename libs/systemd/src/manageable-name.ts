/**
 * Which unit names can be handed to systemd here? One bad name in a list makes systemd fail the whole query
 * (spec/fleet.md trap 15), so every name passes this check first.
 */
import { SystemdError } from './errors.ts'

/**
 * Unit types that exist as files and can be started and stopped. Left out: `scope` (only made by programs), `swap`
 * (the machine's own affair) and the withdrawn `busname` and `snapshot`.
 */
export const manageableTypes: ReadonlySet<string> = new Set([
  'service',
  'socket',
  'timer',
  'path',
  'device',
  'mount',
  'automount',
  'target',
  'slice',
])

/** systemd's UNIT_NAME_MAX, without the final NUL. */
export const nameLengthMax = 255

/** The unit type behind the last dot of a name: `service` of `a.b.service`; `''` without a dot. */
export const typeOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1 || name.length)

/**
 * Why a name cannot be managed, or undefined when it can: wrong characters, too long, no or another type,
 * or a template without its instance.
 */
export function nameProblem(name: string): string | undefined {
  if (name.length > nameLengthMax) return `is longer than ${nameLengthMax} characters`
  if (!/^[\w:.\\@-]+$/.test(name)) return 'has characters that systemd does not allow in unit names'
  const type = typeOf(name)
  if (!manageableTypes.has(type)) return `is of no type that can be run here (${[...manageableTypes].join(', ')})`
  const stem = name.slice(0, -type.length - 1)
  if (stem === '') return 'has nothing before its type'
  if (stem.startsWith('@')) return 'starts with "@"'
  if (stem.endsWith('@') && stem.indexOf('@') === stem.length - 1) return 'is a template without an instance'
  return undefined
}

/**
 * Returns for a name that can be managed.
 *
 * @throws SystemdError `systemd/invalid-name`
 */
export function requireManageable(name: string): void {
  const problem = nameProblem(name)
  if (problem === undefined) return
  throw new SystemdError('systemd/invalid-name', `unit name ${JSON.stringify(name.slice(0, 300))} ${problem}`, {
    hint: 'use a full unit name such as web.service, or web@1.service for an instance of a template',
  })
}
