import type { Clock } from '@cluster/prelude'

/** The longest that one timer of Node can wait: 2^31 − 1 ms, about 25 days. */
const timerMsMax = 2_147_483_647

/** Time as the machine has it. A sleep keeps the process alive; end it through its signal. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      let timer: NodeJS.Timeout
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      // a longer wait is made of several timers: one alone would fire at once
      const wait = (remaining: number): void => {
        const next = Math.min(Math.max(remaining, 0), timerMsMax)
        timer = setTimeout(() => (remaining > next ? wait(remaining - next) : done()), next)
      }
      signal?.addEventListener('abort', done, { once: true })
      wait(Number.isNaN(ms) ? 0 : ms)
    }),
}
