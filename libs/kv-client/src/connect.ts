/** From endpoints and credentials to a store. */
import { createHttpClient, type TlsOptions } from '@cluster/http'
import { checkPrefix, type Key, type Kv } from '@cluster/kv'
import { type Clock, type Logger, type Random, silentLogger } from '@cluster/prelude'
import { createEndpoints } from './endpoints.ts'
import { createEtcd2Kv } from './etcd2.ts'

export type Etcd2ConnectOptions = {
  /** One or more members or proxies of one cluster: `http://10.0.0.1:2379`. */
  readonly endpoints: readonly string[]
  /** Everything is kept below this prefix, which callers do not see. Default `/`: the whole store. */
  readonly prefix?: Key
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** For `https` endpoints; see `readTlsFiles` of `@cluster/http`. */
  readonly tls?: TlsOptions | undefined
  /**
   * How long one endpoint may take to begin its answer, and to stay silent in the middle of it. Default 1000. A read
   * may take that long for each endpoint.
   */
  readonly requestTimeoutMs?: number
  /**
   * How often a quiet watch looks whether its server still lives. Default 1000. Keep this and the request timeout
   * together well below the times to live in the store: a store that stood still for longer lets keys expire when it
   * goes on, and a watch that did not notice would tell of them as if their owners had vanished.
   */
  readonly probeMs?: number
  readonly clock: Clock
  readonly random: Random
  readonly log?: Logger
}

/**
 * A store in an etcd that speaks the v2 API. Nothing is asked yet: the first request finds out whether anybody is there.
 * Dispose of it to close the connections it keeps.
 *
 * @throws KvClientError `kv-client/invalid-endpoint`
 * @throws KvError `kv/invalid-key` for a prefix that is none
 */
export function connectEtcd2({
  endpoints,
  prefix = '/',
  username,
  password = '',
  tls,
  requestTimeoutMs = 1000,
  probeMs = 1000,
  clock,
  random,
  log = silentLogger,
}: Etcd2ConnectOptions): Kv & AsyncDisposable {
  checkPrefix(prefix)
  const scored = createEndpoints(endpoints, clock, random)
  const client = createHttpClient({ tls })
  const authorization =
    username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const connection = { client, endpoints: scored, requestTimeoutMs, authorization, log }
  const kv = createEtcd2Kv({ connection, clock, random, root: prefix, probeMs })
  return { ...kv, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() }
}
