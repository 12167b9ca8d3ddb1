/** `/config/local/log`: sets how much this member logs. Takes no rights, as in etcd: see docs/compatibility. */
import type { Exchange } from '@cluster/http'
import type { ByteString } from '@cluster/kv-store'
import { goString, parseFirstGoJson, readGoFields } from './go-json.ts'
import { respondMessage, respondMethodNotAllowed } from './plain-answers.ts'
import { bodyText } from './request-body.ts'

/** etcd's levels, from few lines to many. */
export type LogLevel = 'critical' | 'error' | 'warning' | 'notice' | 'info' | 'debug' | 'trace'

/** The words for each level; a digit is one too. */
const levels: Readonly<Record<string, LogLevel>> = {
  CRITICAL: 'critical',
  C: 'critical',
  ERROR: 'error',
  E: 'error',
  '0': 'error',
  WARNING: 'warning',
  W: 'warning',
  '1': 'warning',
  NOTICE: 'notice',
  N: 'notice',
  '2': 'notice',
  INFO: 'info',
  I: 'info',
  '3': 'info',
  DEBUG: 'debug',
  D: 'debug',
  '4': 'debug',
  TRACE: 'trace',
  T: 'trace',
  '5': 'trace',
}

/** Reads `{"Level":"INFO"}` and hands the level on. */
export function respondLocalLog(exchange: Exchange, setLevel: (level: LogLevel) => void): void {
  if (exchange.method !== 'PUT') {
    respondMethodNotAllowed(exchange, 'PUT')
    return
  }
  let name: ByteString = ''
  const body = bodyText(exchange)
  if (body === undefined) return
  const json = parseFirstGoJson(body)
  const readName = goString((text) => {
    name = text
  })
  if (!json.ok || readGoFields(json.value, { Level: readName }, '') !== undefined) {
    respondMessage(exchange, 400, 'Invalid json body')
    return
  }
  const level = levels[name.toUpperCase()]
  if (level === undefined) {
    respondMessage(exchange, 400, `Invalid log level ${name}`)
    return
  }
  setLevel(level)
  exchange.respond(204, '', '')
}
