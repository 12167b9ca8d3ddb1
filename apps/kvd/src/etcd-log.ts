/** The log as etcd writes it: `2006-01-02 15:04:05.000000 I | package: text`, local time, to standard error. */
import { oneLine, renderLogFields } from '@cluster/daemon'
import type { Logger } from '@cluster/prelude'

export type EtcdLogOptions = {
  readonly isDebug: boolean
  readonly nowMs: () => number
  readonly write: (line: string) => void
}

export type EtcdLogger = Logger & {
  /** `false`: from now on only errors and what is above the given level. */
  readonly setDebug: (isOn: boolean) => void
  /** A line in etcd's own words, for the scripts and test rigs that wait for it. */
  readonly say: (level: EtcdLevel, text: string) => void
}

/** Critical, error, warning, notice, info, debug. */
export type EtcdLevel = 'C' | 'E' | 'W' | 'N' | 'I' | 'D'

/** Messages of the libraries come as `kvd: message key=value`. */
export function createEtcdLog({ isDebug, nowMs, write }: EtcdLogOptions): EtcdLogger {
  let debugs = isDebug
  const say = (level: EtcdLevel, text: string): void => {
    if (level === 'D' && !debugs) return
    write(`${timeOf(nowMs())} ${level} | ${oneLine(text)}\n`)
  }
  const at =
    (level: EtcdLevel): Logger['info'] =>
    (message, fields = {}) =>
      say(level, `kvd: ${message}${renderLogFields(fields)}`)
  return {
    debug: at('D'),
    info: at('I'),
    warn: at('W'),
    error: at('E'),
    say,
    setDebug: (isOn) => {
      debugs = isOn
    },
  }
}

function timeOf(ms: number): string {
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString()
  return `${local.slice(0, 10)} ${local.slice(11, 23)}000`
}
