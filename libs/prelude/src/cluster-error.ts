/**
 * The world failed: disk, network, peer, rights. One hierarchy for all libraries; recognised by `code`,
 * which is API: `lib/kebab-case`, never reused, never renamed.
 */

export type ClusterErrorOptions = {
  /** What to do next, for the person who reads it. */
  readonly hint?: string | undefined
  readonly cause?: unknown
}

export class ClusterError<Code extends string = string> extends Error {
  override readonly name: string = 'ClusterError'
  readonly code: Code
  readonly hint: string | undefined

  constructor(code: Code, message: string, { hint, cause }: ClusterErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.hint = hint
  }
}

/** Whether `error` is a `ClusterError`, of the given code if one is given. Also across two copies of this package. */
export function isClusterError<Code extends string>(error: unknown, code?: Code): error is ClusterError<Code> {
  if (!(error instanceof Error) || !('code' in error) || !('hint' in error)) return false
  if (typeof error.code !== 'string' || !error.code.includes('/')) return false
  return code === undefined || error.code === code
}

/**
 * An error and its causes as lines for a person: what, why (one line per cause), what to do.
 * No text is said twice.
 */
export function describeError(error: unknown): readonly string[] {
  const lines: string[] = []
  let hint: string | undefined
  const seen = new Set<unknown>()
  for (let current: unknown = error; current !== undefined && current !== null && !seen.has(current); ) {
    seen.add(current)
    const message = messageOf(current)
    if (message !== '' && !lines.some((line) => line.includes(message))) lines.push(message)
    if (isClusterError(current)) hint ??= current.hint
    current = current instanceof Error ? current.cause : undefined
  }
  if (hint !== undefined) lines.push(hint)
  return lines
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
