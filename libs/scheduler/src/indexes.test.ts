import { matchGlob } from '@cluster/unit-file'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { indexGlobs } from './glob-index.ts'
import { createLoadIndex } from './load-index.ts'
import { compareText } from './order.ts'
import { createOrderedBits } from './ordered-bits.ts'

describe('indexGlobs', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?', '[', ']', '\\', '/', 'é'), maxLength: 5 })

  it('finds the globs that match, as trying each one does', () => {
    fc.assert(
      fc.property(fc.array(letters), letters, (globs, name) => {
        const index = indexGlobs(globs)
        const found = index.matching(name)
        const expected = [...new Set(globs)].filter((glob) => matchGlob(glob, name)).map(index.idOf)
        expect([...found]).toEqual(expected)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('createOrderedBits', () => {
  it('answers as a sorted list does', () => {
    const value = fc.nat(2100)
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), value)), fc.array(value), (changes, questions) => {
        const bits = createOrderedBits(2101)
        const members = new Set<number>()
        for (const [isAdded, each] of changes) {
          if (isAdded) bits.add(each)
          else bits.remove(each)
          if (isAdded) members.add(each)
          else members.delete(each)
        }
        for (const from of [0, ...questions]) {
          const next = [...members].filter((each) => each >= from).sort((one, other) => one - other)[0] ?? -1
          expect(bits.next(from)).toBe(next)
        }
      }),
    )
  })

  it('is empty at capacity 0, and takes the last number below any other', () => {
    expect(createOrderedBits(0).next(0)).toBe(-1)
    for (const capacity of [1, 31, 32, 33, 1023, 1024, 1025, 40_000]) {
      const bits = createOrderedBits(capacity)
      bits.add(capacity - 1)
      expect(bits.next(0)).toBe(capacity - 1)
      expect(bits.next(capacity)).toBe(-1)
    }
  })
})

describe('createLoadIndex', () => {
  it('walks machines by load, then by rank', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(39), fc.boolean())), (changes) => {
        const index = createLoadIndex(40)
        const loads = Array.from({ length: 40 }, () => 0)
        for (const machine of loads.keys()) index.enter(machine, 0)
        for (const [machine, isMore] of changes) {
          const load = loads[machine] ?? 0
          if (!isMore && load === 0) continue
          // Steps of 700, so that loads go beyond what the index has room for at first.
          loads[machine] = load + (isMore ? 700 : -700)
          index.leave(machine, load)
          index.enter(machine, loads[machine] ?? 0)
        }
        const walked: number[] = []
        expect(index.find((machine) => walked.push(machine) === 0)).toBe(-1)
        const order = loads.map((load, rank) => ({ load, rank })).sort((a, b) => a.load - b.load || a.rank - b.rank)
        expect(walked).toEqual(order.map(({ rank }) => rank))
      }),
    )
  })

  it('stops at the first machine that is taken', () => {
    const index = createLoadIndex(3)
    for (const [machine, load] of [1, 0, 0].entries()) index.enter(machine, load)
    expect(index.find((machine) => machine !== 1)).toBe(2)
  })
})

describe('compareText', () => {
  it('orders as UTF-8 bytes do', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        const expected = Buffer.compare(Buffer.from(one), Buffer.from(other))
        expect(Math.sign(compareText(one, other))).toBe(expected)
      }),
    )
    expect(['\u{1f600}', '\uffff', 'b', 'B'].sort(compareText)).toEqual(['B', 'b', '\uffff', '\u{1f600}'])
  })
})
