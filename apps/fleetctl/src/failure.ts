/** Errors of the daemon and of the way to it, in the words that scripts around the original know. */
import { exitCodes, isInterruption } from '@cluster/cli'
import { FleetApiError } from '@cluster/fleet-api'
import { ClusterError, describeError } from '@cluster/prelude'
import type { Context } from './context.ts'

/** Global flags that no client can be made of. */
export class SettingsError extends ClusterError<'fleetctl/invalid-settings'> {
  override readonly name = 'SettingsError'
}

export type Failure = {
  /** One line: what the original says, where it says something of its own. */
  readonly message: string
  /** Why, and what to do. */
  readonly more: readonly string[]
}

/**
 * What went wrong. An answer of the daemon reads as the original's Google client has it.
 *
 * @throws the error itself when it is the person's interruption
 */
export function failureOf(error: unknown): Failure {
  if (isInterruption(error)) throw error
  if (error instanceof FleetApiError && error.answer !== undefined) {
    const { status, message, body } = error.answer
    const said =
      message === ''
        ? `googleapi: got HTTP response code ${status} with body: ${body}`
        : `googleapi: Error ${status}: ${message}`
    return { message: said, more: error.hint === undefined ? [] : [error.hint] }
  }
  const [message = 'unknown error', ...more] = describeError(error)
  return { message, more }
}

/** Prints a failure behind its prefix, then why and what to do. Returns 1. */
export function printFailure({ io }: Pick<Context, 'io'>, prefix: string, error: unknown): number {
  const { message, more } = failureOf(error)
  io.stderr.write([`${prefix}${message}`, ...more].map((line) => `${line}\n`).join(''))
  return exitCodes.failed
}
