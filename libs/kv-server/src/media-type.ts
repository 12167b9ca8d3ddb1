/**
 * Content types as Go 1.19's mime package reads them, with its errors: the server refuses a PUT or POST whose type cannot
 * be parsed, whatever its body is (spec/etcd-v2.md §1.3).
 */

export type MediaType = {
  /** Lower case, without parameters; empty when the type itself is wrong. */
  readonly type: string
  /** What Go says is wrong; undefined: nothing. */
  readonly error: string | undefined
}

const tokenStart = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]*/

/** Splits a token off the beginning of `text`. */
const takeToken = (text: string): string => tokenStart.exec(text)?.[0] ?? ''

const trimStart = (text: string): string => text.replace(/^[\t\n\v\f\r ]+/, '')
const trim = (text: string): string => trimStart(text).replace(/[\t\n\v\f\r ]+$/, '')

/** A content type and its first error, in the order in which Go finds them. */
export function parseMediaType(header: string): MediaType {
  const semicolon = header.indexOf(';')
  const type = trim((semicolon === -1 ? header : header.slice(0, semicolon)).toLowerCase())
  const typeError = checkType(type)
  if (typeError !== undefined) return { type: '', error: typeError }
  return parseParameters(type, semicolon === -1 ? '' : header.slice(semicolon))
}

function checkType(type: string): string | undefined {
  const main = takeToken(type)
  if (main === '') return 'mime: no media type'
  const rest = type.slice(main.length)
  if (rest === '') return undefined
  if (!rest.startsWith('/')) return 'mime: expected slash after first token'
  const sub = takeToken(rest.slice(1))
  if (sub === '') return 'mime: expected token after slash'
  return rest.length === sub.length + 1 ? undefined : 'mime: unexpected content after media subtype'
}

function parseParameters(type: string, text: string): MediaType {
  const seen = new Set<string>()
  for (let rest = trimStart(text); rest !== ''; rest = trimStart(rest)) {
    const parameter = takeParameter(rest)
    if (parameter === undefined) {
      // One semicolon at the end is no error.
      return trim(rest) === ';' ? { type, error: undefined } : { type, error: 'mime: invalid media parameter' }
    }
    if (seen.has(parameter.name)) return { type: '', error: 'mime: duplicate parameter name' }
    seen.add(parameter.name)
    rest = parameter.rest
  }
  return { type, error: undefined }
}

type Parameter = { readonly name: string; readonly rest: string }

function takeParameter(text: string): Parameter | undefined {
  if (!text.startsWith(';')) return undefined
  const afterSemicolon = trimStart(text.slice(1))
  const name = takeToken(afterSemicolon)
  const afterName = trimStart(afterSemicolon.slice(name.length))
  if (name === '' || !afterName.startsWith('=')) return undefined
  const start = trimStart(afterName.slice(1))
  const size = start.startsWith('"') ? quotedSize(start) : takeToken(start).length
  return size === 0 ? undefined : { name: name.toLowerCase(), rest: start.slice(size) }
}

/** How much of the text a quoted string takes; 0: it does not end. A backslash only escapes what no token could hold. */
function quotedSize(text: string): number {
  for (let at = 1; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '"') return at + 1
    if (character === '\r' || character === '\n') return 0
    if (character === '\\' && at + 1 < text.length && '()<>@,;:\\"/[]?='.includes(text.charAt(at + 1))) at += 1
  }
  return 0
}
