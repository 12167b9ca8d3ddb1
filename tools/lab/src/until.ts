import { setTimeout as delay } from 'node:timers/promises'
import { LabError } from './errors.ts'

export type UntilOptions<T> = {
  /** What is waited for, as it reads in "… within 30 s". */
  readonly what: string
  readonly timeoutMs: number
  readonly everyMs?: number | undefined
  /** Whether the value is the one waited for. What it throws ends the waiting. */
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
  let last: Seen<T>
  for (;;) {
    last = await lookOnce(look)
    if (last.kind === 'value' && is(last.value)) return last.value
    signal?.throwIfAborted()
    if (performance.now() - startMs > timeoutMs) break
    await delay(everyMs, undefined, signal === undefined ? {} : { signal })
  }
  throw new LabError('lab/timeout', `${what}: not within ${timeoutMs / 1000} s; last seen: ${render(last)}`, {
    cause: last.kind === 'failure' ? last.error : undefined,
  })
}

type Seen<T> = { readonly kind: 'value'; readonly value: T } | { readonly kind: 'failure'; readonly error: unknown }

async function lookOnce<T>(look: () => Promise<T> | T): Promise<Seen<T>> {
  try {
    return { kind: 'value', value: await look() }
  } catch (error) {
    return { kind: 'failure', error }
  }
}

function render<T>(seen: Seen<T>): string {
  if (seen.kind !== 'value') return 'nothing'
  const text = typeof seen.value === 'string' ? seen.value : (JSON.stringify(seen.value) ?? 'nothing')
  return text.slice(0, 2000)
}
