/** Names of units as systemd takes them: `prefix[@instance].type`. spec/unit-files.md §5. */
import { type Brand, err, ok, type Result } from '@cluster/prelude'
import { byteLength, byteStringOfText } from './byte-text.ts'
import { type EscapeError, escapeName, escapePath, hexEscape, unescapePath } from './escape.ts'
import { hashedName, isHashedName } from './hashed-name.ts'
import { simplifyPath } from './path-text.ts'

/** A complete valid unit name; templates too. */
export type UnitName = Brand<string, 'UnitName'>

/** The types that systemd 252 knows. */
export const unitTypes = [
  'service',
  'socket',
  'target',
  'device',
  'mount',
  'automount',
  'swap',
  'timer',
  'path',
  'slice',
  'scope',
] as const
/** A type of unit, which is the suffix of its name without the dot. */
export type UnitType = (typeof unitTypes)[number]

/** What a unit name is made of. */
export type UnitNameParts = {
  readonly name: UnitName
  readonly kind: 'plain' | 'template' | 'instance'
  readonly type: UnitType
  /** Without the type: `a@b` of `a@b.service`. */
  readonly stem: string
  /** Before the first `@`, or the whole stem. */
  readonly prefix: string
  /** Behind the first `@`; `''` unless it is an instance. Still escaped. */
  readonly instance: string
}

/** Why a text is no unit name. */
export type UnitNameError = {
  readonly kind: 'empty' | 'too-long' | 'no-type' | 'unknown-type' | 'no-prefix' | 'bad-character'
  readonly message: string
}

/** Longest unit name in bytes, type included. */
export const unitNameBytesMax = 255

const instantiableTypes: ReadonlySet<string> = new Set(['service', 'socket', 'target', 'timer', 'path'])

/** The parts of a valid unit name, or the first rule that it breaks. */
export function parseUnitName(input: string): Result<UnitNameParts, UnitNameError> {
  const error = unitNameError(input)
  if (error !== undefined) return err(error)
  const dot = input.lastIndexOf('.')
  const type = unitTypes.find((known) => known === input.slice(dot + 1))
  if (!isUnitName(input) || type === undefined) return err(unknownType(input))
  const stem = input.slice(0, dot)
  const at = stem.indexOf('@')
  if (at === -1) return ok({ name: input, kind: 'plain', type, stem, prefix: stem, instance: '' })
  const instance = stem.slice(at + 1)
  const kind = instance === '' ? 'template' : 'instance'
  return ok({ name: input, kind, type, stem, prefix: stem.slice(0, at), instance })
}

/** Whether the text is a complete valid unit name, a template's included. */
export const isUnitName = (input: string): input is UnitName => unitNameError(input) === undefined

function unitNameError(input: string): UnitNameError | undefined {
  if (input === '') return { kind: 'empty', message: 'a unit name is empty' }
  const dot = input.lastIndexOf('.')
  if (dot === -1) return { kind: 'no-type', message: `unit name “${input}” has no type, such as .service` }
  if (!unitTypes.some((type) => type === input.slice(dot + 1))) return unknownType(input)
  const bad = /[^A-Za-z0-9:_.\\@-]/u.exec(input.slice(0, dot))
  if (bad !== null) {
    return {
      kind: 'bad-character',
      message: `unit name “${input}” holds “${bad[0]}”; escape it as systemd-escape does`,
    }
  }
  if (dot === 0 || input.startsWith('@'))
    return { kind: 'no-prefix', message: `unit name “${input}” has nothing before “${input.charAt(0)}”` }
  if (byteLength(input) > unitNameBytesMax) {
    return { kind: 'too-long', message: `unit name “${input.slice(0, 40)}…” is longer than ${unitNameBytesMax} bytes` }
  }
  return undefined
}

const unknownType = (input: string): UnitNameError => ({
  kind: 'unknown-type',
  message: `unit name “${input}” does not end in a known type; known are ${unitTypes.join(', ')}`,
})

/** Whether systemd loads units of this name: templates never, instances of services, sockets, targets, timers, paths. */
export const isLoadableName = ({ kind, type }: UnitNameParts): boolean =>
  kind === 'plain' || (kind === 'instance' && instantiableTypes.has(type))

/** The absolute path that the name before its `@` or type stands for. */
export function pathOfUnitName({ name, prefix }: UnitNameParts): Result<string, EscapeError> {
  if (isHashedName(name)) return err({ kind: 'hashed', message: `“${name}” holds a hash in place of a path` })
  return unescapePath(prefix)
}

/** The template of an instance or of a template itself: `a@.service` of `a@b.service`; absent for plain units. */
export function templateName({ kind, prefix, type }: UnitNameParts): UnitName | undefined {
  const template = `${prefix}@.${type}`
  return kind !== 'plain' && isUnitName(template) ? template : undefined
}

/**
 * The template or instance with another instance: `a@.service` and `b` give `a@b.service`. Refused for plain units,
 * for an instance with characters that a name cannot hold, and where the name gets too long.
 *
 * @param instance escaped already, see `escapeName`
 */
export function instanceName(
  { kind, prefix, type, name }: UnitNameParts,
  instance: string,
): Result<UnitName, UnitNameError> {
  if (kind === 'plain') {
    return err({ kind: 'no-prefix', message: `“${name}” is no template: it has no @ before its type` })
  }
  const full = `${prefix}@${instance}.${type}`
  const error = unitNameError(full)
  if (error !== undefined) return err(error)
  if (instance === '' || !isUnitName(full)) return err({ kind: 'empty', message: `the instance of “${name}” is empty` })
  return ok(full)
}

/**
 * The slice that a unit lies in unless it says otherwise; for a slice its parent. Absent for the root slice, and for
 * slices with empty parts, which systemd refuses.
 */
export function defaultSlice(parts: UnitNameParts): string | undefined {
  if (parts.type !== 'slice')
    return parts.kind === 'instance' ? `system-${escapeName(parts.prefix)}.slice` : 'system.slice'
  if (parts.stem === '-' || !isSliceName(parts)) return undefined
  const dash = parts.stem.lastIndexOf('-')
  return dash === -1 ? '-.slice' : `${parts.stem.slice(0, dash)}.slice`
}

/** Whether a slice has no empty parts: neither a leading, a trailing nor a doubled dash. The root `-.slice` is one. */
export const isSliceName = ({ type, kind, stem }: UnitNameParts): boolean =>
  type === 'slice' && kind === 'plain' && (stem === '-' || stem.split('-').every((part) => part !== ''))

/** Whether the command takes patterns, as `stop` and `status` do, or names only, as `enable` and `start` of new units. */
export type MangleOptions = { readonly globs?: 'allowed' | 'refused' }

/**
 * What a person typed, as a unit name: a valid name stays; a path becomes a device or a mount; everything else is
 * escaped where needed and gets `.service` unless it is a name then.
 *
 * @see systemctl(1), "Parameter Syntax"
 */
export function mangleUnitName(text: string, { globs = 'refused' }: MangleOptions = {}): Result<string, UnitNameError> {
  if (isUnitName(text)) return ok(text)
  if (text === '') return err({ kind: 'empty', message: 'a unit name is empty' })
  if (globs === 'allowed' && isGlob(text) && !/[^A-Za-z0-9:_.\\@[\]!*?-]/u.test(text)) return ok(text)
  if (text.startsWith('/')) {
    const fromPath = nameOfPath(simplifyPath(text))
    if (fromPath !== undefined) return ok(fromPath)
  }
  const escaped = escapeForbidden(text, globs === 'allowed' ? /[A-Za-z0-9:_.\\@[\]!*?-]/ : /[A-Za-z0-9:_.\\@-]/)
  if (globs === 'allowed' && isGlob(escaped)) return ok(escaped)
  const name = isUnitName(escaped) ? escaped : `${escaped}.service`
  if (globs === 'allowed') return ok(name)
  const error = unitNameError(name)
  return error === undefined ? ok(name) : err(error)
}

const isGlob = (text: string): boolean => /[*?[]/.test(text)

/**
 * What systemctl says when it has to change what a person typed.
 *
 * @param operation as in “to enable”
 */
export function mangleRemarks(text: string, operation: string): readonly string[] {
  if (text === '' || isUnitName(text)) return []
  const isPattern = isGlob(text) && !/[^A-Za-z0-9:_.\\@[\]!*?-]/u.test(text)
  const pattern = `Glob pattern passed ${operation}, but globs are not supported for this.`
  const escaped = escapeForbidden(text, /[A-Za-z0-9:_.\\@-]/)
  const hint = isPattern ? '' : ' (maybe you should use systemd-escape?)'
  const change = `Invalid unit name "${text}" escaped as "${escaped}"${hint}.`
  return [...(isPattern ? [pattern] : []), ...(escaped === text ? [] : [change])]
}

/** The device or mount of a path; absent where the path cannot be escaped, and its text is taken like any other. */
function nameOfPath(path: string): string | undefined {
  const escaped = escapePath(path)
  if (!escaped.ok) return undefined
  const name = `${escaped.value}.${/^\/(dev|sys)\/./s.test(path) ? 'device' : 'mount'}`
  return name.length > unitNameBytesMax ? hashedName(name) : name
}

function escapeForbidden(text: string, allowed: RegExp): string {
  return Array.from(byteStringOfText(text), (byte) => {
    if (byte === '/') return '-'
    return allowed.test(byte) ? byte : hexEscape(byte.charCodeAt(0))
  }).join('')
}
