/** Time that moves when it is told to: for the model and for whole services in tests. */
import type { Clock } from '@cluster/prelude'

export type ManualClock = Clock & {
  /**
   * Moves time forward, waking sleepers in order of their time. After each one, what it set going is let run until
   * nothing is left but sleepers (as far as that takes no real I/O), so that a sleeper it starts is woken in turn.
   */
  readonly advance: (ms: number) => Promise<void>
  /** How many sleep at this moment. */
  readonly sleepers: () => number
}

type Sleeper = { readonly untilMs: number; readonly wake: () => void }

/** A clock that stands at `startMs` (default: 2020-01-01) until it is advanced. Wall and monotonic time are the same. */
export function createManualClock(startMs = 1_577_836_800_000): ManualClock {
  let nowMs = startMs
  const sleepers = new Set<Sleeper>()

  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleepers: () => sleepers.size,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve()
        const wake = (): void => {
          sleepers.delete(sleeper)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const sleeper: Sleeper = { untilMs: nowMs + Math.max(0, ms), wake }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', wake, { once: true })
      }),
    advance: async (ms) => {
      const endMs = nowMs + ms
      await settle()
      for (;;) {
        const next = earliest(sleepers)
        if (next === undefined || next.untilMs > endMs) break
        nowMs = Math.max(nowMs, next.untilMs)
        next.wake()
        await settle()
      }
      nowMs = endMs
      await settle()
    },
  }
}

function earliest(sleepers: ReadonlySet<Sleeper>): Sleeper | undefined {
  let first: Sleeper | undefined
  for (const sleeper of sleepers) if (first === undefined || sleeper.untilMs < first.untilMs) first = sleeper
  return first
}

// Promises alone settle within microtasks; the longest chain of awaits in our services is far below this.
const settleTurns = 500

async function settle(): Promise<void> {
  for (let turn = 0; turn < settleTurns; turn++) await Promise.resolve()
}
