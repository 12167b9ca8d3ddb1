/**
 * One request, over as many endpoints as it takes: the one that answered last is asked first. A failed connection and a
 * status of 500 or above lead to the next endpoint, unless the request might then be carried out twice.
 */
import { type HttpClient, type HttpHeaders, headerOf, readText, wasNotSent } from '@cluster/http'
import { isClusterError, type Random } from '@cluster/prelude'
import { notEtcd, V2ApiError, type V2Attempt } from './failure.ts'
import { objectIn } from './json.ts'

/** A request as it is about to be sent. Passwords in it are masked; credentials are not part of it. */
export type V2Request = { readonly method: string; readonly url: string; readonly body?: string }

/** What is asked. */
export type V2Call = {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** From the root of the server, escaped, with its query. */
  readonly target: string
  readonly body?: { readonly type: 'form' | 'json'; readonly text: string; readonly shown: string }
  /** Carrying it out twice is not carrying it out once: it is not sent again when it may have arrived. */
  readonly isOnce?: boolean
  /** The head comes at once and the rest when it comes: no limit on the silence. */
  readonly isLongPoll?: boolean
  readonly signal?: AbortSignal | undefined
}

/** A whole answer below 500, and whose it is. */
export type V2Answer = {
  readonly endpoint: string
  readonly status: number
  readonly headers: HttpHeaders
  readonly text: string
}

export type Requester = {
  readonly endpoints: () => readonly string[]
  readonly replaceEndpoints: (endpoints: readonly string[]) => void
  /** @throws V2ApiError `kv-client/unavailable`, `kv-client/aborted`, `kv-client/not-etcd` */
  readonly ask: (call: V2Call) => Promise<V2Answer>
  /** Asks one address, whatever the endpoints are. @throws HttpError */
  readonly askAt: (url: string, signal?: AbortSignal) => Promise<V2Answer>
}

export type RequesterOptions = {
  readonly client: HttpClient
  readonly endpoints: readonly string[]
  readonly authorization: string | undefined
  readonly requestTimeoutMs: number
  readonly random: Random
  readonly onRequest: (request: V2Request) => void
}

const answerSizeBytesMax = 256 * 1024 * 1024
const redirectsMax = 10
/** The head of a watch comes at once, but a watch is not given up as quickly as another request. */
const longPollToHeadersMs = 30_000

/** Makes the one place through which all requests of a client go. */
export function createRequester(options: RequesterOptions): Requester {
  let endpoints = options.endpoints
  let first = 0

  const ask = async (call: V2Call): Promise<V2Answer> => {
    const attempts: V2Attempt[] = []
    const asked = endpoints
    for (const [turn, endpoint] of [...asked.slice(first), ...asked.slice(0, first)].entries()) {
      const attempt = await tryEndpoint(options, asked, endpoint, call)
      if (attempt.kind === 'answered') {
        if (asked === endpoints && turn > 0) first = (first + turn) % asked.length
        return attempt.answer
      }
      attempts.push(attempt)
      if (call.isOnce === true && mayHaveArrived(attempt)) break
    }
    throw new V2ApiError('kv-client/unavailable', `none of ${asked.length} endpoints gave an answer`, {
      failure: { kind: 'unavailable', attempts },
      hint: `check that the store runs and can be reached: ${asked.join(', ')}`,
      cause: new AggregateError(
        attempts.flatMap((attempt) => (attempt.kind === 'unreachable' ? [attempt.error] : [])),
        '',
      ),
    })
  }

  return {
    endpoints: () => endpoints,
    ask,
    askAt: async (url, signal) => {
      const { origin } = new URL(url)
      return await fetchWhole(options, [], origin, { method: 'GET', target: url.slice(origin.length), signal })
    },
    replaceEndpoints: (replacement) => {
      const isSame = [...replacement].sort().join() === [...endpoints].sort().join()
      if (isSame) return
      endpoints = shuffled(replacement, options.random)
      first = 0
    },
  }
}

type Tried = { readonly kind: 'answered'; readonly answer: V2Answer } | V2Attempt

async function tryEndpoint(
  options: RequesterOptions,
  endpoints: readonly string[],
  endpoint: string,
  call: V2Call,
): Promise<Tried> {
  try {
    const answer = await fetchWhole(options, endpoints, endpoint, call)
    if (answer.status < 500) return { kind: 'answered', answer }
    return { kind: 'server-error', endpoint, status: answer.status, message: messageIn(answer.text) }
  } catch (error) {
    if (call.signal?.aborted === true || isClusterError(error, 'http/aborted')) {
      throw new V2ApiError('kv-client/aborted', 'the request was given up', { cause: error })
    }
    if (error instanceof V2ApiError) throw error
    return { kind: 'unreachable', endpoint, error }
  }
}

const mayHaveArrived = (attempt: V2Attempt): boolean => attempt.kind === 'server-error' || !wasNotSent(attempt.error)

async function fetchWhole(
  { client, authorization, requestTimeoutMs, onRequest }: RequesterOptions,
  endpoints: readonly string[],
  endpoint: string,
  { method, target, body, isLongPoll = false, signal }: V2Call,
): Promise<V2Answer> {
  let url = endpoint + target
  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const headers: [string, string][] = []
    if (body !== undefined) headers.push(['Content-Type', contentTypes[body.type]])
    const { origin } = new URL(url)
    // Credentials go to endpoints only, wherever one of them redirects to.
    const isEndpoint = endpoints.some((known) => new URL(known).origin === origin)
    if (authorization !== undefined && isEndpoint) headers.push(['Authorization', authorization])
    onRequest({ method, url, ...(body === undefined ? {} : { body: body.shown }) })
    const response = await client.fetch({
      url,
      method,
      headers,
      timeToHeadersMs: isLongPoll ? Math.max(requestTimeoutMs, longPollToHeadersMs) : requestTimeoutMs,
      idleTimeoutMs: isLongPoll ? Number.POSITIVE_INFINITY : requestTimeoutMs,
      signal,
      ...(body === undefined ? {} : { body: body.text }),
    })
    if (response.status < 300 || response.status > 399) {
      const text = await readText(response.body, { sizeBytesMax: answerSizeBytesMax })
      return { endpoint, status: response.status, headers: response.headers, text }
    }
    response.discard()
    const location = headerOf(response.headers, 'location')
    if (location === undefined || !URL.canParse(location, url)) throw notEtcd(`a redirect to ${location ?? 'nowhere'}`)
    const next = new URL(location, url)
    if (url.startsWith('https:') && next.protocol !== 'https:') {
      throw notEtcd(`a redirect from https to ${next.origin}`)
    }
    url = next.href
  }
  throw notEtcd(`more than ${redirectsMax} redirects`)
}

const contentTypes = { form: 'application/x-www-form-urlencoded', json: 'application/json' } as const

function messageIn(text: string): string | undefined {
  const message = objectIn(text)?.['message']
  return typeof message === 'string' ? message : undefined
}

function shuffled(endpoints: readonly string[], random: Random): readonly string[] {
  const mixed = [...endpoints]
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1))
    const [left, right] = [mixed[last], mixed[other]]
    if (left !== undefined && right !== undefined) [mixed[last], mixed[other]] = [right, left]
  }
  return mixed
}
