import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deadlineOf, renderLifetime } from './deadline.ts'

const nowMs = 1_700_000_000_000

describe('the deadline of a ttl', () => {
  it.each([
    ['0', 'create', nowMs],
    ['1', 'create', nowMs + 1000],
    ['1000000000', 'create', nowMs + 1e12],
    // ttl-extreme.json: 292 years overflow, and are permanent for a set, over at once for an update.
    ['9223372036', 'create', undefined],
    ['18446744073709551615', 'create', nowMs - 1000],
    ['18446744073709551615', 'update', nowMs - 1000],
  ] as const)('%s seconds for a %s', (ttl, rule, expected) => {
    expect(deadlineOf(ttl, nowMs, rule)).toBe(expected)
    expect(deadlineOf(BigInt(ttl), nowMs, rule)).toBe(expected)
  })

  it('is long over when an update overflows', () => {
    expect(deadlineOf('9223372036', nowMs, 'update')).toBeLessThan(0)
  })

  it('is the same by the short way and by counting in 64-bit nanoseconds', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.integer({ min: 946_684_900_000, max: 4_000_000_000_000 }), (ttl, now) => {
        const endNs = BigInt.asIntN(64, BigInt(now) * 1_000_000n + BigInt(ttl) * 1_000_000_000n)
        expect(deadlineOf(ttl, now, 'create')).toBe(Number(endNs / 1_000_000n))
      }),
    )
  })
})

describe('the lifetime that an answer shows', () => {
  it.each([
    [undefined, ''],
    [nowMs, ',"expiration":"2023-11-14T22:13:20Z"'],
    [nowMs + 1, ',"expiration":"2023-11-14T22:13:20.001Z","ttl":1'],
    [nowMs + 1000, ',"expiration":"2023-11-14T22:13:21Z","ttl":1'],
    [nowMs + 1000.5, ',"expiration":"2023-11-14T22:13:21.0005Z","ttl":2'],
    [nowMs - 999, ',"expiration":"2023-11-14T22:13:19.001Z"'],
    [nowMs - 1000, ',"expiration":"2023-11-14T22:13:19Z","ttl":-1'],
    [0.000_001, ',"expiration":"1970-01-01T00:00:00.000000001Z","ttl":-1700000000'],
    [951_782_400_000, ',"expiration":"2000-02-29T00:00:00Z","ttl":-748217600'],
    [-9_223_372_036_854, ',"expiration":"1677-09-21T00:12:43.146Z","ttl":-9223372036'],
  ])('of a deadline at %s', (deadlineMs, shown) => expect(renderLifetime(deadlineMs, nowMs)).toBe(shown))

  it('names the day as a calendar does', () => {
    fc.assert(
      fc.property(fc.integer({ min: -9_000_000_000_000, max: 9_000_000_000_000 }), (time) => {
        const expected = new Date(time).toISOString().replace(/\.?0*Z$/, 'Z')
        expect(renderLifetime(time, time)).toBe(`,"expiration":"${expected}"`)
      }),
    )
  })
})
