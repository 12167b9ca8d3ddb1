/**
 * Which machines that are not there may only seem to be gone. Pure; time is an argument.
 *
 * A machine is lost at once when its key was seen to expire in a store that had been well for a whole TTL. A key that
 * somebody deleted gets a moment to be written again by a machine that is alive. Everything else (vanished during an
 * outage, in a store that stood still, before we came) is confirmed when one full TTL has passed in a healthy store:
 * a machine that lives has registered again by then. Source: spec/fleet.md trap 5.
 */
export type MachineLosses = {
  readonly vanished: (machine: string, loss: MachineLoss) => void
  readonly returned: (machine: string) => void
  /** Everything was read anew: when and how machines vanished is not known any more. */
  readonly resynced: () => void
  /**
   * When the loss of an absent machine is confirmed, on the clock of `healthySinceMs`; `undefined`: not before the
   * store is healthy.
   *
   * @param healthySinceMs since when the store has answered without a gap
   */
  readonly confirmedAtMs: (machine: string, healthySinceMs: number | undefined) => number | undefined
  /** Whether the machine's end was watched and is certain at `nowMs`. False for a machine that was never there. */
  readonly wasWatched: (machine: string, nowMs: number) => boolean
}

export type MachineLoss = {
  readonly how: 'expired' | 'deleted'
  readonly atMs: number
  readonly healthySinceMs: number | undefined
}

/**
 * @param ttlMs how long a machine's key lives without being written
 * @param deletedGraceMs how long a machine may take to write a deleted key again
 */
export function createMachineLosses({
  ttlMs,
  deletedGraceMs,
}: {
  readonly ttlMs: number
  readonly deletedGraceMs: number
}): MachineLosses {
  const losses = new Map<string, MachineLoss>()
  /** From when on the loss is certain by what was seen alone. */
  const certainFromMs = ({ how, atMs, healthySinceMs }: MachineLoss): number | undefined => {
    if (healthySinceMs === undefined || atMs - healthySinceMs < ttlMs) return undefined
    return how === 'expired' ? atMs : atMs + deletedGraceMs
  }
  return {
    vanished: (machine, loss) => {
      losses.set(machine, loss)
    },
    returned: (machine) => {
      losses.delete(machine)
    },
    resynced: () => losses.clear(),
    confirmedAtMs(machine, healthySinceMs) {
      const loss = losses.get(machine)
      // Once seen it stays seen: a hiccup of the store afterwards does not bring the machine back.
      const fromMs = loss === undefined ? undefined : certainFromMs(loss)
      if (fromMs !== undefined) return fromMs
      return healthySinceMs === undefined ? undefined : healthySinceMs + ttlMs
    },
    wasWatched(machine, nowMs) {
      const loss = losses.get(machine)
      const fromMs = loss === undefined ? undefined : certainFromMs(loss)
      return fromMs !== undefined && fromMs <= nowMs
    },
  }
}
