/** What the lab says while it works. Narration, never an answer. */
export type Progress = {
  /** A step begins; the same step may speak again with a new detail. */
  readonly step: (text: string) => void
  /** The current step is done. */
  readonly done: (text: string) => void
}

/** Says nothing. */
export const silentProgress: Progress = { step: () => undefined, done: () => undefined }

/**
 * Progress on a stream: on a terminal one line that is rewritten, elsewhere a line at most every five seconds for a
 * step that goes on, and one for each that is done.
 */
export function streamProgress(stream: NodeJS.WriteStream, indent = ''): Progress {
  let lastMs = performance.now()
  const width = (): number => Math.max(20, (stream.columns ?? 80) - 1)
  return {
    step: (text) => {
      if (stream.isTTY) {
        stream.write(`\r\x1b[2K${`${indent}${text}`.slice(0, width())}`)
        return
      }
      const nowMs = performance.now()
      if (nowMs - lastMs < 5000) return
      lastMs = nowMs
      stream.write(`${indent}${text}\n`)
    },
    done: (text) => {
      lastMs = performance.now()
      stream.write(`${stream.isTTY ? '\r\x1b[2K' : ''}${indent}${text}\n`)
    },
  }
}
