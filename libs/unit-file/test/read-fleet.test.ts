import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeText, readAsFleet } from '../src/index.ts'
import { latin1, readLikeGo } from './go-systemd-model.ts'

const pieces = fc.oneof(
  fc.constantFrom(
    '[Unit]\n',
    '[Service]',
    '\n',
    '\r\n',
    'A=b',
    'Name = value \n',
    '# c',
    '; d \\\n',
    ' \\\n',
    '=',
    '\\',
    ']',
  ),
  fc.constantFrom(
    '\u00a0',
    '\u2003x',
    '\u0085',
    '\ufeff',
    '\u3000',
    'ü',
    '日本',
    '🚀',
    '\udcff',
    '\udce2\udc80',
    '\t',
    ' ',
  ),
  fc.integer({ min: 1, max: 3000 }).map((count) => 'x'.repeat(count)),
  fc.integer({ min: 500, max: 2500 }).map((count) => `K=${'ü'.repeat(count)}\n`),
  fc.integer({ min: 1, max: 100 }).map((count) => 'A=b\n'.repeat(count)),
)
const files = fc.oneof(
  fc.array(pieces, { maxLength: 25 }).map((parts) => encodeText(parts.join(''))),
  fc.array(pieces, { maxLength: 25 }).map((parts) => encodeText(`[S]\n${parts.join('')}`)),
  fc.uint8Array({ maxLength: 300 }),
)

describe('fleet reading against a model of go-systemd on its buffer', () => {
  it('finds the same options and the same error in every file', () => {
    fc.assert(
      fc.property(files, (bytes) => {
        const expected = readLikeGo(bytes)
        const found = readAsFleet(bytes)
        if (!found.ok) {
          expect(found.error.message).toBe(expected.error)
          return
        }
        expect(expected.error).toBeUndefined()
        const options = found.value.map(({ section, name, value }) =>
          [section, name, value].map((text) => latin1(encodeText(text))),
        )
        expect(options).toEqual(expected.options)
      }),
      { numRuns: 300 },
    )
  })
})
