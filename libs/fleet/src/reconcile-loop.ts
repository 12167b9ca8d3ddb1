/**
 * The one loop that engine and agent run on: look, plan, act, wait for a reason to look again. An event only rings the
 * bell; what is to be done is always found by looking. A failed round changes nothing and is tried again.
 */
import type { Doorbell, Random } from '@cluster/prelude'

export type ReconcileLoopOptions = {
  readonly doorbell: Doorbell
  /** One round. Returns after how many milliseconds to look again even if nobody rings. */
  readonly round: (signal: AbortSignal) => Promise<number>
  /** A round failed; the loop goes on. */
  readonly onFailure: (error: unknown) => void
  /** First and longest wait after a failed round; each is jittered down to its half. */
  readonly backOff?: { readonly firstMs: number; readonly longestMs: number }
  readonly random: Random
}

/** Runs rounds until the signal fires; a round that is under way is finished first. Never rejects. */
export async function runReconcileLoop(
  { doorbell, round, onFailure, backOff = { firstMs: 250, longestMs: 5000 }, random }: ReconcileLoopOptions,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    let waitMs: number
    try {
      waitMs = await round(signal)
      failures = 0
    } catch (error) {
      if (signal.aborted) return
      onFailure(error)
      waitMs = Math.min(backOff.longestMs, backOff.firstMs * 2 ** Math.min(failures, 20)) * (0.5 + random.next() / 2)
      failures += 1
    }
    await doorbell.wait(waitMs, signal)
  }
}
