/**
 * Units whose last task failed wait before the next try, alone: the others go on (spec/fleet.md trap 11). Pure; what
 * is wanted anew (another text or state) is tried at once.
 */
import type { Random } from '@cluster/prelude'

export type BackOff = {
  readonly failed: (unit: string, wanted: string, nowMs: number) => number
  readonly succeeded: (unit: string) => void
  /** How long the unit still has to wait; 0: may be tried. */
  readonly remainingMs: (unit: string, wanted: string, nowMs: number) => number
}

const firstMs = 500
const longestMs = 30_000

export function createBackOff(random: Random): BackOff {
  const waits = new Map<string, { readonly wanted: string; readonly failures: number; readonly untilMs: number }>()
  return {
    failed(unit, wanted, nowMs) {
      const before = waits.get(unit)
      const failures = (before?.wanted === wanted ? before.failures : 0) + 1
      const waitMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 20)) * (0.5 + random.next() / 2)
      waits.set(unit, { wanted, failures, untilMs: nowMs + waitMs })
      return waitMs
    },
    succeeded: (unit) => {
      waits.delete(unit)
    },
    remainingMs(unit, wanted, nowMs) {
      const wait = waits.get(unit)
      return wait === undefined || wait.wanted !== wanted ? 0 : Math.max(0, wait.untilMs - nowMs)
    },
  }
}
