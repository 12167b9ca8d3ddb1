import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byteLength } from './byte-text.ts'
import {
  escapeName,
  escapePath,
  goEscapeName,
  goEscapePath,
  goUnescapeName,
  goUnescapePath,
  pathRemark,
  unescapeName,
  unescapePath,
} from './escape.ts'

const text = fc.string({ unit: 'binary' })
const unitText = text.filter((value) => !value.includes('\0'))

describe('escapeName and unescapeName', () => {
  it('round-trip every text without zero bytes, raw bytes included', () => {
    const raw = fc.string({ unit: fc.constantFrom('a', '-', '/', '.', '\\', '\udc80', '\udcff', 'é') })
    fc.assert(
      fc.property(fc.oneof(unitText, raw), (value) => {
        expect(unescapeName(escapeName(value))).toEqual({ ok: true, value })
      }),
    )
  })

  it('escape to characters that a unit name may hold', () => {
    fc.assert(fc.property(text, (value) => /^[A-Za-z0-9:_.\\-]*$/.test(escapeName(value))))
  })

  it('end the text at a zero byte', () => expect(unescapeName('a\\x00b')).toEqual({ ok: true, value: 'a' }))

  it.each(['\\', 'a\\x2', '\\X41', '\\xg0', '\\n'])('refuse %j', (escaped) => {
    expect(unescapeName(escaped)).toMatchObject({ ok: false, error: { kind: 'bad-escape' } })
  })

  it('never throw', () => {
    fc.assert(
      fc.property(text, (value) => {
        for (const change of [unescapeName, escapePath, unescapePath, goUnescapeName, goUnescapePath]) change(value)
      }),
    )
  })
})

describe('escapePath and unescapePath', () => {
  it('round-trip clean absolute paths', () => {
    const part = unitText.filter(
      (value) => !value.includes('/') && !['', '.', '..'].includes(value) && byteLength(value) < 256,
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const path = `/${parts.join('/')}`
        const escaped = escapePath(path)
        expect(escaped.ok && unescapePath(escaped.value)).toEqual({ ok: true, value: path })
      }),
    )
  })

  it.each([
    ['', 'empty'],
    ['a', 'relative'],
    ['../a', 'relative'],
    ['/a/../b', 'not-normalized'],
    [`/${'a'.repeat(256)}`, 'too-long'],
    ['//a/.', undefined],
  ])('remark on %j: %s', (path, remark) => expect(pathRemark(path)).toBe(remark))
})

describe('as go-systemd does it', () => {
  it.each([
    ['\\x-5', '\udcfb'],
    ['\\x+a', '\n'],
    ['\\x80', '\\x80'],
    ['\\x7F', '\x7f'],
    ['a\\', 'a\\'],
  ])('%j is unescaped to %j', (escaped, value) => expect(goUnescapeName(escaped)).toBe(value))

  it('writes small bytes with one digit', () => expect(goEscapeName('\t')).toBe('\\x9'))

  it('keeps dots in paths', () => expect(goEscapePath('/./../a//')).toBe('\\x2e-..-a'))
})
