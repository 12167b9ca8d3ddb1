import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldOf, parseHeaderBlock, parseRequestLine } from './parse-head.ts'

const lineOf = (text: string) => parseRequestLine(text, 0, text.length)

describe('parseRequestLine', () => {
  it.each([
    ['GET / HTTP/1.1', 'GET', '/', 1],
    ['get /\xe4?\xff HTTP/1.0', 'get', '/\xe4?\xff', 0],
    ['M-SEARCH http://[::1]:2379/a?b HTTP/1.1', 'M-SEARCH', '/a?b', 1],
    ['GET HTTPS://h HTTP/1.1', 'GET', '/', 1],
    ['GET /%41?%zz HTTP/1.1', 'GET', '/%41?%zz', 1],
  ])('%j is a request', (text, method, target, minorVersion) => {
    expect(lineOf(text)).toEqual({ kind: 'line', method, target, minorVersion })
  })

  it.each([
    ['', 400],
    ['GET', 400],
    ['GET /', 400],
    [' GET / HTTP/1.1', 400],
    ['G(T / HTTP/1.1', 400],
    ['GET  HTTP/1.1', 400],
    ['GET * HTTP/1.1', 400],
    ['GET http:///a HTTP/1.1', 400],
    ['GET http://h\xe4/a HTTP/1.1', 400],
    ['GET /%4 HTTP/1.1', 400],
    ['GET /%4?1 HTTP/1.1', 400],
    ['GET /\t HTTP/1.1', 400],
    ['GET / HTTP/1.1 ', 400],
    ['GET / http/1.1', 400],
    ['PRI * HTTP/2.0', 505],
    ['GET / HTTP/1.2', 505],
  ])('%j is refused with %i', (text, status) => {
    expect(lineOf(text)).toMatchObject({ kind: 'refusal', status })
  })

  it('does not look beyond its end', () => {
    expect(parseRequestLine('GET /\r\nX: a HTTP/1.1', 0, 5)).toMatchObject({ kind: 'refusal' })
  })
})

const tokens = fc.stringMatching(/^[\w!#$%&'*+.^`|~-]{1,20}$/)
const values = fc.stringMatching(/^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/)
const blanks = fc.stringMatching(/^[ \t]{0,3}$/)
const special = new Set(['host', 'expect', 'connection', 'content-length', 'transfer-encoding'])

describe('parseHeaderBlock', () => {
  it('finds each first value again, whatever the case of its name', () => {
    const fields = fc.array(fc.tuple(tokens, blanks, values, blanks))
    fc.assert(
      fc.property(fields, (all) => {
        const list = all.filter(([name]) => !special.has(name.toLowerCase()))
        const text = `${list.map(([name, before, value, after]) => `${name}:${before}${value}${after}\r\n`).join('')}\r\n`
        const block = parseHeaderBlock(text)
        if (block.kind === 'refusal') throw new Error(block.reason)
        for (const [name] of list) {
          const first = list.find((other) => other[0].toLowerCase() === name.toLowerCase())
          expect(fieldOf(block, name.toLowerCase())).toBe(first?.[2])
        }
        expect(fieldOf(block, 'no such name')).toBeUndefined()
      }),
    )
  })

  it('takes or refuses any text without throwing', () => {
    const texts = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) })
    fc.assert(
      fc.property(texts, (text) => {
        expect(['line', 'refusal']).toContain(lineOf(text).kind)
        expect(['block', 'refusal']).toContain(parseHeaderBlock(`${text.replaceAll('\r\n', '')}\r\n\r\n`).kind)
      }),
    )
  })

  it.each([
    ['Content-Length: 12\r\n\r\n', { contentLengthBytes: 12, isChunked: false }],
    ['TRANSFER-ENCODING:\tchunked\r\n\r\n', { contentLengthBytes: -1, isChunked: true }],
    ['Connection: x, Close\r\nconnection: Keep-Alive\r\n\r\n', { wantsClose: true, wantsKeepAlive: true }],
    ['Expect: 100-Continue\r\n\r\n', { expects: 'continue' }],
    ['Expect: more\r\n\r\n', { expects: 'unknown' }],
    ['\r\n', { hostCount: 0, wantsClose: false, expects: 'nothing', text: '\r\n' }],
  ])('knows what %j says', (text, expected) => {
    expect(parseHeaderBlock(text)).toMatchObject(expected)
  })
})
