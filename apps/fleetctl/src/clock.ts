/** The real time. */
import type { Clock } from '@cluster/prelude'

/** Time of this computer; a sleep ends early, and never fails, when its signal fires. */
export const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      if (signal?.aborted === true) end()
      else signal?.addEventListener('abort', end)
    }),
}
