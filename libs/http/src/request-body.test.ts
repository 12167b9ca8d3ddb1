import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyBytes, ChunkedReader } from './request-body.ts'

/** Shows input in pieces, what was not read again with the next, as a connection does. */
function readInPieces(text: string, sizes: readonly number[], sizeBytesMax = 1000) {
  const body = new BodyBytes(sizeBytesMax)
  const reader = new ChunkedReader()
  const input = Buffer.from(text, 'latin1')
  let from = 0
  let to = 0
  for (let turn = 0; to < input.length; turn++) {
    to = Math.min(to + Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? 1), input.length)
    const progress = reader.read(input, from, to, body)
    if (progress.kind === 'refusal') return { kind: 'refusal', body: '', rest: '' }
    from = progress.readTo
    if (progress.kind === 'done' || body.isCut) break
  }
  return {
    kind: body.isCut ? 'cut' : 'read',
    body: Buffer.from(body.whole()).toString('latin1'),
    rest: input.toString('latin1', from),
  }
}

describe('ChunkedReader', () => {
  it('reads the same however the bytes are split', () => {
    const chunks = fc.array(fc.stringMatching(/^[\r\n\x80-\xffa-z]{1,40}$/), { maxLength: 8 })
    fc.assert(
      fc.property(chunks, fc.array(fc.integer({ min: 1, max: 50 })), (parts, sizes) => {
        const coded = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')
        const read = readInPieces(`${coded}0\r\nX: y\r\n\r\nGET`, sizes)
        expect([read.kind, read.body, 'GET'.startsWith(read.rest) || read.rest === 'GET']).toEqual([
          'read',
          parts.join(''),
          true,
        ])
      }),
    )
  })

  it.each([
    'x\r\n',
    '-1\r\n',
    '0x1\r\n',
    '1 \r\na\r\n0\r\n\r\n',
    '1\na\n0\n\n',
    '1\r\nab\r\n',
    '1\r\na\n0\r\n\r\n',
    '1;\r\na\r\n0\r\n\r\n',
    '1;a="b\r\n',
    'fffffffffffff\r\n',
    '0\r\nno colon\r\n\r\n',
    '0\r\n folded: 1\r\n\r\n',
    `1;${'a'.repeat(5000)}`,
    `${`1;${'a'.repeat(4000)}\r\na\r\n`.repeat(5)}`,
    `0\r\n${`X: ${'a'.repeat(4000)}\r\n`.repeat(5)}\r\n`,
  ])('refuses %j', (text) => {
    expect(readInPieces(text, [1]).kind).toBe('refusal')
    expect(readInPieces(text, [100_000]).kind).toBe('refusal')
  })

  it('looks at nothing beyond the limit', () => {
    expect(readInPieces('5\r\nabcde\r\nnonsense', [1000], 4)).toMatchObject({ kind: 'cut', body: 'abcd' })
  })
})
