import { expect, it } from 'vitest'
import { systemClock } from './system-clock.ts'
import { systemRandom } from './system-random.ts'

it('a sleep ends when its signal fires, also one longer than a timer', async () => {
  const stop = new AbortController()
  const sleep = systemClock.sleep(Number.POSITIVE_INFINITY, stop.signal)
  stop.abort()
  await sleep
  await systemClock.sleep(1e15, stop.signal)
})

it('a sleep of no time ends', async () => {
  await systemClock.sleep(0)
  await systemClock.sleep(-1)
})

it('monotonic time does not go back', () => {
  const before = systemClock.monotonicMs()
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before)
})

it('chance is in [0, 1)', () => {
  const value = systemRandom.next()
  expect(value >= 0 && value < 1).toBe(true)
})
