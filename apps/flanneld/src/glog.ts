/** The log as flannel writes it: `Lmmdd hh:mm:ss.uuuuuu PID file:line] text`, local time. Pure but for what is given. */
import { oneLine, renderLogFields } from '@cluster/daemon'
import type { Logger } from '@cluster/prelude'

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
  const say = (level: GlogLevel, text: string): void => write(`${level}${timeOf(nowMs())} ${source} ${oneLine(text)}\n`)
  const at =
    (level: GlogLevel): Logger['info'] =>
    (message, fields = {}) =>
      say(level, `${message}${renderLogFields(fields)}`)
  return { debug: verbosity > 0 ? at('I') : () => undefined, info: at('I'), warn: at('W'), error: at('E') }
}

function timeOf(ms: number): string {
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString()
  return `${local.slice(5, 7)}${local.slice(8, 10)} ${local.slice(11, 23)}000`
}
