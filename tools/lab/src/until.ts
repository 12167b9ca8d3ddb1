import { setTimeout as delay } from 'node:timers/promises'
import { LabError } from './errors.ts'

export type UntilOptions<T> = {
  /** What is waited for, as it reads in "… within 30 s". */
  readonly what: string
  readonly timeoutMs: number
  readonly everyMs?: number | undefined
  /** Whether the value is the one waited for. */
  readonly is: (value: T) => boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Looks again and again until what is seen is what was waited for, and gives it.
 * A look that throws counts as not yet; its error is the cause when time runs out.
 *
 * @throws LabError `lab/timeout` that shows the last thing seen
 */
export async function until<T>(look: () => Promise<T> | T, options: UntilOptions<T>): Promise<T> {
  const { what, timeoutMs, everyMs = 50, is, signal } = options
  const startMs = performance.now()
  let seen: T | undefined
  let cause: unknown
  for (;;) {
    try {
      seen = await look()
      cause = undefined
      if (is(seen)) return seen
    } catch (error) {
      cause = error
    }
    signal?.throwIfAborted()
    if (performance.now() - startMs > timeoutMs) break
    await delay(everyMs, undefined, signal === undefined ? {} : { signal })
  }
  const last = seen === undefined ? 'nothing' : typeof seen === 'string' ? seen : JSON.stringify(seen)
  throw new LabError('lab/timeout', `${what}: not within ${timeoutMs / 1000} s; last seen: ${last.slice(0, 2000)}`, {
    cause,
  })
}
