import { err, ok } from '@cluster/prelude'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDuration, renderDuration } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['45s', 45_000],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['.5s', 500],
    ['100us', 0.1],
    ['2µs', 0.002],
    ['0', 0],
    ['0s', 0],
    ['-1s', -1000],
    ['+1s', 1000],
  ])('%s is %d ms', (text, milliseconds) => expect(parseDuration(text)).toEqual(ok(milliseconds)))

  it.each(['', 's', '1', '30', '1x', '1s 2s', '1d', 'abc', '-', '1.2.3s', '9e9h'])('%j is no duration', (text) =>
    expect(parseDuration(text).ok).toBe(false),
  )

  it('names the missing unit', () => expect(parseDuration('30')).toEqual(err('a duration needs a unit, such as 30s')))

  it('reads what renderDuration writes', () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), (ms) => {
        expect(parseDuration(renderDuration(ms))).toEqual(ok(ms))
      }),
    ))

  it('never throws', () => fc.assert(fc.property(fc.string(), (text) => void parseDuration(text))))
})
