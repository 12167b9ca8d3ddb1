/** Unit names as fleet 1.0 sees them: what it refuses on create, and how it takes a name apart. spec/fleet.md §2.1, §2.2. */
import { err, ok, type Result } from '@cluster/prelude'
import { byteLength } from './byte-text.ts'
import { goQuote, goQuoteRune } from './go-quote.ts'

/** Unit types that fleetctl knows and the agent looks for in its directory; the suffix without its dot. */
export const fleetUnitTypes = ['service', 'socket', 'timer', 'path', 'device', 'mount', 'automount'] as const

const creatableTypes: ReadonlySet<string> = new Set([
  ...fleetUnitTypes,
  'busname',
  'scope',
  'slice',
  'snapshot',
  'swap',
  'target',
])
const templatableTypes: ReadonlySet<string> = new Set(['path', 'service', 'socket', 'target', 'timer'])
const nameBytesMax = 256

/** Why fleet does not take a name. */
export type FleetNameError = {
  readonly kind:
    | 'empty'
    | 'too-long'
    | 'no-type'
    | 'unknown-type'
    | 'type-without-templates'
    | 'bad-character'
    | 'no-prefix'
  /** Byte for byte what fleet answers. */
  readonly message: string
}

/** The parts of a name that has a dot. No characters are checked, nothing is unescaped. */
export type FleetNameParts = {
  readonly fullName: string
  /** Without the type: everything before the last dot. */
  readonly name: string
  /** Before the first `@`; the whole `name` when there is none. */
  readonly prefix: string
  /** `prefix@.type`; `''` for a plain unit. */
  readonly template: string
  /** Behind the first `@`; `''` for plain units and templates. */
  readonly instance: string
  readonly isInstance: boolean
  readonly isTemplate: boolean
}

/**
 * The name if fleet lets a unit of that name be created; otherwise the first rule it breaks, in fleet's words.
 *
 * @see spec/fleet.md §2.1
 */
export function checkFleetUnitName(name: string): Result<string, FleetNameError> {
  if (name === '') return err({ kind: 'empty', message: 'unit name cannot be empty' })
  if (byteLength(name) > nameBytesMax) {
    return err({ kind: 'too-long', message: `unit name exceeds maximum length (${nameBytesMax})` })
  }
  const dot = name.lastIndexOf('.')
  if (dot === -1) return err({ kind: 'no-type', message: 'unit name must contain "."' })
  if (dot === name.length - 1) return err({ kind: 'no-type', message: 'unit name cannot end in "."' })
  const type = name.slice(dot + 1)
  if (!creatableTypes.has(type)) return err({ kind: 'unknown-type', message: `invalid unit type: ${goQuote(type)}` })
  if (name.includes('@') && !templatableTypes.has(type)) {
    return err({ kind: 'type-without-templates', message: `invalid unit type for template: ${goQuote(type)}` })
  }
  for (const char of name.slice(0, dot)) {
    if (!/^[0-9A-Za-z:_.\\@-]$/.test(char)) {
      return err({ kind: 'bad-character', message: `invalid character ${goQuoteRune(char)} in unit name` })
    }
  }
  if (name.startsWith('@')) return err({ kind: 'no-prefix', message: 'unit name cannot start in "@"' })
  return ok(name)
}

/** The parts of a unit name as fleet cuts them; `undefined` when it has no dot. */
export function parseFleetName(fullName: string): FleetNameParts | undefined {
  const dot = fullName.lastIndexOf('.')
  if (dot === -1) return undefined
  const name = fullName.slice(0, dot)
  const at = name.indexOf('@')
  if (at === -1)
    return { fullName, name, prefix: name, template: '', instance: '', isInstance: false, isTemplate: false }
  const prefix = name.slice(0, at)
  const instance = name.slice(at + 1)
  const template = `${prefix}@${fullName.slice(dot)}`
  return { fullName, name, prefix, template, instance, isInstance: instance !== '', isTemplate: instance === '' }
}

/** Whether the name ends in one of the `fleetUnitTypes`; the agent ignores all other files. */
export const hasFleetUnitType = (name: string): boolean => fleetUnitTypes.some((type) => name.endsWith(`.${type}`))

/** The name as fleetctl completes it: `.service` is appended unless it ends in a type that fleet knows. */
export const defaultFleetSuffix = (name: string): string => (hasFleetUnitType(name) ? name : `${name}.service`)
