import { byteStringOf } from '@cluster/kv-store'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type GoJson, goString, goStrings, parseFirstGoJson, parseGoJson, readGoFields } from './go-json.ts'

/** As JSON.parse would have it; all numbers are 0. */
function plain(value: GoJson): unknown {
  switch (value.kind) {
    case 'null':
      return null
    case 'number':
      return 0
    case 'array':
      return value.items.map(plain)
    case 'object':
      return value.fields.map(([name, field]) => [name, plain(field)])
    default:
      return value.value
  }
}

/** What `plain` gives for a value that JSON.parse has read. */
function naive(value: unknown): unknown {
  if (typeof value === 'number') return 0
  if (typeof value === 'string') return byteStringOf(value)
  if (Array.isArray(value)) return value.map(naive)
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).map(([name, field]) => [byteStringOf(name), naive(field)])
  }
  return value
}

describe('JSON as Go reads it', () => {
  it('is what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = byteStringOf(JSON.stringify(value))
        const parsed = parseGoJson(text)
        expect(parsed.ok && plain(parsed.value)).toEqual(naive(JSON.parse(JSON.stringify(value))))
      }),
    )
  })

  it('is what JSON.parse takes, and nothing else', () => {
    const takes = (text: string): boolean => {
      try {
        JSON.parse(text)
        return true
      } catch {
        return false
      }
    }
    const unit = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      'a',
      '\\',
      'u',
      '0',
      '1',
      '-',
      '.',
      'e',
      'true',
      'null',
      ' ',
      '\n',
    )
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        expect(parseGoJson(text).ok).toBe(takes(text))
      }),
      { numRuns: 5000 },
    )
  })

  it('may be nested ten thousand deep', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(parseGoJson(nested(10_000)).ok).toBe(true)
    expect(parseGoJson(nested(10_001))).toEqual({ ok: false, error: 'exceeded max depth' })
  })

  it('replaces what is no UTF-8 and half of a surrogate pair, and keeps a byte order mark', () => {
    const text = parseGoJson('["\xff","\\ud800x","\\ud83d\\ude00","\xef\xbb\xbfa"]')
    expect(text.ok && plain(text.value)).toEqual(['\xef\xbf\xbd', '\xef\xbf\xbdx', '\xf0\x9f\x98\x80', '\xef\xbb\xbfa'])
  })

  it('may be followed by anything where only the first value is read', () => {
    expect([parseFirstGoJson('{} junk').ok, parseFirstGoJson('1 2').ok, parseFirstGoJson(' ').ok]).toEqual([
      true,
      true,
      false,
    ])
  })
})

describe('fields', () => {
  const read = (json: string) => {
    const seen: unknown[] = []
    const parsed = parseGoJson(json)
    const fields = { name: goString((text) => seen.push(text)), sizes: goStrings((texts) => seen.push(texts)) }
    const misfit = parsed.ok ? readGoFields(parsed.value, fields, 'T') : undefined
    return { seen, misfit }
  }

  it.each([
    ['{"NAME":"a","Sizes":["b",null]}', ['a', ['b', '']]],
    ['{"\xc5\xbfizes":[]}', [[]]],
    ['{"name":null,"sizes":null,"other":{}}', [null]],
    ['{"name":"a","name":"b"}', ['a', 'b']],
    ['null', []],
  ])('are found in any case: %s', (json, seen) => expect(read(json)).toEqual({ seen, misfit: undefined }))

  it.each([
    ['{"name":1,"sizes":["a"]}', { found: 'number', field: 'name', wanted: 'string' }],
    ['{"sizes":{}}', { found: 'object', field: 'sizes', wanted: '[]string' }],
    ['{"sizes":["a",true]}', { found: 'bool', field: 'sizes', wanted: 'string' }],
    ['[]', { found: 'array', field: '', wanted: 'T' }],
  ])('that do not fit are told: %s', (json, misfit) => expect(read(json).misfit).toEqual(misfit))
})
