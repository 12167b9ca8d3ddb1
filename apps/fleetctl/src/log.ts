/** Lines in the form of the original's log, which goes to stderr: `2006/01/02 15:04:05 LEVEL source: text`. */
import type { Context } from './context.ts'

/** Writes one line, with local time. */
export function log(
  { io, clock }: Pick<Context, 'io' | 'clock'>,
  level: 'INFO' | 'WARN' | 'ERROR',
  text: string,
): void {
  const now = new Date(clock.nowMs())
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('/')
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(':')
  io.stderr.write(`${date} ${time} ${level} fleetctl: ${text}\n`)
}

/** A remedy behind one of the original's one-line errors; only for a person, since scripts compare stderr. */
export function hint({ io }: Pick<Context, 'io'>, text: string): void {
  if (io.stderr.isTerminal) io.stderr.write(`${text}\n`)
}
