import type { Clock } from './ports.ts'

/** "Look again", said any number of times, heard once. A ring while nobody waits is kept for the next to wait. */
export type Doorbell = {
  readonly ring: () => void
  /** Resolves at the next ring, after `ms`, or when the signal fires. One waiter at a time. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

/** A doorbell on the given clock. */
export function createDoorbell(clock: Clock): Doorbell {
  let isRung = false
  let wake: (() => void) | undefined
  return {
    ring() {
      isRung = true
      wake?.()
    },
    async wait(ms, signal) {
      if (!isRung && !signal.aborted && ms > 0) {
        const stopSleeping = new AbortController()
        wake = () => stopSleeping.abort()
        await clock.sleep(ms, AbortSignal.any([signal, stopSleeping.signal]))
        wake = undefined
      }
      isRung = false
    },
  }
}
