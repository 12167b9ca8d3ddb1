/** How an error leaves its thread: as values, since a posted error loses what our errors carry. */
import { isClusterError } from '@cluster/prelude'

/** What a worker says when it cannot go on. */
export type WorkerFailure = {
  readonly type: 'failed'
  readonly code: string | undefined
  readonly message: string
  readonly hint: string | undefined
  readonly cause: string | undefined
}

/** An error in a form that can be posted. */
export function describeFailure(error: unknown): WorkerFailure {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined
  if (isClusterError(error)) {
    return { type: 'failed', code: error.code, message: error.message, hint: error.hint, cause }
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { type: 'failed', code: undefined, message, hint: undefined, cause }
}
