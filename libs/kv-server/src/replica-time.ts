/** The store's time: wall time once, at the start; from there on a clock that only grows. */
import type { Clock } from '@cluster/prelude'

export interface StoreTime {
  nowMs(): number
  /** A time found in the log or a snapshot: from now on time is not before it. */
  notBefore(timeMs: number): void
}

/**
 * Time that no setting of the wall clock moves. Across a restart it goes on by the wall clock, unless that stands before
 * the last time in the log: then time goes on from there (spec/raft.md §11.1, §11.7).
 */
export function createStoreTime(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>): StoreTime {
  let offsetMs = clock.nowMs() - clock.monotonicMs()
  return {
    nowMs: () => offsetMs + clock.monotonicMs(),
    notBefore: (timeMs) => {
      const behindMs = timeMs - (offsetMs + clock.monotonicMs())
      if (behindMs > 0) offsetMs += behindMs
    },
  }
}
