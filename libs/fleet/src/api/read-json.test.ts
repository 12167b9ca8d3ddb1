import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fieldOf, readFirstJson } from './read-json.ts'

it('reads the first value and leaves the rest alone', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom('', ' ', ' garbage', '\n{}', ' ]'), (text, rest) => {
      expect(readFirstJson(`${text}${rest}`)).toEqual({ ok: true, value: JSON.parse(text) })
    }),
  )
})

it('never throws, and reads nothing that JSON.parse would not', () => {
  const fragment = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '\\',
    '\\u12',
    'nul',
    'null',
    '-',
    '1e',
    '0',
    '1',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(fragment, fc.string())), (parts) => {
      const read = readFirstJson(parts.join(''))
      expect(typeof read.ok).toBe('boolean')
    }),
  )
})

it.each([
  ['', 'EOF'],
  ['  ', 'EOF'],
  ['{', 'unexpected EOF'],
  ['{"a":1', 'unexpected EOF'],
  ['{a', "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 2}', "invalid character '2' after object key:value pair"],
  ['[1 2]', "invalid character '2' after array element"],
  ['nope', "invalid character 'o' in literal null (expecting 'u')"],
  ['[1,]', "invalid character ']' looking for beginning of value"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['{"a":-}', "invalid character '}' in numeric literal"],
  ['[-01]', "invalid character '1' after array element"],
  ['{"a":1.}', "invalid character '}' after decimal point in numeric literal"],
  ['{"a":1.5e}', "invalid character '}' in exponent of numeric literal"],
  ['{"a":1e+x}', "invalid character 'x' in exponent of numeric literal"],
  ['{"a":-', 'unexpected EOF'],
  ['é', "invalid character 'Ã' looking for beginning of value"],
  ['\u2028', "invalid character 'â' looking for beginning of value"],
  ['"\u0001"', "invalid character '\\x01' in string literal"],
  ['\\', "invalid character '\\\\' looking for beginning of value"],
])('says of %j: %s', (text, message) => expect(readFirstJson(text)).toEqual({ ok: false, error: { message } }))

it('takes half a surrogate pair for U+FFFD, as the original does', () => {
  const text = '{"a":["\\udcff","x\\ud800","\\ud83d\\ude00"]}'
  expect(readFirstJson(text)).toEqual({ ok: true, value: { a: ['\ufffd', 'x\ufffd', '😀'] } })
})

it('is not brought down by depth', () => {
  expect(readFirstJson('['.repeat(100_000))).toEqual({ ok: false, error: { message: 'exceeded max depth' } })
})

it('the last field of a name counts, in any case, and null is none', () => {
  expect(fieldOf({ Name: 'a', NAME: 'b' }, 'name')).toBe('b')
  expect(fieldOf({ name: null }, 'name')).toBeUndefined()
})
