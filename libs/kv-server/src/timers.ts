/** Later turns, as far as the replica needs them; given, so that tests decide when later is. */
export type Timers = {
  /** Calls back once after `ms`; gives a way to call it off. Keeps no process alive. */
  readonly after: (ms: number, callback: () => void) => () => void
  /** Calls back in the next turn, after what is ready to be read now has been read. */
  readonly nextTurn: (callback: () => void) => void
}

/** The timers of this process. */
export const processTimers: Timers = {
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
  nextTurn: (callback) => {
    setImmediate(callback)
  },
}
