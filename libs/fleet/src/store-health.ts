/**
 * Since when has the store answered without a gap? What was seen to expire counts as lost only in a store that was
 * well for long enough: one that stood still lets everything expire at once when it wakes (spec/fleet.md trap 5).
 */
export type StoreHealth = {
  readonly succeeded: () => void
  readonly failed: () => void
  /** Start of the unbroken run of successes that lasts until now; `undefined` while there is none. */
  readonly healthySinceMs: () => number | undefined
  /** The last success, `undefined` before the first. */
  readonly lastSuccessMs: () => number | undefined
}

/**
 * @param gapMaxMs a longer silence between two successes counts as an outage, even if nothing failed in it: this
 *   process itself may have stood still
 */
export function createStoreHealth(nowMs: () => number, gapMaxMs: number): StoreHealth {
  let healthySinceMs: number | undefined
  let lastSuccessMs: number | undefined
  return {
    succeeded() {
      const now = nowMs()
      if (healthySinceMs === undefined || lastSuccessMs === undefined || now - lastSuccessMs > gapMaxMs) {
        healthySinceMs = now
      }
      lastSuccessMs = now
    },
    failed() {
      healthySinceMs = undefined
    },
    healthySinceMs() {
      const isSilent = lastSuccessMs === undefined || nowMs() - lastSuccessMs > gapMaxMs
      return isSilent ? undefined : healthySinceMs
    },
    lastSuccessMs: () => lastSuccessMs,
  }
}
