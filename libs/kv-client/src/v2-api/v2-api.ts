/**
 * The whole v2 API of an etcd as typed calls: what a program like etcdctl needs, and more than the `Kv` port offers.
 */
import { createHttpClient, type TlsOptions } from '@cluster/http'
import type { Random } from '@cluster/prelude'
import { createV2Auth, type V2Auth } from './auth.ts'
import { V2ApiError } from './failure.ts'
import { objectIn } from './json.ts'
import { createV2Keys, type V2Keys, type V2Signal } from './keys.ts'
import { createV2Members, type V2Members } from './members.ts'
import { createRequester, type V2Request } from './requester.ts'

export type V2ApiOptions = {
  /** `http://HOST:PORT` or `https://HOST:PORT`, at least one; asked in this order until one has answered. */
  readonly endpoints: readonly string[]
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** For `https` endpoints; see `readTlsFiles` of `@cluster/http`. */
  readonly tls?: TlsOptions | undefined
  /** How long one endpoint may take to begin its answer, and to stay silent inside it. Default 1000. */
  readonly requestTimeoutMs?: number
  /** Mixes the endpoints that `sync` finds, so that many clients spread out. */
  readonly random: Random
  /** Told of each request before it is sent, redirects and fail-over included. */
  readonly onRequest?: (request: V2Request) => void
}

/** What the health path of a member said. `unclear` is an answer that says neither. */
export type V2Health = 'healthy' | 'unhealthy' | 'unclear'

export type V2Api = AsyncDisposable & {
  /** The endpoints in use. */
  readonly endpoints: () => readonly string[]
  /**
   * Asks who the members are, and goes on with the addresses that they publish.
   *
   * @throws V2ApiError `kv-client/no-published-endpoints` and all that a request throws
   */
  readonly sync: (options?: V2Signal) => Promise<void>
  readonly keys: V2Keys
  readonly members: V2Members
  readonly auth: V2Auth
  /** Asks the health path at one client address, no other. @throws HttpError when it gives no answer */
  readonly health: (clientUrl: string, options?: V2Signal) => Promise<V2Health>
}

/**
 * A client of the v2 API. Nothing is asked yet. Dispose of it to close the connections it keeps. Requests fail with
 * `V2ApiError`; its `failure` has the particulars.
 *
 * @throws V2ApiError `kv-client/invalid-endpoint`
 */
export function createV2Api({
  endpoints,
  username,
  password = '',
  tls,
  requestTimeoutMs = 1000,
  random,
  onRequest = () => undefined,
}: V2ApiOptions): V2Api {
  for (const endpoint of endpoints) checkEndpoint(endpoint)
  if (endpoints.length === 0) throw invalidEndpoint('no endpoint of the store was given')
  const client = createHttpClient({ tls })
  const authorization =
    username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const requester = createRequester({
    client,
    endpoints: endpoints.map(withoutSlash),
    authorization,
    requestTimeoutMs,
    random,
    onRequest,
  })
  const members = createV2Members(requester)
  return {
    endpoints: requester.endpoints,
    sync: async (options) => {
      const published = (await members.list(options)).flatMap(({ clientUrls }) => clientUrls)
      if (published.length === 0) {
        throw new V2ApiError('kv-client/no-published-endpoints', 'no member publishes an address for clients', {
          hint: 'start the members with --advertise-client-urls, or go on without asking for the members',
        })
      }
      for (const endpoint of published) checkEndpoint(endpoint)
      requester.replaceEndpoints([...new Set(published.map(withoutSlash))])
    },
    keys: createV2Keys(requester),
    members,
    auth: createV2Auth(requester),
    health: async (clientUrl, { signal } = {}) => {
      checkEndpoint(clientUrl)
      const { text } = await requester.askAt(`${withoutSlash(clientUrl)}/health`, signal)
      const health = objectIn(text)?.['health']
      if (health === 'true' || health === true) return 'healthy'
      return health === undefined ? 'unclear' : 'unhealthy'
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

const withoutSlash = (endpoint: string): string => endpoint.replace(/\/+$/, '')

function checkEndpoint(endpoint: string): void {
  if (!URL.canParse(endpoint)) throw invalidEndpoint(`the endpoint ${JSON.stringify(endpoint)} is not a URL`)
  const { protocol, username, password, host } = new URL(endpoint)
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw invalidEndpoint(`the endpoint ${JSON.stringify(endpoint)} is neither http nor https`)
  }
  if (username !== '' || password !== '') {
    throw invalidEndpoint(`the endpoint at ${host} contains a user name or password`)
  }
}

const invalidEndpoint = (message: string): V2ApiError =>
  new V2ApiError('kv-client/invalid-endpoint', message, {
    hint: 'expected http://HOST:PORT or https://HOST:PORT, such as http://127.0.0.1:2379',
  })
