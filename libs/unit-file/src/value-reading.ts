/** What readers of values have in common: their result, systemd's findings, words and paths. */
import type { Result } from '@cluster/prelude'
import type { ExecCommand, ExpandWord } from './exec-line.ts'
import type { KnownOption } from './known-options.ts'
import { isNormalizedPath, simplifyPath } from './path-text.ts'
import type { ValueFinding } from './unit-message.ts'
import { type WordError, type WordSyntax, wordsUntilError } from './words.ts'

/** What becomes of a value. */
export type ValueReading = {
  /** What is kept: the words of a list, one entry for a single value; absent when the assignment is ignored. */
  readonly values?: readonly string[]
  readonly commands?: readonly ExecCommand[]
  readonly findings: readonly ValueFinding[]
  /** Reading of the file ends here and, if it is the main file, the unit is refused. */
  readonly stop?: 'bad-setting' | 'error'
}

/** A non-empty value (or an empty one that is no reset) and where it stands. */
export type ValueInput = {
  readonly unitName: string
  readonly section: string
  readonly key: string
  readonly value: string
  readonly option: KnownOption
  /** Whether an earlier assignment to the key was kept. */
  readonly isSet: boolean
  readonly expand: ExpandWord
}

/** How values of one type are read. */
export type Reader = (input: ValueInput) => ValueReading

/** A finding of which the unit loads all the same. */
export const warning = (text: string): ValueFinding => ({ priority: 'warning', text })
/** A finding of error priority; whether it refuses the unit is another question. */
export const error = (text: string): ValueFinding => ({ priority: 'error', text })
/** The value stays. */
export const kept = (value: string): ValueReading => ({ values: [value], findings: [] })
/** The assignment is lost. */
export const ignored = (...findings: readonly ValueFinding[]): ValueReading => ({ findings })
/** The unit is refused, if this is its main file. */
export const refused = (finding: ValueFinding): ValueReading => ({ findings: [finding], stop: 'bad-setting' })

/** The whole value with specifiers replaced, then `read`. */
export function expanded(input: ValueInput, read: (value: string) => ValueReading): ValueReading {
  const value = input.expand(input.value)
  if (value.ok) return read(value.value)
  return ignored(warning(`Failed to resolve unit specifiers in '${input.value}', ignoring: ${value.error.message}`))
}

/** Each word by itself; a bad one is left out. */
export function readWords(
  input: ValueInput,
  syntax: WordSyntax,
  invalid: (value: string, broken: WordError['kind']) => string,
  readWord: (word: string) => string | ValueFinding,
  unresolved = (word: string, message: string): string =>
    `Failed to resolve unit specifiers in '${word}', ignoring: ${message}`,
): ValueReading {
  const { words, error: broken } = wordsUntilError(input.value, syntax)
  const values: string[] = []
  const findings: ValueFinding[] = []
  for (const word of words) {
    const text: Result<string, { readonly message: string }> = input.option.specifiers
      ? input.expand(word)
      : { ok: true, value: word }
    const read = text.ok ? readWord(text.value) : warning(unresolved(word, text.error.message))
    if (typeof read === 'string') values.push(read)
    else findings.push(read)
  }
  if (broken !== undefined) findings.push(warning(invalid(input.value, broken.kind)))
  return { values, findings }
}

/** What most lists say of a quote that does not end or a wrong escape. */
export const invalidSyntax = (value: string): string => `Invalid syntax, ignoring: ${value}`

/** An absolute normalized path, simplified, or systemd's complaint. */
export function readPath(key: string, path: string, ending = ', ignoring'): string | ValueFinding {
  if (!path.startsWith('/')) return error(`${key}= path is not absolute${ending}: ${path}`)
  const simple = simplifyPath(path)
  return isNormalizedPath(simple) ? simple : error(`${key}= path is not normalized${ending}: ${simple}`)
}

/** A path that may be relative, simplified, or systemd's complaint. */
export function readAnyPath(key: string, path: string): string | ValueFinding {
  const simple = simplifyPath(path)
  return isNormalizedPath(simple) ? simple : error(`${key}= path is not normalized, ignoring: ${simple}`)
}

/** A path below another one, simplified, or systemd's complaint. */
export const readRelativePath = (key: string, path: string): string | ValueFinding =>
  path.startsWith('/') ? error(`${key}= path is absolute, ignoring: ${path}`) : readAnyPath(key, path)

/** A value that is kept or not, without a change. */
export const single =
  (complaint: string, accepts: (value: string) => boolean): Reader =>
  ({ value }) =>
    accepts(value) ? kept(value) : ignored(warning(`${complaint}, ignoring: ${value}`))
