import { expect, it } from 'vitest'
import { quoteGo, renderGoDuration, renderGoTime } from './go-text.ts'

it.each([
  ['%zz', '"%zz"'],
  ['"\\\x07\v', '"\\"\\\\\\a\\v"'],
  ['\x01\x7f', '"\\x01\\x7f"'],
  ['\xff\xc3\xa9', '"\\xff\xc3\xa9"'],
  ['\xc2\xa0\xc2\xad', '"\\u00a0\\u00ad"'],
])('%j in quotes is %j', (text, expected) => expect(quoteGo(text)).toBe(expected))

it.each([
  [0, '0s'],
  [0.0005, '500ns'],
  [0.0015, '1.5\xc2\xb5s'],
  [1.5, '1.5ms'],
  [250, '250ms'],
  [1000, '1s'],
  [60_000, '1m0s'],
  [174_840.342797, '2m54.840342797s'],
  [3_600_000, '1h0m0s'],
  [90_061_500, '25h1m1.5s'],
])('%d ms is %j', (ms, expected) => expect(renderGoDuration(ms)).toBe(expected))

it.each([
  [Date.UTC(2026, 10, 21, 5, 32, 48), 0, '2026-11-21T05:32:48Z'],
  [Date.UTC(2026, 10, 21, 5, 32, 48, 250), 60, '2026-11-21T06:32:48.25+01:00'],
  [Date.UTC(2026, 10, 21, 0, 0, 0, 1), -210, '2026-11-20T20:30:00.001-03:30'],
  [Date.UTC(2026, 10, 21) + 0.5, 0, '2026-11-21T00:00:00.0005Z'],
])('%d at %d minutes is %s', (ms, offset, expected) => expect(renderGoTime(ms, offset)).toBe(expected))
