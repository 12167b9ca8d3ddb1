/**
 * Flags as programs in Go read them: `-name` and `--name` are the same, a value follows `=` or is the next word, the
 * first word that is no flag ends them. Pure.
 *
 * @see spec/etcd-v2.md §7.1, §7.2
 */
import { err, ok, type Result } from '@cluster/prelude'

export type FlagKind = 'boolean' | 'text' | 'integer' | 'duration' | 'list'

export type Flag = {
  readonly kind: FlagKind
  /** The first is its name, the others are other spellings of it. */
  readonly names: readonly [string, ...string[]]
  readonly summary: string
  /** As it would be given. Default: false, empty, `0`. */
  readonly default?: string
}

/** Values of declared flags, by their first name. Asking for one that was not declared is a bug. */
export type FlagValues = {
  readonly isGiven: (name: string) => boolean
  readonly isOn: (name: string) => boolean
  readonly text: (name: string) => string
  /** 64 bits, signed. */
  readonly integer: (name: string) => bigint
  readonly durationMs: (name: string) => number
  readonly list: (name: string) => readonly string[]
}

export type Flagged = { readonly values: FlagValues; readonly rest: readonly string[] }

export type WrongFlag =
  /** Not declared, without its value, or with one that is none. */
  | { readonly kind: 'incorrect'; readonly reason: string }
  /** Two spellings of one flag. */
  | { readonly kind: 'two-forms'; readonly flag: string; readonly other: string }

/** Reads flags up to the first word that is none, or behind `--`. */
export function parseFlags(flags: readonly Flag[], words: readonly string[]): Result<Flagged, WrongFlag> {
  const given = new Map<string, string[]>()
  const spellings = new Map<Flag, string>()
  const incorrect = (reason: string) => err({ kind: 'incorrect', reason } as const)
  let at = 0
  while (at < words.length) {
    const word = words[at] ?? ''
    if (!word.startsWith('-') || word === '-') break
    at++
    if (word === '--') break
    const [, name = '', value] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? []
    if (name === '' || name.startsWith('-')) return incorrect(`bad flag syntax: ${word}`)
    const flag = flags.find(({ names }) => names.includes(name))
    if (flag === undefined) return incorrect(`flag provided but not defined: -${name}`)
    const other = spellings.get(flag)
    if (other !== undefined && other !== name) return err({ kind: 'two-forms', flag: name, other })
    spellings.set(flag, name)
    const text = value ?? (flag.kind === 'boolean' ? 'true' : words[at++])
    if (text === undefined) return incorrect(`flag needs an argument: -${name}`)
    if (!isOfKind(flag.kind, text)) return incorrect(`invalid value ${JSON.stringify(text)} for flag -${name}`)
    given.set(flag.names[0], [...(given.get(flag.names[0]) ?? []), text])
  }
  return ok({ values: valuesOf(flags, given), rest: words.slice(at) })
}

function valuesOf(flags: readonly Flag[], given: ReadonlyMap<string, readonly string[]>): FlagValues {
  const defaults = new Map(flags.map((flag) => [flag.names[0], flag.default ?? '']))
  const last = (name: string): string => given.get(name)?.at(-1) ?? defaults.get(name) ?? ''
  return {
    isGiven: (name) => given.has(name),
    isOn: (name) => parseBoolean(last(name)) ?? false,
    text: last,
    integer: (name) => parseInteger(last(name)) ?? 0n,
    durationMs: (name) => parseDuration(last(name)) ?? 0,
    list: (name) => given.get(name) ?? [],
  }
}

function isOfKind(kind: FlagKind, text: string): boolean {
  switch (kind) {
    case 'boolean':
      return parseBoolean(text) !== undefined
    case 'integer':
      return parseInteger(text) !== undefined
    case 'duration':
      return parseDuration(text) !== undefined
    case 'text':
    case 'list':
      return true
    default:
      return kind satisfies never
  }
}

function parseBoolean(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  return undefined
}

/** Decimal, `0x…`, `0o…`, `0b…`, or octal after a plain zero; within 64 bits. */
function parseInteger(text: string): bigint | undefined {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.exec(text)
  if (match === null) return undefined
  const [, sign, digits = ''] = match
  const size = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits)
  const value = sign === '-' ? -size : size
  return BigInt.asIntN(64, value) === value ? value : undefined
}

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** A duration such as `1m30s` or `500ms` in milliseconds. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text)
  if (match === null) return undefined
  const [, sign, parts = ''] = match
  let sum = 0
  for (const [, size = '0', unit = ''] of parts.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    sum += Number(size) * (unitsMs[unit] ?? 0)
  }
  return sign === '-' ? -sum : sum
}

/**
 * The words after a command, flags first: everything from the first flag on (up to `--`) goes before the plain words.
 * What follows `--` stays where it is, `--` included.
 */
export function flagsFirst(words: readonly string[]): readonly string[] {
  const terminator = words.indexOf('--')
  const end = terminator === -1 ? words.length : terminator
  const firstFlag = words.slice(0, end).findIndex((word) => word.startsWith('-'))
  if (firstFlag === -1) return words
  return [...words.slice(firstFlag, end), ...words.slice(0, firstFlag), ...words.slice(end)]
}
