import type { Clock } from '@cluster/prelude'

/** Time that stands still until it is told to pass. */
export function createVirtualClock(): Clock & { readonly pass: (ms: number) => Promise<void> } {
  let now = 0
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()
  return {
    nowMs: () => now,
    monotonicMs: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve()
        const sleeper = {
          at: now + ms,
          wake: () => {
            sleepers.delete(sleeper)
            resolve()
          },
        }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', sleeper.wake, { once: true })
      }),
    pass: async (ms) => {
      now += ms
      for (const sleeper of sleepers) if (sleeper.at <= now) sleeper.wake()
      // whoever woke up gets to its next wait before time goes on
      await new Promise<void>((resolve) => setImmediate(resolve))
    },
  }
}
