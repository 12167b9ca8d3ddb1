/** One line on stderr that tells what is being waited for; only on a terminal, and gone when the wait ends. */
import type { Clock } from '@cluster/prelude'
import type { Io } from './io.ts'

export type Progress = {
  /** Shows this in place of what was shown, followed by the seconds since the start. */
  readonly show: (text: string) => void
  /** Takes the line away; called before anything else is printed, and at the end. */
  readonly clear: () => void
}

/** A progress line that keeps silent for the first `quietMs`, so that quick commands do not flicker. */
export function startProgress(io: Io, clock: Clock, { quietMs = 1000 }: { readonly quietMs?: number } = {}): Progress {
  const startedMs = clock.monotonicMs()
  let isShown = false
  return {
    show: (text) => {
      const elapsedMs = clock.monotonicMs() - startedMs
      if (!io.stderr.isTerminal || elapsedMs < quietMs) return
      const line = `${text} (${Math.floor(elapsedMs / 1000)} s)`
      // One character less than the width: a full line would wrap, and could not be taken away.
      io.stderr.write(`\r\u001b[K${line.slice(0, (io.stderr.columns ?? 80) - 1)}`)
      isShown = true
    },
    clear: () => {
      if (isShown) io.stderr.write('\r\u001b[K')
      isShown = false
    },
  }
}
