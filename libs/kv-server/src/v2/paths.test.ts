import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeExchange } from '../../test/fake-exchange.ts'
import { cleanPath, decodeEscapes, encodePath, isPlainPath, respondMoved } from './paths.ts'

describe('a path is cleaned as Go does it', () => {
  it.each([
    ['/v2/keys', '/v2/keys'],
    ['/v2/keys/', '/v2/keys/'],
    ['/v2/keys//a', '/v2/keys/a'],
    ['/v2/keys/a//', '/v2/keys/a/'],
    ['/v2/keys/./a', '/v2/keys/a'],
    ['/v2/keys/a/.', '/v2/keys/a'],
    ['/v2/keys/a/..', '/v2/keys'],
    ['/v2/keys/a/../', '/v2/keys/'],
    ['/v2/keys/../members', '/v2/members'],
    ['/../..', '/'],
    ['//', '/'],
    ['/', '/'],
    ['', '/'],
    ['*', '/*'],
    ['/v2/keys/...', '/v2/keys/...'],
    ['/v2/keys/.hidden', '/v2/keys/.hidden'],
    ['/v2/keys/.. ', '/v2/keys/.. '],
  ])('%j becomes %j', (path, expected) => expect(cleanPath(path)).toBe(expected))

  it('and cleaning twice changes nothing more', () => {
    const part = fc.constantFrom('', '.', '..', '...', 'a', '.b', 'c ')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const cleaned = cleanPath(`/${parts.join('/')}`)
        expect(cleanPath(cleaned)).toBe(cleaned)
      }),
    )
  })

  it('and what is plain needs neither decoding nor cleaning', () => {
    const characters = fc.constantFrom('/', '.', '%', '4', '1', 'a', '+', '\xe6', '_', '\x7f', ' ')
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 12 }), (path) => {
        if (!isPlainPath(path)) return
        expect(decodeEscapes(path, false)).toBe(path)
        expect(cleanPath(path)).toBe(path)
      }),
      { numRuns: 2000 },
    )
  })
})

it.each(['/v2/keys', '/v2/keys/a/b', '/v2/keys/a/', '/v2/keys/a.b_c+d', '/v2/keys/\xe6\x97\xa5'])(
  '%j is plain',
  (path) => expect(isPlainPath(path)).toBe(true),
)

describe('escapes', () => {
  it.each([
    ['a%2Fb', false, 'a/b'],
    ['a+b', false, 'a+b'],
    ['a+b', true, 'a b'],
    ['%e6%97%a5', true, '\xe6\x97\xa5'],
    ['%00', false, '\0'],
    ['a+%2B+', true, 'a + '],
  ])('%j (form: %s) decodes to %j', (text, isForm, expected) => expect(decodeEscapes(text, isForm)).toBe(expected))

  it.each([
    ['%', 0],
    ['a%2', 1],
    ['abc%zz', 3],
    ['%41%4', 3],
    ['%g1', 0],
  ])('%j is bad at %d', (text, at) => expect(decodeEscapes(text, true)).toBe(at))

  it('decode what encoding makes of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const path = Buffer.from(bytes).toString('latin1')
        expect(decodeEscapes(encodePath(path), false)).toBe(path)
      }),
    )
  })
})

describe('a redirect', () => {
  it.each([
    [
      'GET',
      '/v2/keys/a',
      'x=<%zz>&"\'\xff',
      '/v2/keys/a?x=<%zz>&"\'%ff',
      '<a href="/v2/keys/a?x=&lt;%zz&gt;&amp;&#34;&#39;\xff">Moved Permanently</a>.\n\n',
    ],
    ['HEAD', '/v2/keys/a b!', '', '/v2/keys/a%20b%21', '<a href="/v2/keys/a%20b%21">Moved Permanently</a>.\n\n'],
    ['PUT', '/v2/keys/\xe6', 'q=1', '/v2/keys/%E6?q=1', ''],
  ])('%s %j?%j', (method, path, query, location, body) => {
    const exchange = new FakeExchange({ method, target: '/' })
    respondMoved(exchange, path, query)
    const type = body === '' ? {} : { 'Content-Type': 'text/html; charset=utf-8' }
    expect(exchange.answer).toEqual({ status: 301, headers: { Location: location, ...type }, body })
  })
})
