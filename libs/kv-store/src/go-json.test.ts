import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byteStringOf } from './byte-string.ts'
import { escapeGoJson, isPlain } from './go-json.ts'
import { pureLatin1 } from './latin1.ts'
import { ByteSlabs } from './v2/byte-slabs.ts'

const bytes = (...values: number[]): string => String.fromCharCode(...values)

describe('a byte string in JSON', () => {
  it.each([
    ['plain /text\x7f', 'plain /text\x7f'],
    ['"\\', '\\"\\\\'],
    ['\n\r\t', '\\n\\r\\t'],
    ['\b\f\x00\x1f', '\\u0008\\u000c\\u0000\\u001f'],
    ['<a&b>', '\\u003ca\\u0026b\\u003e'],
    [byteStringOf('ü日𝄞'), byteStringOf('ü日𝄞')],
    [byteStringOf('a\u2028b\u2029c\u2027'), `a\\u2028b\\u2029c${byteStringOf('\u2027')}`],
    [bytes(0xff), '\\ufffd'],
    [bytes(0x80, 0x61), '\\ufffda'],
    // Overlong, surrogate, above U+10FFFF, cut off: each byte by itself.
    [bytes(0xc0, 0xaf), '\\ufffd\\ufffd'],
    [bytes(0xed, 0xa0, 0x80), '\\ufffd\\ufffd\\ufffd'],
    [bytes(0xf4, 0x90, 0x80, 0x80), '\\ufffd\\ufffd\\ufffd\\ufffd'],
    [bytes(0xe2, 0x80), '\\ufffd\\ufffd'],
    [bytes(0xe2, 0x80, 0x22), '\\ufffd\\ufffd\\"'],
    ['\ufffd'.length === 1 ? byteStringOf('\ufffd') : '', byteStringOf('\ufffd')],
  ])('%j is written %j', (given, written) => expect(escapeGoJson(given)).toBe(written))

  const anyBytes = fc.uint8Array({ maxLength: 80 }).map((array) => bytes(...array))

  it('is read by a JSON parser as the text of the bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const decoded: unknown = JSON.parse(
          new TextDecoder().decode(Uint8Array.from(`"${escapeGoJson(byteStringOf(text))}"`, (c) => c.charCodeAt(0))),
        )
        expect(decoded).toBe(text)
      }),
    )
  })

  it('is plain exactly when nothing of it is escaped and it is ASCII', () => {
    fc.assert(
      fc.property(anyBytes, (given) => {
        expect(isPlain(given)).toBe(escapeGoJson(given) === given && /^[\x00-\x7f]*$/.test(given))
      }),
    )
  })

  it('is never called plain by the slabs when it is not, whatever stood there before', () => {
    const slabs = new ByteSlabs(pureLatin1)
    const mostlyPlain = fc.array(
      fc.oneof(
        { weight: 30, arbitrary: fc.integer({ min: 0x61, max: 0x7a }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
      ),
      { minLength: 1, maxLength: 48 },
    )
    fc.assert(
      fc.property(
        mostlyPlain.map((array) => bytes(...array)),
        (given) => {
          const ref = slabs.allocate(given.length)
          slabs.write(ref, given)
          const said = slabs.isPlain(ref, given.length)
          slabs.write(ref, '"'.repeat(given.length))
          slabs.free(ref, given.length)
          expect(said).toBe(isPlain(given))
        },
      ),
      { numRuns: 500 },
    )
  })
})
