/** Changed names, collected for each listener until it comes to take them: a slow listener gets one set, not a queue. */

export type ChangeHub = {
  /** Adds names for every listener. */
  readonly announce: (names: Iterable<string>) => void
  /** What is announced from this call on, as sets. Ends when the signal fires or the hub closes. */
  readonly listen: (signal: AbortSignal) => AsyncIterable<ReadonlySet<string>>
  /** Ends all listeners. */
  readonly close: () => void
}

type Listener = { pending: Set<string>; wake: () => void }

export function createChangeHub(): ChangeHub {
  const listeners = new Set<Listener>()
  let closed = false

  async function* drain(listener: Listener, signal: AbortSignal): AsyncGenerator<ReadonlySet<string>> {
    const wake = (): void => listener.wake()
    signal.addEventListener('abort', wake, { once: true })
    try {
      while (!signal.aborted && !closed) {
        if (listener.pending.size === 0) {
          await new Promise<void>((resolve) => {
            listener.wake = resolve
          })
          continue
        }
        const names = listener.pending
        listener.pending = new Set()
        yield names
      }
    } finally {
      signal.removeEventListener('abort', wake)
      listeners.delete(listener)
    }
  }

  return {
    announce: (names) => {
      for (const listener of listeners) {
        for (const name of names) listener.pending.add(name)
        if (listener.pending.size > 0) listener.wake()
      }
    },
    listen: (signal) => {
      // registered here, not at the first pull: what happens between the two must not be lost
      const listener: Listener = { pending: new Set(), wake: () => undefined }
      listeners.add(listener)
      signal.addEventListener('abort', () => listeners.delete(listener), { once: true })
      return drain(listener, signal)
    },
    close: () => {
      closed = true
      for (const listener of listeners) listener.wake()
      listeners.clear()
    },
  }
}
