/**
 * JSON as the original daemon reads a request body: the first value only, whatever follows is left alone; and its
 * words for what is wrong. Names of fields match without regard to case. Source: spec/fleet.md §8 and vectors fleet-api.
 */
import { err, ok, type Result } from '@cluster/prelude'
import { goQuote } from '@cluster/unit-file'

export type BadJson = { readonly message: string }

/** The first JSON value of a text; halves of surrogate pairs become U+FFFD. */
export function readFirstJson(text: string): Result<unknown, BadJson> {
  const end = endOfValue(text)
  if (!end.ok) return end
  const value: unknown = JSON.parse(text.slice(0, end.value), wellFormed)
  return ok(value)
}

/** Half a surrogate pair is no character; within this project it would stand for a byte that is not UTF-8. */
const wellFormed = (_key: string, value: unknown): unknown =>
  typeof value === 'string' ? value.replaceAll(/\p{Cs}/gu, '\ufffd') : value

/** What a value is called in the original's messages. */
export const kindOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return typeof value
}

/** A field by its name, in any case; the last one of that name counts. `null` is as good as absent. */
export function fieldOf(object: object, name: string): unknown {
  const wanted = name.toLowerCase()
  const found = Object.entries(object).findLast(([key]) => key.toLowerCase() === wanted)?.[1]
  return found === null ? undefined : found
}

const literals = ['null', 'true', 'false'] as const
const depthMax = 200
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
/** Beginnings of a number that a digit should follow and none does, and how the original says so. */
const brokenNumbers = [
  [/-?(?:0|[1-9]\d*)(?:\.\d+)?[eE](?![+-]?\d)[+-]?/y, 'in exponent of numeric literal'],
  [/-?(?:0|[1-9]\d*)\.(?!\d)/y, 'after decimal point in numeric literal'],
  [/-(?!\d)/y, 'in numeric literal'],
] as const

/** Walks over one value. Every text it accepts is one that JSON.parse accepts. */
function endOfValue(text: string): Result<number, BadJson> {
  let at = 0

  const fail = (context: string): Failure => {
    const character = text[at]
    if (character === undefined) return { message: text.trim() === '' ? 'EOF' : 'unexpected EOF' }
    return { message: `invalid character ${quoteCharacter(text, at)} ${context}` }
  }
  const skipBlanks = (): void => {
    while (at < text.length && ' \t\r\n'.includes(text[at] ?? '')) at++
  }

  const string = (): Failure | undefined => {
    at++
    for (;;) {
      const character = text[at]
      if (character === undefined) return fail('')
      if (character === '"') {
        at++
        return undefined
      }
      if (character < ' ') return fail('in string literal')
      if (character === '\\') {
        at++
        const code = text[at]
        if (code === 'u') {
          for (let digit = 0; digit < 4; digit++) {
            at++
            if (!/^[0-9a-fA-F]$/.test(text[at] ?? '')) return fail('in \\u hexadecimal character escape')
          }
        } else if (code === undefined || !'"\\/bfnrt'.includes(code)) return fail('in string escape code')
      }
      at++
    }
  }

  const object = (depth: number): Failure | undefined => {
    at++
    skipBlanks()
    if (text[at] === '}') {
      at++
      return undefined
    }
    for (;;) {
      skipBlanks()
      if (text[at] !== '"') return fail('looking for beginning of object key string')
      const key = string()
      if (key !== undefined) return key
      skipBlanks()
      if (text[at] !== ':') return fail('after object key')
      at++
      const inner = value(depth + 1)
      if (inner !== undefined) return inner
      skipBlanks()
      const next = text[at]
      if (next !== ',' && next !== '}') return fail('after object key:value pair')
      at++
      if (next === '}') return undefined
    }
  }

  const array = (depth: number): Failure | undefined => {
    at++
    skipBlanks()
    if (text[at] === ']') {
      at++
      return undefined
    }
    for (;;) {
      const inner = value(depth + 1)
      if (inner !== undefined) return inner
      skipBlanks()
      const next = text[at]
      if (next !== ',' && next !== ']') return fail('after array element')
      at++
      if (next === ']') return undefined
    }
  }

  const value = (depth: number): Failure | undefined => {
    skipBlanks()
    if (depth > depthMax) return { message: 'exceeded max depth' }
    const character = text[at]
    if (character === '{') return object(depth)
    if (character === '[') return array(depth)
    if (character === '"') return string()
    const literal = literals.find((word) => word[0] === character)
    if (literal !== undefined) {
      for (const expected of literal) {
        if (text[at] !== expected) return fail(`in literal ${literal} (expecting '${expected}')`)
        at++
      }
      return undefined
    }
    for (const [beginning, context] of brokenNumbers) {
      beginning.lastIndex = at
      if (!beginning.test(text)) continue
      at = beginning.lastIndex
      return fail(context)
    }
    number.lastIndex = at
    const digits = number.exec(text)?.[0]
    if (digits === undefined) return fail('looking for beginning of value')
    at += digits.length
    return undefined
  }

  const failure = value(0)
  return failure === undefined ? ok(at) : err(failure)
}

type Failure = BadJson

/** The character as the original quotes it, which sees bytes: of several the first, as if it were Latin-1. */
function quoteCharacter(text: string, at: number): string {
  const [byte = 0] = new TextEncoder().encode(String.fromCodePoint(text.codePointAt(at) ?? 0))
  const character = String.fromCharCode(byte)
  if (character === "'") return "'\\''"
  if (character === '"') return `'"'`
  return `'${goQuote(character).slice(1, -1)}'`
}
