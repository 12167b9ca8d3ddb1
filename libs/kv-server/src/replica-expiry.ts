/**
 * Proposes time when something's time is over: a `sync` entry removes, on every member alike, what has a deadline at or
 * before its time. Looks at most every 500 ms, as etcd does; while nothing has a deadline there are no entries at all.
 */
import type { Command } from '@cluster/kv-store/v2'
import type { Timers } from './timers.ts'

export type ExpiryOptions = {
  readonly nextDeadlineMs: () => number | undefined
  readonly nowMs: () => number
  /** Calls back when the command was applied or has failed. */
  readonly propose: (command: Command, settled: () => void) => void
  readonly timers: Timers
}

export interface Expiry {
  /** Something may have a deadline now that had none, or an earlier one. */
  look(): void
  stop(): void
}

const cadenceMs = 500
/** A timer does not reach further than 24 days. */
const timerMsMax = 86_400_000

export function createExpiry({ nextDeadlineMs, nowMs, propose, timers }: ExpiryOptions): Expiry {
  let lastMs = Number.NEGATIVE_INFINITY
  let armedForMs: number | undefined
  let cancel: (() => void) | undefined
  let isProposing = false
  let isStopped = false

  const disarm = (): void => {
    cancel?.()
    cancel = undefined
    armedForMs = undefined
  }

  const look = (): void => {
    if (isProposing || isStopped) return
    const deadlineMs = nextDeadlineMs()
    if (deadlineMs === undefined) {
      if (armedForMs !== undefined) disarm()
      return
    }
    const dueMs = Math.max(deadlineMs, lastMs + cadenceMs)
    if (dueMs === armedForMs) return
    disarm()
    armedForMs = dueMs
    // A timer may fire a fraction early; a full millisecond later it never is.
    cancel = timers.after(Math.min(Math.max(Math.ceil(dueMs - nowMs()), 0) + 1, timerMsMax), onTimer)
  }

  const onTimer = (): void => {
    disarm()
    const deadlineMs = nextDeadlineMs()
    const timeMs = nowMs()
    if (deadlineMs === undefined || deadlineMs > timeMs || timeMs - lastMs < cadenceMs) {
      look()
      return
    }
    lastMs = timeMs
    isProposing = true
    propose({ kind: 'sync', timeMs }, () => {
      isProposing = false
      look()
    })
  }

  return {
    look,
    stop: () => {
      isStopped = true
      disarm()
    },
  }
}
