import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareKeys, directoriesOf, isBelow, wellFormed } from './key.ts'

describe('compareKeys', () => {
  it('is the order of UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (left, right) => {
        expect(Math.sign(compareKeys(left, right))).toBe(
          Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right))),
        )
      }),
    )
  })
})

it.each([
  ['/', '/a', true],
  ['/', '/', false],
  ['/a', '/a/b', true],
  ['/a', '/a', false],
  ['/a', '/ab', false],
  ['/a', '/ab/c', false],
  ['/a/b', '/a', false],
])('below %s is %s: %s', (prefix, key, below) => expect(isBelow(prefix, key)).toBe(below))

it.each([
  ['/a', []],
  ['/a/b/c', ['/a', '/a/b']],
])('the directories of %s are %j', (key, directories) => expect(directoriesOf(key)).toEqual(directories))

it('well-formed text is what UTF-8 gives back', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '\ud800', '\udc00', '\u{1f600}') }), (text) => {
      expect(wellFormed(text)).toBe(Buffer.from(text).toString())
    }),
  )
})
