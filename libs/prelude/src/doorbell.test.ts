import { expect, it } from 'vitest'
import { createDoorbell } from './doorbell.ts'
import type { Clock } from './ports.ts'

/** Sleeps last until their signal fires, or for ever. */
const clock: Clock = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  sleep: (_ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) resolve()
      signal?.addEventListener('abort', () => resolve(), { once: true })
    }),
}
const never = new AbortController().signal

it('wakes who waits, and keeps a ring for who comes later, but only one', async () => {
  const doorbell = createDoorbell(clock)
  const waiting = doorbell.wait(1000, never)
  doorbell.ring()
  await waiting
  doorbell.ring()
  doorbell.ring()
  await doorbell.wait(1000, never)
  let isAwake = false
  const stop = new AbortController()
  const next = doorbell.wait(1000, stop.signal).then(() => {
    isAwake = true
  })
  await Promise.resolve()
  expect(isAwake).toBe(false)
  stop.abort()
  await next
})

it('does not wait for a time that has passed', () => createDoorbell(clock).wait(0, never))
