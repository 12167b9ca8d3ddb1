import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodePageToken, encodePageToken } from './page-token.ts'

const word = fc.integer({ min: 0, max: 65_535 })

it('a token that was written is read back', () => {
  fc.assert(
    fc.property(word, fc.integer({ min: 1, max: 65_535 }), (limit, page) => {
      expect(decodePageToken(encodePageToken({ limit, page }), limit)).toEqual({ ok: true, value: { limit, page } })
    }),
  )
})

it('no text makes the reader throw', () => {
  fc.assert(fc.property(fc.string(), word, (text, limit) => typeof decodePageToken(text, limit).ok === 'boolean'))
})

it.each([
  ['', 'EOF'],
  ['AA==', 'unexpected EOF'],
  ['AAAA', 'unexpected EOF'],
  ['x', 'illegal base64 data at input byte 0'],
  ['!!!', 'illegal base64 data at input byte 0'],
  ['ZAAB', 'unexpected EOF'],
  ['ZAABAA', 'illegal base64 data at input byte 4'],
  ['ZAABAA=', 'illegal base64 data at input byte 7'],
  ['ZAABAA==x', 'illegal base64 data at input byte 8'],
  ['YwABAA==', 'token limit must be 100'],
  ['ZAAAAA==', 'token page must be greater than zero'],
])('%j is refused: %s', (text, message) =>
  expect(decodePageToken(text, 100)).toEqual({ ok: false, error: { message } }),
)

it.each(['ZAABAA==', 'ZAABAAD_', 'ZA\nABAA=='])('%j is page 1', (text) =>
  expect(decodePageToken(text, 100)).toEqual({ ok: true, value: { limit: 100, page: 1 } }),
)
