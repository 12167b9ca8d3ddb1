/** The log as flannel writes it: `Lmmdd hh:mm:ss.uuuuuu PID file:line] text`, local time. Pure but for what is given. */
import type { LogFields, Logger } from '@cluster/prelude'

/** Info, warning, error. */
type GlogLevel = 'I' | 'W' | 'E'

export type GlogOptions = {
  /** `-v`: above 0, debug messages are written, too; as information, since glog has no level for them. */
  readonly verbosity: number
  readonly pid: number
  readonly nowMs: () => number
  readonly write: (line: string) => void
}

/** Messages of the libraries come as `message key=value`. One message is one line. */
export function createGlog({ verbosity, pid, nowMs, write }: GlogOptions): Logger {
  // glog pads the process ID to seven characters; the place is that of the program, which is all that it tells apart.
  const source = `${String(pid).padStart(7)} flanneld:1]`
  const say = (level: GlogLevel, text: string): void =>
    write(`${level}${timeOf(nowMs())} ${source} ${text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')}\n`)
  const at =
    (level: GlogLevel): Logger['info'] =>
    (message, fields = {}) =>
      say(level, `${message}${fieldsOf(fields)}`)
  return { debug: verbosity > 0 ? at('I') : () => undefined, info: at('I'), warn: at('W'), error: at('E') }
}

function timeOf(ms: number): string {
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString()
  return `${local.slice(5, 7)}${local.slice(8, 10)} ${local.slice(11, 23)}000`
}

const fieldsOf = (fields: LogFields): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${renderValue(value)}`)
    .join('')

function renderValue(value: unknown): string {
  const text = value instanceof Error ? value.message : value
  if (typeof text === 'string' && /^[^\s"=\\\p{Cc}]+$/u.test(text)) return text
  return JSON.stringify(text) ?? String(text)
}
