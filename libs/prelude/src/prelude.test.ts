import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assert, InvariantError, unreachable } from './assert.ts'
import { silentLogger, silentMeter } from './ports.ts'
import { err, map, ok } from './result.ts'
import { seededRandom } from './seeded-random.ts'

describe('assert', () => {
  it('passes what holds', () => expect(() => assert(1, 'one')).not.toThrow())
  it('ends with what must hold', () =>
    expect(() => assert(undefined, 'a leader is known')).toThrow(
      new InvariantError('invariant broken: a leader is known'),
    ))
  it('names the value that cannot be', () =>
    expect(() => unreachable({ kind: 'new' } as never)).toThrow('unreachable: {"kind":"new"}'))
})

describe('result', () => {
  it('changes a value', () => expect(map(ok(1), (value) => value + 1)).toEqual(ok(2)))
  it('passes an error on', () => expect(map(err('no'), () => 1)).toEqual(err('no')))
})

describe('seededRandom', () => {
  it('gives the same numbers for the same seed', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [first, second] = [seededRandom(seed), seededRandom(seed)]
        for (let turn = 0; turn < 20; turn++) expect(first.next()).toBe(second.next())
      }),
    )
  })
  it('stays in [0, 1) and spreads', () => {
    const random = seededRandom(7)
    const tenths = new Array<number>(10).fill(0)
    for (let turn = 0; turn < 10_000; turn++) {
      const value = random.next()
      expect(value >= 0 && value < 1).toBe(true)
      const tenth = Math.floor(value * 10)
      tenths[tenth] = (tenths[tenth] ?? 0) + 1
    }
    for (const count of tenths) expect(count).toBeGreaterThan(850)
  })
})

describe('silent ports', () => {
  it('take everything and say nothing', () => {
    expect(silentLogger.info('hello', { a: 1 })).toBeUndefined()
    expect(silentMeter.counter('a_total', 'help').add({ kind: 'x' })).toBeUndefined()
    expect(silentMeter.gauge('a_bytes', 'help').set(1)).toBeUndefined()
    expect(silentMeter.histogram('a_seconds', 'help').observe(1)).toBeUndefined()
  })
})
