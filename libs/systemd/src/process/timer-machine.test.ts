import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nextElapse, type TimerBase, type TimerMoments } from './timer-machine.ts'

const fresh: TimerMoments = {
  activeMs: 1000,
  startupMs: 500,
  lastTriggerMs: undefined,
  unitActiveMs: undefined,
  unitInactiveMs: undefined,
}

const next = (base: TimerBase, afterMs: number, moments: Partial<TimerMoments> = {}): number | undefined =>
  nextElapse({ triggers: [{ base, afterMs }] }, { ...fresh, ...moments })

it.each([
  ['active', {}, 1010],
  ['boot', {}, 10],
  ['startup', {}, 510],
  ['active', { lastTriggerMs: 1010 }, undefined],
  ['unit-active', {}, undefined],
  ['unit-active', { unitActiveMs: 2000 }, 2010],
  ['unit-active', { unitActiveMs: 2000, lastTriggerMs: 3000 }, 3010],
  ['unit-inactive', { unitInactiveMs: 4000 }, 4010],
] as const)('%s with %o elapses at %s', (base, moments, expected) => {
  expect(next(base, 10, moments)).toBe(expected)
})

it('the earliest of several counts', () => {
  const triggers = [
    { base: 'active', afterMs: 50 },
    { base: 'startup', afterMs: 100 },
  ] as const
  expect(nextElapse({ triggers }, fresh)).toBe(600)
})

it('a repeating timer goes on for ever, and never backwards', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (first, period) => {
      const triggers = [
        { base: 'active', afterMs: first },
        { base: 'unit-active', afterMs: period },
      ] as const
      let lastTriggerMs: number | undefined
      for (let round = 0; round < 5; round += 1) {
        const at = nextElapse({ triggers }, { ...fresh, lastTriggerMs, unitActiveMs: lastTriggerMs })
        expect(at).toBeGreaterThan(lastTriggerMs ?? 0)
        lastTriggerMs = at
      }
    }),
  )
})
