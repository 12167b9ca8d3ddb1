/**
 * The whole API of the client port as one function: which path is served by what, and what every path has in common:
 * decoding, redirects, OPTIONS, cross-origin headers (spec/etcd-v2.md §1.1, §1.2, §3).
 */
import type { ExchangeHandler } from '@cluster/http'
import type { ByteString } from '@cluster/kv-store'
import { type Meter, silentMeter } from '@cluster/prelude'
import type { ApiPart, Authorizer } from './api-ports.ts'
import { createCors } from './cors.ts'
import { type ProcessFacts, respondDebugVars } from './debug-vars.ts'
import { createHealth } from './health.ts'
import { type LogLevel, respondLocalLog } from './local-log.ts'
import { createApiMetrics, type MetricsText, respondMetrics } from './metrics.ts'
import { respondBadRequest, respondNotFound } from './plain-answers.ts'
import type { Replica } from './replica.ts'
import { processTimers, type Timers } from './timers.ts'
import { createKeys } from './v2/keys.ts'
import { respondMachines } from './v2/machines.ts'
import { cleanPath, decodeEscapes, hasControlCharacter, isPlainPath, respondMoved } from './v2/paths.ts'
import { createStats } from './v2/stats.ts'
import { etcdVersion, respondVersion } from './version.ts'

export type HandlerOptions = {
  readonly replica: Replica
  readonly authorizer: Authorizer
  /** Serves `/v2/members` and what is below. */
  readonly members: ApiPart
  /** Serves `/v2/auth/enable`, `/v2/auth/users`, `/v2/auth/roles` and what is below the last two. */
  readonly auth: ApiPart
  /** Name of this member. */
  readonly name: ByteString
  /** All figures of the process. */
  readonly renderMetrics: () => Promise<MetricsText>
  /** Where requests are counted; the figures must be among those that `renderMetrics` shows. */
  readonly meter?: Meter
  readonly setLogLevel: (level: LogLevel) => void
  readonly processFacts: ProcessFacts
  /** Origins that browsers may ask from; `*` for all. */
  readonly corsOrigins?: readonly string[]
  /** What `/version` says this server is. */
  readonly serverVersion?: string
  /** Minutes by which local time is ahead of UTC; for the times in `/v2/stats/self`. */
  readonly utcOffsetMinutes?: (timeMs: number) => number
  readonly timers?: Timers
}

/** Answers every request on the client port. */
export function createHandler({
  replica,
  authorizer,
  members,
  auth,
  name,
  renderMetrics,
  meter = silentMeter,
  setLogLevel,
  processFacts,
  corsOrigins = [],
  serverVersion = etcdVersion,
  utcOffsetMinutes = (timeMs) => -new Date(timeMs).getTimezoneOffset(),
  timers = processTimers,
}: HandlerOptions): ExchangeHandler {
  const metrics = createApiMetrics(meter)
  const keys = createKeys({ replica, authorizer, timers, events: metrics })
  const stats = createStats({ replica, name, utcOffsetMinutes })
  const health = createHealth({ replica, timers })
  const withOrigin = createCors(corsOrigins)

  const routes: ReadonlyMap<ByteString, ApiPart> = new Map<ByteString, ApiPart>([
    ['/version', (exchange) => respondVersion(exchange, replica.store, serverVersion)],
    ['/health', health],
    ['/v2/machines', (exchange) => respondMachines(exchange, replica.store)],
    ['/v2/stats/self', stats.self],
    ['/v2/stats/leader', stats.leader],
    ['/v2/stats/store', stats.store],
    ['/debug/vars', (exchange) => respondDebugVars(exchange, replica, processFacts)],
    ['/config/local/log', (exchange) => respondLocalLog(exchange, setLogLevel)],
    [
      '/metrics',
      (exchange) => {
        metrics.flush()
        respondMetrics(exchange, renderMetrics)
      },
    ],
    ['/v2/members', members],
    ['/v2/auth/enable', auth],
    ['/v2/auth/users', auth],
    ['/v2/auth/roles', auth],
  ])

  const partOf = (path: ByteString): ApiPart => {
    const part = routes.get(path)
    if (part !== undefined) return part
    if (path.startsWith('/v2/members/')) return members
    return path.startsWith('/v2/auth/users/') || path.startsWith('/v2/auth/roles/') ? auth : respondNotFound
  }

  const serve: ApiPart = (exchange, path, query) => {
    // `/v2/keys` is nearly all there is: looked for first. 47 is the slash.
    if (path.startsWith('/v2/keys') && (path.length === 8 || path.charCodeAt(8) === 47)) {
      keys(exchange, path.slice(8), query)
    } else partOf(path)(exchange, path, query)
  }

  return (asked) => {
    const { target } = asked
    const mark = target.indexOf('?')
    const sent = mark === -1 ? target : target.slice(0, mark)
    const query = mark === -1 ? '' : target.slice(mark + 1)
    const isPlain = isPlainPath(sent)
    const path = isPlain ? sent : decodePath(sent)
    // The HTTP layer of etcd refuses these before any handler: no cross-origin headers, no OPTIONS.
    if (path === undefined || (query !== '' && hasControlCharacter(query))) {
      respondBadRequest(asked)
      return
    }
    const exchange = withOrigin(asked)
    if (exchange.method === 'OPTIONS') {
      exchange.respond(200, '', '')
      return
    }
    const cleaned = isPlain ? path : cleanPath(path)
    if (cleaned === path) serve(exchange, path, query)
    else respondMoved(exchange, cleaned, query)
  }
}

/** The decoded path; undefined: it is none. */
function decodePath(sent: ByteString): ByteString | undefined {
  if (sent === '*') return sent
  if (!sent.startsWith('/') || hasControlCharacter(sent)) return undefined
  const path = decodeEscapes(sent, false)
  return typeof path === 'number' ? undefined : path
}
