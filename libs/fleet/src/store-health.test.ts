import { expect, it } from 'vitest'
import { createStoreHealth } from './store-health.ts'

it('a run of successes begins with the first, and begins anew after a failure or a silence', () => {
  let nowMs = 0
  const health = createStoreHealth(() => nowMs, 4500)
  expect(health.healthySinceMs()).toBeUndefined()
  health.succeeded()
  nowMs = 3000
  health.succeeded()
  expect(health.healthySinceMs()).toBe(0)
  health.failed()
  expect(health.healthySinceMs()).toBeUndefined()
  nowMs = 4000
  health.succeeded()
  expect(health.healthySinceMs()).toBe(4000)
  nowMs = 20_000
  expect(health.healthySinceMs()).toBeUndefined()
  health.succeeded()
  expect(health.healthySinceMs()).toBe(20_000)
  expect(health.lastSuccessMs()).toBe(20_000)
})
