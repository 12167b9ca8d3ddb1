import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchGlob } from './go-glob.ts'

describe('matchGlob', () => {
  it.each([
    ['web@*.service', 'web@1.service', true],
    ['web@*.service', 'web@.service', true],
    ['web@*.service', 'Web@1.service', false],
    ['*', '', true],
    ['*', 'a/b', false],
    ['a*/b', 'a/c/b', false],
    ['', '', true],
    ['', 'a', false],
    ['?', 'é', true],
    ['?', '/', false],
    ['[a-c]', 'b', true],
    ['[^a-c]', 'b', false],
    ['[^/]b', 'ab', true],
    ['[!a]', '!', true],
    ['[]a]', ']', false],
    ['[-]', '-', false],
    ['[x-]', 'x', false],
    ['[\\-x]', '-', true],
    ['[\\]x]', ']', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['{a,b}', 'a', false],
    ['**', 'ab', true],
    ['a*b*c', 'axxbxxc', true],
    ['*c*d', 'cccd', true],
    // 'é' is two bytes; after a star Go looks at the second one alone and finds that it is not an 'é'
    ['*[^é]', 'é', true],
  ])('%j fits %j: %s', (pattern, name, fits) => expect(matchGlob(pattern, name)).toBe(fits))

  it.each(['[', '[a', '[]', '[a-', 'a\\', '[\\', 'x[', '*[', '[^]'])('the malformed %j fits nothing', (pattern) => {
    for (const name of ['', 'a', '[', 'a[', pattern]) expect(matchGlob(pattern, name)).toBe(false)
  })

  const alphabet = fc.constantFrom('a', 'b', '.', '@')
  const piece = fc.oneof(alphabet, fc.constantFrom('*', '?', '[ab]', '[^a]', '[a-b]', '\\a', '\\*'))

  it('agrees with a naive backtracking model', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), fc.array(alphabet, { maxLength: 8 }), (pieces, chars) => {
        expect(matchGlob(pieces.join(''), chars.join(''))).toBe(fitsNaively(pieces, chars))
      }),
      { numRuns: 2000 },
    )
  })

  it('never throws', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('[', ']', '^', '-', '\\', '*', 'é', '\udc80') }),
    )
    fc.assert(fc.property(text, text, (pattern, name) => typeof matchGlob(pattern, name) === 'boolean'))
  })

  it('finds every name that has no special character by itself', () => {
    const name = fc.string().filter((text) => !/[*?[\\]/.test(text))
    fc.assert(fc.property(name, (text) => matchGlob(text, text)))
  })
})

function fitsNaively(pieces: readonly string[], chars: readonly string[]): boolean {
  const [piece, ...rest] = pieces
  if (piece === undefined) return chars.length === 0
  if (piece === '*') return chars.some((_, skipped) => fitsNaively(rest, chars.slice(skipped))) || fitsNaively(rest, [])
  const [char, ...more] = chars
  return char !== undefined && fitsOne(piece, char) && fitsNaively(rest, more)
}

function fitsOne(piece: string, char: string): boolean {
  if (piece === '?') return true
  if (piece === '[^a]') return char !== 'a'
  if (piece.startsWith('[')) return char === 'a' || char === 'b'
  return piece.replace('\\', '') === char
}
