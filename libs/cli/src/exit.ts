/** How a command ends: its exit code, and an error as lines for a person. */
import { describeError } from '@cluster/prelude'
import type { Io } from './io.ts'

/** Exit codes of our own programs; one that re-makes a known program keeps that one's codes. */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** One line what, one line per cause why, one line what to do; on stderr. Returns `exitCodes.failed`. */
export function printError(io: Io, error: unknown): number {
  for (const line of describeError(error)) io.stderr.write(`${line}\n`)
  return exitCodes.failed
}

/** Whether `error` is what an aborted wait or request throws. */
export const isInterruption = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'AbortError' ||
    ('code' in error && typeof error.code === 'string' && error.code.endsWith('/aborted')))
