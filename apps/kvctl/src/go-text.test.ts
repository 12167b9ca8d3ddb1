import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fileFailure, goJsonText, goQuoted } from './go-text.ts'

it.each([
  ['a"b\\c/', '"a\\"b\\\\c/"'],
  ['\b\f\n\r\t\x01', '"\\u0008\\u000c\\n\\r\\t\\u0001"'],
  ['\\b', '"\\\\b"'],
  ['<&>', '"\\u003c\\u0026\\u003e"'],
  ['\u2028ü\x7f', '"\\u2028ü\x7f"'],
])('Go writes %j as %s', (text, json) => expect(goJsonText(text)).toBe(json))

it('what is written as JSON is read again', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(JSON.parse(goJsonText(text))).toBe(text)
    }),
  ))

it.each([
  ['value=x+y', '"value=x+y"'],
  ['{"a":1}\n', '"{\\"a\\":1}\\n"'],
  ['\x00', '"\\x00"'],
])('quoted, %j is %s', (text, quoted) => expect(goQuoted(text)).toBe(quoted))

it('says of a file what the system said', () =>
  expect(fileFailure('open', '/x', Object.assign(new Error('no'), { code: 'ENOENT' }))).toBe(
    'open /x: no such file or directory',
  ))
