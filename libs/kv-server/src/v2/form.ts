/**
 * The fields of a keys request: from the query and, for PUT and POST, from a form in the body, as Go's url.ParseQuery and
 * Request.ParseForm read them, over bytes (spec/etcd-v2.md §1.3).
 */
import type { Exchange } from '@cluster/http'
import type { ByteString } from '@cluster/kv-store'
import { quoteGo } from '../go-text.ts'
import { parseMediaType } from '../media-type.ts'
import { decodeEscapes } from './paths.ts'

/** First value of each known field, undecided what it means; absent: undefined, `name` alone: empty. */
export type Form = {
  value: ByteString | undefined
  ttl: ByteString | undefined
  dir: ByteString | undefined
  prevValue: ByteString | undefined
  prevIndex: ByteString | undefined
  prevExist: ByteString | undefined
  refresh: ByteString | undefined
  recursive: ByteString | undefined
  sorted: ByteString | undefined
  quorum: ByteString | undefined
  wait: ByteString | undefined
  waitIndex: ByteString | undefined
  stream: ByteString | undefined
}

/** A form without fields. */
export const emptyForm = (): Form => ({
  value: undefined,
  ttl: undefined,
  dir: undefined,
  prevValue: undefined,
  prevIndex: undefined,
  prevExist: undefined,
  refresh: undefined,
  recursive: undefined,
  sorted: undefined,
  quorum: undefined,
  wait: undefined,
  waitIndex: undefined,
  stream: undefined,
})

/** The largest form body: Go's limit. */
export const formSizeBytesMax = 10 * 1024 * 1024

/** What comes before `;` and parameters in nearly every PUT. */
const formType = 'application/x-www-form-urlencoded'

/** What the body of a PUT or POST is. */
export type BodyForm =
  | { readonly kind: 'form'; readonly text: ByteString }
  /** Of another type: not looked at. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'refused'; readonly cause: ByteString }

/** The form in the body, undecoded, or why there is none. */
export function bodyFormOf(exchange: Exchange): BodyForm {
  const contentType = exchange.header('content-type')
  if (contentType === undefined || contentType === '') return { kind: 'ignored' }
  if (contentType !== formType) {
    const { type, error } = parseMediaType(contentType)
    if (type === formType && isTooLarge(exchange)) return { kind: 'refused', cause: 'http: POST too large' }
    if (error !== undefined) return { kind: 'refused', cause: error }
    if (type !== formType) return { kind: 'ignored' }
  } else if (isTooLarge(exchange)) return { kind: 'refused', cause: 'http: POST too large' }
  const { body } = exchange
  const bytes = body instanceof Buffer ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return { kind: 'form', text: bytes.toString('latin1') }
}

const isTooLarge = (exchange: Exchange): boolean => exchange.isBodyCut || exchange.body.length > formSizeBytesMax

/**
 * The value of a form that is nothing but `value=…` without escapes: the usual one, read without taking it apart.
 * Undefined: read it with `addFields`.
 */
export function soleValueOf(text: ByteString): ByteString | undefined {
  if (!text.startsWith('value=')) return undefined
  const isPlain =
    text.indexOf('&') === -1 && text.indexOf('%') === -1 && text.indexOf('+') === -1 && text.indexOf(';') === -1
  return isPlain ? text.slice(6) : undefined
}

/**
 * Reads `name=value` pairs into the form; fields it has already stay. All pairs are checked, also of unknown names.
 *
 * @returns what is wrong with it in Go's words; undefined: nothing. A semicolon beats whatever else is wrong.
 */
export function addFields(form: Form, text: ByteString): ByteString | undefined {
  if (text.indexOf(';') !== -1) return 'invalid semicolon separator in query'
  let cause: ByteString | undefined
  for (let start = 0; start < text.length; ) {
    const ampersand = text.indexOf('&', start)
    const end = ampersand === -1 ? text.length : ampersand
    if (end > start) cause ??= addField(form, text, start, end)
    start = end + 1
  }
  return cause
}

function addField(form: Form, text: ByteString, start: number, end: number): ByteString | undefined {
  const pair = text.slice(start, end)
  const equals = pair.indexOf('=')
  const sentName = equals === -1 ? pair : pair.slice(0, equals)
  const sentValue = equals === -1 ? '' : pair.slice(equals + 1)
  const name = decodeEscapes(sentName, true)
  if (typeof name === 'number') return badEscape(sentName, name)
  const value = decodeEscapes(sentValue, true)
  if (typeof value === 'number') return badEscape(sentValue, value)
  if (isFieldName(name)) form[name] ??= value
  return undefined
}

const badEscape = (text: ByteString, at: number): ByteString => `invalid URL escape ${quoteGo(text.slice(at, at + 3))}`

const fieldNames: ReadonlySet<string> = new Set(Object.keys(emptyForm()))

const isFieldName = (name: string): name is keyof Form => fieldNames.has(name)
