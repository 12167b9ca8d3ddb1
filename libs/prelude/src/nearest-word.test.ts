import { describe, expect, it } from 'vitest'
import { editDistance, nearestWord } from './nearest-word.ts'

describe('the distance of two words', () => {
  it.each([
    ['', '', 0, 0],
    ['start', 'start', 0, 0],
    ['', 'abc', 3, 3],
    ['stat', 'start', 1, 1],
    ['tsart', 'start', 2, 1],
    ['tsrat', 'start', 3, 2],
    ['kitten', 'sitting', 3, 3],
    ['Start', 'start', 1, 1],
    ['ca', 'abc', 3, 3],
  ])('%s and %s is %i, with swaps %i', (one, other, plain, withSwaps) => {
    expect(editDistance(one, other)).toBe(plain)
    expect(editDistance(other, one)).toBe(plain)
    expect(editDistance(one, other, { swap: 1 })).toBe(withSwaps)
  })

  it('is exact up to the limit, and above the limit where it is above', () => {
    const words = ['', 'a', 'ab', 'ba', 'abc', 'acb', 'bca', 'start', 'tsart', 'restart', 'status', 'stop']
    for (const one of words) {
      for (const other of words) {
        for (const swap of [1, 2] as const) {
          const exact = editDistance(one, other, { swap })
          for (const atMost of [0, 1, 2, 3]) {
            const limited = editDistance(one, other, { swap, atMost })
            expect(limited > atMost ? 'above' : limited).toBe(exact > atMost ? 'above' : exact)
          }
        }
      }
    }
  })
})

describe('the nearest word', () => {
  const known = ['endpoint', 'name', 'log-level', 'listen']

  it.each([
    ['endpoitn', 'endpoint'],
    ['nmae', 'name'],
    ['loglevel', 'log-level'],
    ['zzzzzz', undefined],
    ['', undefined],
  ])('to %s is %s', (word, nearest) => expect(nearestWord(word, known)).toBe(nearest))

  it('is the first of two as near', () => expect(nearestWord('b', ['bc', 'ba'])).toBe('bc'))
})
