/**
 * JSON as Go 1.19's encoding/json reads it, with its errors word for word: field names in any case, `null` leaves a field
 * as it is, the last of several fields with one name counts. Over bytes, one character each, in and out. Sources:
 * spec/etcd-v2.md §3.1, §4.3; texts are those of Go's scanner.
 */

import type { ByteString } from '@cluster/kv-store'
import { err, ok, type Result } from '@cluster/prelude'
import { quoteGo } from './go-text.ts'

/** A JSON value with everything that decoding into a Go struct looks at: all fields, in order. */
export type GoJson =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'number' }
  | { readonly kind: 'string'; readonly value: ByteString }
  | { readonly kind: 'array'; readonly items: readonly GoJson[] }
  | { readonly kind: 'object'; readonly fields: readonly (readonly [name: ByteString, value: GoJson])[] }

const depthMax = 10_000

/** A whole text as one value (json.Unmarshal), or what Go says is wrong with it. */
export function parseGoJson(text: ByteString): Result<GoJson, ByteString> {
  const scanner = new Scanner(text)
  const value = scanner.value()
  if (!value.ok) return value
  scanner.skipSpace()
  return scanner.isAtEnd ? value : err(scanner.unexpected('after top-level value'))
}

/** The first value of a text (json.Decoder): what follows it is not looked at. */
export const parseFirstGoJson = (text: ByteString): Result<GoJson, ByteString> => new Scanner(text).value()

type Frame =
  | { readonly kind: 'array'; readonly items: GoJson[] }
  | { readonly kind: 'object'; readonly fields: [ByteString, GoJson][]; key: ByteString }

class Scanner {
  readonly #text: ByteString
  #at = 0

  constructor(text: ByteString) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  skipSpace(): void {
    while (!this.isAtEnd && ' \t\r\n'.includes(this.#text.charAt(this.#at))) this.#at += 1
  }

  /** What Go says of the character here, between tokens or in a string. */
  unexpected(context: string): ByteString {
    return this.isAtEnd ? 'unexpected end of JSON input' : this.#unexpectedInToken(context)
  }

  /** What Go says of the character here inside a token: it takes the end of the text for a space. */
  #unexpectedInToken(context: string): ByteString {
    const character = this.isAtEnd ? ' ' : this.#text.charAt(this.#at)
    return `invalid character ${quoteCharacter(character)} ${context}`
  }

  /** One value from here on. Without recursion: nesting is the client's choice. */
  value(): Result<GoJson, ByteString> {
    const open: Frame[] = []
    for (;;) {
      this.skipSpace()
      const begun = this.#begin(open)
      if (!begun.ok) return begun
      let complete = begun.value
      while (complete !== undefined) {
        const frame = open.at(-1)
        if (frame === undefined) return ok(complete)
        const ended = this.#continue(frame, complete)
        if (!ended.ok) return ended
        if (!ended.value) break
        open.pop()
        complete = closed(frame)
      }
    }
  }

  /** A scalar or an empty container; undefined: a container was opened and its first value comes next. */
  #begin(open: Frame[]): Result<GoJson | undefined, ByteString> {
    const character = this.#text.charAt(this.#at)
    switch (character) {
      case '{':
      case '[': {
        if (open.length >= depthMax) return err('exceeded max depth')
        this.#at += 1
        this.skipSpace()
        if (this.#text.charAt(this.#at) === (character === '{' ? '}' : ']')) {
          this.#at += 1
          return ok(character === '{' ? { kind: 'object', fields: [] } : { kind: 'array', items: [] })
        }
        if (character === '[') open.push({ kind: 'array', items: [] })
        else {
          const key = this.#key()
          if (!key.ok) return key
          open.push({ kind: 'object', fields: [], key: key.value })
        }
        return ok(undefined)
      }
      case '"': {
        const text = this.#string()
        return text.ok ? ok({ kind: 'string', value: text.value }) : text
      }
      case 't':
        return this.#literal('true', { kind: 'bool', value: true })
      case 'f':
        return this.#literal('false', { kind: 'bool', value: false })
      case 'n':
        return this.#literal('null', { kind: 'null' })
      default:
        return /^[-0-9]$/.test(character) ? this.#number() : err(this.unexpected('looking for beginning of value'))
    }
  }

  /** Puts a value into its container. True: the container ends here. */
  #continue(frame: Frame, value: GoJson): Result<boolean, ByteString> {
    if (frame.kind === 'array') frame.items.push(value)
    else frame.fields.push([frame.key, value])
    this.skipSpace()
    const character = this.#text.charAt(this.#at)
    if (character === (frame.kind === 'array' ? ']' : '}')) {
      this.#at += 1
      return ok(true)
    }
    if (character !== ',') {
      return err(this.unexpected(frame.kind === 'array' ? 'after array element' : 'after object key:value pair'))
    }
    this.#at += 1
    if (frame.kind === 'array') return ok(false)
    this.skipSpace()
    const key = this.#key()
    if (!key.ok) return key
    frame.key = key.value
    return ok(false)
  }

  #key(): Result<ByteString, ByteString> {
    if (this.#text.charAt(this.#at) !== '"') return err(this.unexpected('looking for beginning of object key string'))
    const key = this.#string()
    if (!key.ok) return key
    this.skipSpace()
    if (this.#text.charAt(this.#at) !== ':') return err(this.unexpected('after object key'))
    this.#at += 1
    return key
  }

  #literal(word: string, value: GoJson): Result<GoJson, ByteString> {
    for (const expected of word) {
      if (this.#text.charAt(this.#at) !== expected) {
        return err(this.#unexpectedInToken(`in literal ${word} (expecting ${quoteCharacter(expected)})`))
      }
      this.#at += 1
    }
    return ok(value)
  }

  #number(): Result<GoJson, ByteString> {
    const digits = (): boolean => {
      const from = this.#at
      while (/^[0-9]$/.test(this.#text.charAt(this.#at))) this.#at += 1
      return this.#at > from
    }
    const take = (characters: string): boolean => {
      const isHere = !this.isAtEnd && characters.includes(this.#text.charAt(this.#at))
      if (isHere) this.#at += 1
      return isHere
    }
    take('-')
    if (!take('0') && !digits()) return err(this.#unexpectedInToken('in numeric literal'))
    if (take('.') && !digits()) return err(this.#unexpectedInToken('after decimal point in numeric literal'))
    if (take('eE')) {
      take('+-')
      if (!digits()) return err(this.#unexpectedInToken('in exponent of numeric literal'))
    }
    return ok({ kind: 'number' })
  }

  #string(): Result<ByteString, ByteString> {
    this.#at += 1
    let text = ''
    for (;;) {
      const from = this.#at
      while (/^[^"\\\x00-\x1f]$/.test(this.#text.charAt(this.#at))) this.#at += 1
      text += this.#text.slice(from, this.#at)
      const character = this.#text.charAt(this.#at)
      if (character === '"') {
        this.#at += 1
        return ok(validUtf8(text))
      }
      if (character !== '\\') return err(this.unexpected('in string literal'))
      this.#at += 1
      const letter = this.#text.charAt(this.#at)
      if (letter === 'u') {
        const unicode = this.#unicodeEscape()
        if (!unicode.ok) return unicode
        text += unicode.value
        continue
      }
      const plain = escapes.get(letter)
      if (plain === undefined) return err(this.#unexpectedInToken('in string escape code'))
      text += plain
      this.#at += 1
    }
  }

  /** From the `u` on; two halves of a surrogate pair are one character, one alone is U+FFFD. */
  #unicodeEscape(): Result<ByteString, ByteString> {
    const first = this.#hex4()
    if (!first.ok) return first
    let units = String.fromCharCode(first.value)
    if (
      first.value >= 0xd800 &&
      first.value < 0xdc00 &&
      /^\\u[dD][c-fC-F]/.test(this.#text.slice(this.#at, this.#at + 4))
    ) {
      this.#at += 1
      const second = this.#hex4()
      if (!second.ok) return second
      units += String.fromCharCode(second.value)
    }
    return ok(Buffer.from(units, 'utf8').toString('latin1'))
  }

  #hex4(): Result<number, ByteString> {
    this.#at += 1
    const from = this.#at
    for (; this.#at < from + 4; this.#at += 1) {
      if (!/^[0-9a-fA-F]$/.test(this.#text.charAt(this.#at))) {
        return err(this.#unexpectedInToken('in \\u hexadecimal character escape'))
      }
    }
    return ok(Number.parseInt(this.#text.slice(from, this.#at), 16))
  }
}

const closed = (frame: Frame): GoJson =>
  frame.kind === 'array' ? { kind: 'array', items: frame.items } : { kind: 'object', fields: frame.fields }

const escapes = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

/** Go shows each byte as the character of that number. */
function quoteCharacter(character: string): ByteString {
  if (character === "'") return "'\\''"
  if (character === '"') return `'"'`
  return `'${quoteGo(Buffer.from(character, 'utf8').toString('latin1')).slice(1, -1)}'`
}

const validUtf8 = (text: ByteString): ByteString =>
  /^[\x00-\x7f]*$/.test(text)
    ? text
    : Buffer.from(Buffer.from(text, 'latin1').toString('utf8'), 'utf8').toString('latin1')

/** A value that does not fit where it stands: what it is, the field (empty: the whole value) and what Go wants there. */
export type Misfit = { readonly found: string; readonly field: string; readonly wanted: string }

/** Takes the value of a field. A misfit does not stop the decoding of other fields; the first one is reported. */
export type FieldReader = (value: GoJson) => Misfit | undefined

/**
 * Reads an object field by field into whatever the readers fill.
 *
 * @param fields readers by the name of the field, which is matched in any case; unknown fields are skipped
 * @param wanted the Go type, for the misfit
 */
export function readGoFields(
  value: GoJson,
  fields: Readonly<Record<string, FieldReader>>,
  wanted: string,
): Misfit | undefined {
  if (value.kind === 'null') return undefined
  if (value.kind !== 'object') return { found: value.kind, field: '', wanted }
  const readers = new Map(Object.entries(fields).map(([name, read]) => [foldName(name), { name, read }]))
  let first: Misfit | undefined
  for (const [name, field] of value.fields) {
    const reader = readers.get(foldName(name))
    const misfit = reader?.read(field)
    if (reader === undefined || misfit === undefined) continue
    first ??= { ...misfit, field: misfit.field === '' ? reader.name : `${reader.name}.${misfit.field}` }
  }
  return first
}

/** Gives a string to `take`; null: it keeps what it has. */
export const goString =
  (take: (text: ByteString) => void): FieldReader =>
  (value) => {
    if (value.kind === 'string') take(value.value)
    else if (value.kind !== 'null') return { found: value.kind, field: '', wanted: 'string' }
    return undefined
  }

/** Gives a list of strings to `take`, with null for null; a null in it is an empty string. */
export const goStrings =
  (take: (texts: readonly ByteString[] | null) => void): FieldReader =>
  (value) => {
    if (value.kind === 'null') {
      take(null)
      return undefined
    }
    if (value.kind !== 'array') return { found: value.kind, field: '', wanted: '[]string' }
    const misfit = value.items.find((item) => item.kind !== 'string' && item.kind !== 'null')
    take(value.items.map((item) => (item.kind === 'string' ? item.value : '')))
    return misfit === undefined ? undefined : { found: misfit.kind, field: '', wanted: 'string' }
  }

/** What Go says of a misfit in a struct without a name. */
export const renderMisfit = ({ found, field, wanted }: Misfit): ByteString =>
  field === ''
    ? `json: cannot unmarshal ${found} into Go value of type ${wanted}`
    : `json: cannot unmarshal ${found} into Go struct field .${field} of type ${wanted}`

/** Go folds ASCII letters and the two characters that fold to one: the Kelvin sign and the long s. */
const foldName = (name: ByteString): ByteString =>
  name
    .replaceAll('\xe2\x84\xaa', 'k')
    .replaceAll('\xc5\xbf', 's')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
