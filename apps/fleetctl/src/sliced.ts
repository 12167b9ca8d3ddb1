/** Long work in slices, so that Ctrl-C is heard and the person sees how far it is. */
import type { Clock } from '@cluster/prelude'

/** After so long others get their turn; Ctrl-C is heard at the end of a slice. */
const sliceMs = 20

/**
 * Takes steps until there are none or the signal fires.
 *
 * @param onSlice is told the last step of each slice
 * @returns the last step, if there was any, and whether it was the end
 */
export async function runSliced<Step>(
  steps: Iterable<Step>,
  { clock, signal, onSlice }: { clock: Clock; signal: AbortSignal; onSlice: (last: Step) => void },
): Promise<{ readonly last?: Step; readonly isComplete: boolean }> {
  let last: { readonly last?: Step } = {}
  let sinceMs = clock.monotonicMs()
  for (const step of steps) {
    last = { last: step }
    if (clock.monotonicMs() - sinceMs < sliceMs) continue
    onSlice(step)
    await clock.sleep(0, signal)
    if (signal.aborted) return { ...last, isComplete: false }
    sinceMs = clock.monotonicMs()
  }
  return { ...last, isComplete: true }
}
