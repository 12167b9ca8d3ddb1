import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Deadlines } from './deadlines.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

class Waiter {
  calls = 0
  onDeadline(): void {
    this.calls++
  }
}

it('calls once, never early, at most two ticks late', () => {
  const deadlines = new Deadlines<Waiter>(10)
  const waiter = new Waiter()
  deadlines.start(waiter, 25)
  vi.advanceTimersByTime(25)
  expect(waiter.calls).toBe(0)
  vi.advanceTimersByTime(20)
  expect(waiter.calls).toBe(1)
  vi.advanceTimersByTime(1000)
  expect(waiter.calls).toBe(1)
})

it('forgets who stopped waiting and starts again for who asks again', () => {
  const deadlines = new Deadlines<Waiter>(10)
  const [one, two] = [new Waiter(), new Waiter()]
  deadlines.start(one, 20)
  deadlines.start(two, 20)
  deadlines.stop(one)
  vi.advanceTimersByTime(10)
  deadlines.start(two, 50)
  vi.advanceTimersByTime(40)
  expect([one.calls, two.calls]).toEqual([0, 0])
  vi.advanceTimersByTime(40)
  expect([one.calls, two.calls]).toEqual([0, 1])
})

it('keeps no timer while nobody waits', () => {
  const deadlines = new Deadlines<Waiter>(10)
  const waiter = new Waiter()
  deadlines.start(waiter, 20)
  expect(vi.getTimerCount()).toBe(1)
  deadlines.stop(waiter)
  vi.advanceTimersByTime(10)
  expect(vi.getTimerCount()).toBe(0)
})
