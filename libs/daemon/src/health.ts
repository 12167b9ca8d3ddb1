/** Is this daemon well? Named checks, asked together, as a status and a body to answer with. */
import { type Clock, describeError } from '@cluster/prelude'

/** Returns when all is well, throws what is wrong. Should give up when the signal fires. */
export type HealthCheck = (signal: AbortSignal) => Promise<void> | void

export type HealthReport = {
  /** HTTP's: 200 when every check passes, 503 when one does not. */
  readonly status: 200 | 503
  readonly body: {
    readonly status: 'ok' | 'failing'
    /** By name; `problem` is there when the check fails. */
    readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly problem?: string }>>
  }
}

export type Health = {
  /** Adds a check, or replaces the one of that name; the answer takes it away again. */
  readonly add: (name: string, check: HealthCheck) => () => void
  readonly report: () => Promise<HealthReport>
}

export function createHealth({
  clock,
  timeoutMs = 2000,
}: {
  readonly clock: Clock
  readonly timeoutMs?: number
}): Health {
  const checks = new Map<string, HealthCheck>()

  async function problemOf(check: HealthCheck): Promise<string | undefined> {
    const done = new AbortController()
    const late = new AbortController()
    try {
      const deadline = clock.sleep(timeoutMs, done.signal).then(() => {
        if (done.signal.aborted) return
        late.abort()
        throw new Error(`no answer within ${timeoutMs} ms`)
      })
      await Promise.race([Promise.resolve().then(() => check(late.signal)), deadline])
      return undefined
    } catch (error) {
      return describeError(error).join(': ')
    } finally {
      done.abort()
    }
  }

  return {
    add: (name, check) => {
      checks.set(name, check)
      return () => {
        if (checks.get(name) === check) checks.delete(name)
      }
    },
    report: async () => {
      const results = await Promise.all(
        [...checks].map(async ([name, check]) => {
          const problem = await problemOf(check)
          return [name, problem === undefined ? { ok: true } : { ok: false, problem }] as const
        }),
      )
      const isWell = results.every(([, { ok }]) => ok)
      return {
        status: isWell ? 200 : 503,
        body: { status: isWell ? 'ok' : 'failing', checks: Object.fromEntries(results) },
      }
    },
  }
}
