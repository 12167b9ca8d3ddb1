import { expect, it } from 'vitest'
import { goQuote, goQuoteRune } from './go-quote.ts'

it.each([
  ['b.service', '"b.service"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ["a'b", '"a\'b"'],
  ['\t\n\r\u0007\u0008\u000b\u000c', '"\\t\\n\\r\\a\\b\\v\\f"'],
  ['\u0000\u001f\u007f', '"\\x00\\x1f\\x7f"'],
  ['\u0085\u00a0\u2028', '"\\u0085\\u00a0\\u2028"'],
  ['ä漢😀', '"ä漢😀"'],
  ['\u{e0001}', '"\\U000e0001"'],
  ['\udcff', '"\\xff"'],
])('quotes %j as %s', (text, quoted) => expect(goQuote(text)).toBe(quoted))

it.each([
  ['"', "'\"'"],
  ["'", "'\\''"],
  [' ', "' '"],
  ['é', "'é'"],
  ['\udcff', "'\ufffd'"],
])('quotes the character %j as %s', (char, quoted) => expect(goQuoteRune(char)).toBe(quoted))
