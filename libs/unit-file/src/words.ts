/**
 * Words, quotes and C escapes of values, as systemd's `extract_first_word` finds them. Rules: spec/unit-files.md §3.1.
 * There is no shell in it: only blanks, quotes and backslashes mean anything.
 */
import { err, ok, type Result } from '@cluster/prelude'
import { decodeBytes, encodeText } from './byte-text.ts'

/** Which quotes and backslashes count; each key has one of these (`knownOption(...).split`). */
export type WordSyntax = {
  /** Quotes group and vanish; else they are text. */
  readonly quotes: 'undone' | 'text'
  /** `c`: `\n`, `\x20` … are undone; `dropped`: the backslash vanishes; `kept`: it is text. */
  readonly escapes: 'c' | 'dropped' | 'kept'
  /** What an unknown escape does under `c`: the value is refused, or it stays with its backslash. */
  readonly unknownEscape?: 'refuse' | 'keep'
  /** What an open quote does: the value is refused, or the text counts as quoted to its end. */
  readonly openQuote?: 'refuse' | 'allow'
  /** What ends a word, instead of blanks. Several of them side by side are one. */
  readonly separators?: string
}

/** `Environment=` and its like. */
export const escapedWords: WordSyntax = { quotes: 'undone', escapes: 'c' }
/** Commands, second try: unknown escapes stay. */
export const relaxedWords: WordSyntax = { quotes: 'undone', escapes: 'c', unknownEscape: 'keep' }
/** `ReadWritePaths=` and its like. */
export const quotedWords: WordSyntax = { quotes: 'undone', escapes: 'dropped' }
/** `Documentation=`. */
export const quotedRawWords: WordSyntax = { quotes: 'undone', escapes: 'kept' }
/** `SuccessExitStatus=` and its like. */
export const plainWords: WordSyntax = { quotes: 'text', escapes: 'dropped' }
/** Dependency lists. */
export const plainRawWords: WordSyntax = { quotes: 'text', escapes: 'kept' }
/** Values of variables put in for `$NAME`. */
export const variableWords: WordSyntax = { quotes: 'undone', escapes: 'dropped', openQuote: 'allow' }

/** Parts of a word between colons, as images and directories have them; a backslash protects a colon. */
export const colonParts: WordSyntax = { quotes: 'text', escapes: 'c', separators: ':' }

/** A word and where the text goes on; `rest` is the length of the text when it is used up. */
export type Word = { readonly word: string; readonly rest: number }

/** Why no word could be read: a quote that does not end, a backslash at the end, an unknown escape. */
export type WordError = { readonly kind: 'open-quote' | 'trailing-backslash' | 'unknown-escape' }

const blanks = ' \t\n\r'

/** The next word from `start`; `undefined` when there is none. */
export function firstWord(text: string, start: number, syntax: WordSyntax): Result<Word | undefined, WordError> {
  const from = behindSeparators(text, start, syntax)
  if (from >= text.length) return ok(undefined)
  const field = nextField(text, from, syntax)
  return field.ok ? ok({ word: field.value.word, rest: behindSeparators(text, field.value.rest, syntax) }) : field
}

const separatorsOf = ({ separators = blanks }: WordSyntax): string => separators

function behindSeparators(text: string, from: number, syntax: WordSyntax): number {
  const separators = separatorsOf(syntax)
  let index = from
  while (index < text.length && separators.includes(text[index] ?? '')) index += 1
  return index
}

/** A word that may be empty; `separator` is what ended it, absent at the end of the text. */
export type Field = Word & { readonly separator?: string }

/** What stands from `start` to the next separator, each of which counts; two side by side have an empty word between. */
export function nextField(text: string, start: number, syntax: WordSyntax): Result<Field, WordError> {
  const separators = separatorsOf(syntax)
  let index = start
  let word = ''
  let quote = ''
  while (index < text.length) {
    const character = text[index] ?? ''
    if (character === '\\' && syntax.escapes !== 'kept') {
      const undone = readEscape(text, index, quote !== '', syntax)
      if (!undone.ok) return undone
      word += undone.value.text
      index = undone.value.rest
    } else if (quote !== '') {
      if (character === quote) quote = ''
      else word += character
      index += 1
    } else if (syntax.quotes === 'undone' && (character === '"' || character === "'")) {
      quote = character
      index += 1
    } else if (separators.includes(character)) {
      return ok({ word: whole(word), rest: index + 1, separator: character })
    } else {
      word += character
      index += 1
    }
  }
  if (quote !== '' && syntax.openQuote !== 'allow') return err({ kind: 'open-quote' })
  return ok({ word: whole(word), rest: text.length })
}

/** All words; what came before an error is lost with it, see {@link wordsUntilError}. */
export function splitWords(text: string, syntax: WordSyntax): Result<readonly string[], WordError> {
  const { words, error } = wordsUntilError(text, syntax)
  return error === undefined ? ok(words) : err(error)
}

/** The words up to the end or the first error. Most keys keep the words before it. */
export function wordsUntilError(
  text: string,
  syntax: WordSyntax,
): { readonly words: readonly string[]; readonly error?: WordError } {
  const words: string[] = []
  for (let start = 0; ; ) {
    const next = firstWord(text, start, syntax)
    if (!next.ok) return { words, error: next.error }
    if (next.value === undefined) return { words }
    words.push(next.value.word)
    start = next.value.rest
  }
}

/** A word written so that `splitWords(…, escapedWords)` gives it back. */
export function quoteWord(word: string): string {
  if (/^[\w./:@%+=,~-]+$/.test(word)) return word
  let text = ''
  for (const character of word) {
    const code = character.codePointAt(0) ?? 0
    if (code >= 0xdc80 && code <= 0xdcff) text += `\\x${(code - 0xdc00).toString(16)}`
    else if (character === '"' || character === '\\') text += `\\${character}`
    else if (code < 0x20 || code === 0x7f) text += `\\x${code.toString(16).padStart(2, '0')}`
    else text += character
  }
  return `"${text}"`
}

/** The text with C escapes undone, nothing split; `undefined` if one is unknown. `zero`: what `\\x00` and its like do. */
export function unescapeText(text: string, zero: 'refused' | 'allowed' = 'refused'): string | undefined {
  let result = ''
  for (let index = 0; index < text.length; ) {
    if (text[index] !== '\\') {
      result += text[index] ?? ''
      index += 1
      continue
    }
    const isZero = zero === 'allowed' && /^(?:x00|u0000|U00000000|000)/.test(text.slice(index + 1, index + 10))
    const undone = isZero ? { text: '\0', rest: index + 1 + zeroLength(text[index + 1]) } : cEscape(text, index + 1)
    if (undone === undefined) return undefined
    result += undone.text
    index = undone.rest
  }
  return whole(result)
}

const zeroLengths: Readonly<Record<string, number>> = { x: 3, u: 5, U: 9, 0: 3 }
const zeroLength = (kind = ''): number => zeroLengths[kind] ?? 0

type Escape = { readonly text: string; readonly rest: number }

function readEscape(text: string, at: number, quoted: boolean, syntax: WordSyntax): Result<Escape, WordError> {
  const character = text[at + 1]
  const keeps = syntax.unknownEscape === 'keep'
  if (character === undefined) {
    if (keeps && !quoted) return ok({ text: '\\', rest: at + 1 })
    return syntax.openQuote === 'allow' ? ok({ text: '', rest: at + 1 }) : err({ kind: 'trailing-backslash' })
  }
  if (syntax.escapes === 'dropped') return ok({ text: character, rest: at + 2 })
  const undone = cEscape(text, at + 1)
  if (undone !== undefined) return ok(undone)
  if (syntax.separators?.includes(character)) return ok({ text: character, rest: at + 2 })
  return keeps ? ok({ text: `\\${character}`, rest: at + 2 }) : err({ kind: 'unknown-escape' })
}

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  s: ' ',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

/** systemd's `cunescape_one`; `at` is behind the backslash. Zero and what is no character are unknown. */
function cEscape(text: string, at: number): Escape | undefined {
  const character = text[at] ?? ''
  const simple = simpleEscapes[character]
  if (simple !== undefined) return { text: simple, rest: at + 1 }
  if (character === 'x') return numberEscape(text, at + 1, 2, 16, byteText)
  if (character === 'u') return numberEscape(text, at + 1, 4, 16, codeText)
  if (character === 'U')
    return numberEscape(text, at + 1, 8, 16, (code) => (isCharacter(code) ? codeText(code) : undefined))
  if (character >= '0' && character <= '7') {
    return numberEscape(text, at, 3, 8, (code) => (code > 255 ? undefined : byteText(code)))
  }
  return undefined
}

function numberEscape(
  text: string,
  from: number,
  digits: number,
  base: number,
  toText: (code: number) => string | undefined,
): Escape | undefined {
  const figures = text.slice(from, from + digits)
  if (figures.length !== digits || !(base === 16 ? /^[\da-f]+$/i : /^[0-7]+$/).test(figures)) return undefined
  const code = Number.parseInt(figures, base)
  const result = code === 0 ? undefined : toText(code)
  return result === undefined ? undefined : { text: result, rest: from + digits }
}

const byteText = (byte: number): string => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)

/** A surrogate becomes the three bytes that systemd writes for it, which are not UTF-8. */
const codeText = (code: number): string =>
  code >= 0xd800 && code <= 0xdfff
    ? byteText(0xed) + byteText(0x80 | ((code >> 6) & 0x3f)) + byteText(0x80 | (code & 0x3f))
    : String.fromCodePoint(code)

/** A Unicode character as systemd sees it: no surrogate, no non-character, nothing above U+10FFFF. */
export const isCharacter = (code: number): boolean =>
  code <= 0x10ffff &&
  !(code >= 0xd800 && code <= 0xdfff) &&
  !(code >= 0xfdd0 && code <= 0xfdef) &&
  (code & 0xfffe) !== 0xfffe

/** Bytes made by escapes side by side may be characters after all. */
const whole = (word: string): string => (/[\udc80-\udcff]/.test(word) ? decodeBytes(encodeText(word)) : word)
