import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  escapedWords,
  plainRawWords,
  plainWords,
  quotedRawWords,
  quotedWords,
  quoteWord,
  relaxedWords,
  splitWords,
  unescapeText,
  wordsUntilError,
} from './words.ts'

describe('words', () => {
  it.each([
    ['escaped', escapedWords, String.raw`a\x20b "c d"e '' \u00e9`, ['a b', 'c de', '', 'é']],
    ['relaxed', relaxedWords, String.raw`\q "\q" a\ b`, [String.raw`\q`, String.raw`\q`, String.raw`a\ b`]],
    ['quoted', quotedWords, String.raw`"a b" \x20`, ['a b', 'x20']],
    ['quoted-raw', quotedRawWords, String.raw`"a b" \x20`, ['a b', String.raw`\x20`]],
    ['plain', plainWords, String.raw`"a b" \x20`, ['"a', 'b"', 'x20']],
    ['plain-raw', plainRawWords, String.raw`"a b" \x20`, ['"a', 'b"', String.raw`\x20`]],
  ])('%s words of %3$s', (_name, syntax, text, words) => {
    expect(splitWords(text, syntax)).toEqual({ ok: true, value: words })
  })

  it.each([
    ['"a', 'open-quote'],
    [String.raw`a\q`, 'unknown-escape'],
    ['a\\', 'trailing-backslash'],
    [String.raw`\x00`, 'unknown-escape'],
    [String.raw`\777`, 'unknown-escape'],
    [String.raw`\U00110000`, 'unknown-escape'],
  ])('refuses %s: %s', (text, kind) => expect(splitWords(text, escapedWords)).toEqual({ ok: false, error: { kind } }))

  it('keeps the words before an error', () => {
    expect(wordsUntilError('a b "c', escapedWords)).toEqual({ words: ['a', 'b'], error: { kind: 'open-quote' } })
  })

  it('joins bytes written one by one to a character', () => {
    expect(unescapeText(String.raw`\xc3\xa9`)).toBe('é')
    expect(unescapeText(String.raw`\xff`)).toBe('\udcff')
  })

  it('gives back quoted words', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }).filter((word) => !/\0|\p{Cs}/u.test(word))), (words) => {
        expect(splitWords(words.map(quoteWord).join(' '), escapedWords)).toEqual({ ok: true, value: words })
      }),
    )
  })

  it('never throws', () => {
    const texts = fc
      .array(fc.constantFrom('\\', '"', "'", ' ', 'x', '4', 'u', 'U', '7', '\udcff'))
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(texts, fc.constantFrom(escapedWords, relaxedWords, quotedWords, plainWords), (text, syntax) => {
        splitWords(text, syntax)
      }),
    )
  })
})
