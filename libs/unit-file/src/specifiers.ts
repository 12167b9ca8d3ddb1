/** systemd's `%` specifiers, as version 252 expands them when it loads a unit. spec/unit-files.md §6. */
import { err, ok, type Result } from '@cluster/prelude'
import { type EscapeError, unescapeName, unescapePath } from './escape.ts'
import { parentPath } from './path-text.ts'
import { parseUnitName, pathOfUnitName, type UnitNameParts } from './unit-name.ts'

/** Everything about a machine and its manager that a specifier may ask for. */
export type SpecifierContext = {
  readonly scope: 'system' | 'user'
  /** systemd's word: `x86-64`, `arm64` … */
  readonly architecture: string
  /** 32 hexadecimal digits. */
  readonly machineId: string
  /** 32 hexadecimal digits, no dashes. */
  readonly bootId: string
  readonly hostName: string
  /** From machine-info; without one the host name up to its first dot counts. */
  readonly prettyHostName?: string
  readonly kernelRelease: string
  /** Fields of os-release by their names; a missing one is empty text. */
  readonly osRelease: Readonly<Record<string, string>>
  /** User, group, home and shell of the manager, not of the unit's `User=`. */
  readonly user: string
  readonly uid: number
  readonly group: string
  readonly gid: number
  readonly home: string
  readonly shell: string
  readonly runtimeDir: string
  readonly stateDir: string
  readonly cacheDir: string
  readonly logsDir: string
  readonly configDir: string
  readonly tmpDir: string
  readonly varTmpDir: string
  readonly credentialsDir: string
  /** Path of the unit's main file; also what its drop-ins see. */
  readonly fragmentPath?: string
}

/** A specifier that cannot be expanded. */
export type SpecifierError = {
  readonly kind: 'unknown-specifier' | 'no-value' | 'invalid-unit-name'
  /** The specifier without its `%`. */
  readonly specifier: string
  /** systemd's word for it: `Invalid slot` for an unknown specifier, `Invalid argument` for one without a value. */
  readonly message: string
}

/**
 * The text with specifiers replaced, once, from left to right; what is put in is not looked at again. `%%` is `%`. A `%`
 * at the end or before something that is neither letter nor digit stays.
 *
 * @param unitName of the loaded unit: the target's where the text stands in an alias
 */
export function expandSpecifiers(
  unitName: string,
  text: string,
  context: SpecifierContext,
): Result<string, SpecifierError> {
  return expand(unitName, text, (specifier, unit) => lookUp(specifier, unit, context))
}

/** Specifiers that `enable` expands in `[Install]`: those of the name and of the machine, none of paths. */
const installSpecifiers = /[ijnNpaAbBHlqmMovwWgGuU]/

/** `expandSpecifiers` as `systemctl enable` does it in `[Install]`, where only some of them are known. */
export function expandInstallSpecifiers(
  unitName: string,
  text: string,
  context: SpecifierContext,
): Result<string, SpecifierError> {
  return expand(unitName, text, (specifier, unit) =>
    installSpecifiers.test(specifier) ? lookUp(specifier, unit, context) : unknown,
  )
}

type Value = Result<string, { readonly kind: keyof typeof noValueMessages }> | typeof unknown
const unknown = 'unknown-specifier'

/** The system's words for why a specifier has no value. */
const noValueMessages = {
  'bad-escape': 'Invalid argument',
  'not-normalized': 'Invalid argument',
  empty: 'Invalid argument',
  hashed: 'File name too long',
  'no-file': 'No such file or directory',
} as const satisfies Readonly<Record<EscapeError['kind'] | 'no-file', string>>

function expand(
  unitName: string,
  text: string,
  valueFor: (specifier: string, unit: UnitNameParts) => Value,
): Result<string, SpecifierError> {
  if (!text.includes('%')) return ok(text)
  const unit = parseUnitName(unitName)
  if (!unit.ok) return err({ kind: 'invalid-unit-name', specifier: '', message: unit.error.message })
  let expanded = ''
  let rest = 0
  for (let at = text.indexOf('%'); at !== -1 && at + 1 < text.length; at = text.indexOf('%', rest)) {
    expanded += text.slice(rest, at)
    const specifier = text.charAt(at + 1)
    rest = at + 2
    const value = specifier === '%' ? ok('%') : valueFor(specifier, unit.value)
    if (value !== unknown) {
      if (!value.ok) return err({ kind: 'no-value', specifier, message: noValueMessages[value.error.kind] })
      expanded += value.value
    } else if (/[A-Za-z0-9]/.test(specifier)) {
      return err({ kind: unknown, specifier, message: 'Invalid slot' })
    } else expanded += `%${specifier}`
  }
  return ok(expanded + text.slice(rest))
}

function lookUp(specifier: string, unit: UnitNameParts, context: SpecifierContext): Value {
  switch (specifier) {
    case 'I':
      return unescapeName(unit.instance)
    case 'P':
      return unescapeName(unit.prefix)
    case 'J':
      return unescapeName(lastComponent(unit))
    case 'f':
      return unit.kind === 'instance' ? unescapePath(unit.instance) : pathOfUnitName(unit)
    case 'y':
    case 'Y': {
      const path = context.fragmentPath
      if (path === undefined) return err({ kind: 'no-file' })
      return ok(specifier === 'y' ? path : parentPath(path))
    }
    default: {
      const value =
        nameValue(specifier, unit) ?? machineValue(specifier, context) ?? pathValue(specifier, unit, context)
      return value === undefined ? unknown : ok(value)
    }
  }
}

function nameValue(specifier: string, unit: UnitNameParts): string | undefined {
  switch (specifier) {
    case 'n':
      return unit.name
    case 'N':
      return unit.stem
    case 'p':
      return unit.prefix
    case 'i':
      return unit.instance
    case 'j':
      return lastComponent(unit)
    // Deprecated; systemd still takes them, with values that nobody can use.
    case 'c':
      return `/${unit.name}`
    case 'r':
    case 'R':
      return ''
    default:
      return undefined
  }
}

function machineValue(specifier: string, context: SpecifierContext): string | undefined {
  switch (specifier) {
    case 'a':
      return context.architecture
    case 'A':
      return context.osRelease['IMAGE_VERSION'] ?? ''
    case 'b':
      return context.bootId
    case 'B':
      return context.osRelease['BUILD_ID'] ?? ''
    case 'g':
      return context.group
    case 'G':
      return String(context.gid)
    case 'h':
      return context.home
    case 'H':
      return context.hostName
    case 'l':
      return shortHostName(context)
    case 'm':
      return context.machineId
    case 'M':
      return context.osRelease['IMAGE_ID'] ?? ''
    case 'o':
      return context.osRelease['ID'] ?? ''
    case 'q':
      return context.prettyHostName || shortHostName(context)
    case 's':
      return context.shell
    case 'u':
      return context.user
    case 'U':
      return String(context.uid)
    case 'v':
      return context.kernelRelease
    case 'w':
      return context.osRelease['VERSION_ID'] ?? ''
    case 'W':
      return context.osRelease['VARIANT_ID'] ?? ''
    default:
      return undefined
  }
}

const shortHostName = ({ hostName }: SpecifierContext): string => hostName.replace(/\..*/s, '')

function pathValue(specifier: string, unit: UnitNameParts, context: SpecifierContext): string | undefined {
  switch (specifier) {
    case 'C':
      return context.cacheDir
    case 'd':
      return `${context.credentialsDir}/${unit.name}`
    case 'E':
      return context.configDir
    case 'L':
      return context.logsDir
    case 'S':
      return context.stateDir
    case 't':
      return context.runtimeDir
    case 'T':
      return context.tmpDir
    case 'V':
      return context.varTmpDir
    default:
      return undefined
  }
}

/**
 * What stands behind the last dash of the prefix. Empty when the prefix ends in a dash, also for `%J`, where systemd
 * 252 aborts (trap 26).
 */
const lastComponent = ({ prefix }: UnitNameParts): string => prefix.slice(prefix.lastIndexOf('-') + 1)
