import { seededRandom } from '@cluster/prelude'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { leaseEndMs, renewalDelayMs, renewalRetryMs, renewalSpread } from './renewal.ts'

const hourMs = 3_600_000
const none = { next: () => 0 }

describe('renewal', () => {
  it('is due an hour before the end, without chance', () =>
    expect(renewalDelayMs({ nowMs: 5, endMs: leaseEndMs(5), random: none })).toBe(23 * hourMs))
  it('is spread: machines that start together part company', () => {
    const random = seededRandom(1)
    const delays = Array.from({ length: 1_000 }, () => renewalDelayMs({ nowMs: 0, endMs: leaseEndMs(0), random }))
    expect(Math.max(...delays)).toBeLessThanOrEqual(23 * hourMs)
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(23 * hourMs * (1 - renewalSpread))
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(hourMs)
  })
  it('is at once when it is due', () => {
    expect(renewalDelayMs({ nowMs: 0, endMs: hourMs, random: none })).toBe(0)
    expect(renewalDelayMs({ nowMs: hourMs, endMs: 0, random: none })).toBe(0)
  })
  it('heeds the margin', () =>
    expect(renewalDelayMs({ nowMs: 0, endMs: leaseEndMs(0, 600), marginSeconds: 60, random: none })).toBe(540_000))
  it('that failed is tried again within a minute, and twice at least before the end', () =>
    fc.assert(
      fc.property(fc.integer({ min: -5_000, max: 100_000_000 }), fc.nat(), (leftMs, seed) => {
        const delayMs = renewalRetryMs({ nowMs: 0, endMs: leftMs, random: seededRandom(seed) })
        expect(delayMs).toBeGreaterThanOrEqual(1_000)
        expect(delayMs).toBeLessThanOrEqual(60_000)
        if (leftMs > 4_000) expect(delayMs).toBeLessThanOrEqual(leftMs / 2)
      }),
    ))
})
