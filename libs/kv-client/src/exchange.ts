/**
 * One request and its answer, over as many endpoints as it takes. What may be said twice is asked elsewhere when an
 * endpoint fails; a write is, only if it certainly did not arrive.
 */
import {
  type FetchResponse,
  type HttpClient,
  type HttpErrorCode,
  type HttpHeaders,
  headerOf,
  readText,
  wasNotSent,
} from '@cluster/http'
import { KvError } from '@cluster/kv'
import { isClusterError, type Logger } from '@cluster/prelude'
import type { Endpoint, Endpoints } from './endpoints.ts'
import { type Answer, decodeAnswer } from './etcd2-codec.ts'

/** What all requests of one client share. */
export type Connection = {
  readonly client: HttpClient
  readonly endpoints: Endpoints
  readonly requestTimeoutMs: number
  /** Of the header `Authorization`. */
  readonly authorization: string | undefined
  readonly log: Logger
}

export type Exchange = {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE'
  /** From the root of the server, escaped, with its query. */
  readonly target: string
  /** An encoded form. */
  readonly form?: string
  readonly signal?: AbortSignal | undefined
}

/** The answer and who gave it. */
export type Answered = { readonly endpoint: Endpoint; readonly answer: Answer; readonly clusterId: string | undefined }

/** A range of a million small keys; above it something is wrong with the store or the prefix. */
const answerSizeBytesMax = 256 * 1024 * 1024

/**
 * Asks the endpoints in turn until one gives an answer that makes sense.
 *
 * @throws KvError `kv/unavailable`, `kv/timeout`, `kv/invalid-answer`, `kv/aborted`
 */
export async function exchange(connection: Connection, request: Exchange): Promise<Answered> {
  const { endpoints, requestTimeoutMs, log } = connection
  const isWrite = request.method === 'PUT' || request.method === 'DELETE'
  const failures: KvError[] = []
  for (const endpoint of endpoints.inOrder()) {
    const attempt = await tryEndpoint(connection, endpoint, request)
    if (attempt.kind === 'answered') {
      endpoints.succeeded(endpoint)
      return attempt.value
    }
    if (attempt.error.code === 'kv/aborted') throw attempt.error
    endpoints.failed(endpoint)
    log.debug('endpoint failed', { endpoint, code: attempt.error.code, reason: attempt.error.message })
    if (isWrite && attempt.mayHaveArrived) throw attempt.error
    failures.push(attempt.error)
  }
  throw noEndpointLeft(failures, endpoints.all, requestTimeoutMs)
}

type Attempt =
  | { readonly kind: 'answered'; readonly value: Answered }
  | { readonly kind: 'failed'; readonly error: KvError; readonly mayHaveArrived: boolean }

async function tryEndpoint(connection: Connection, endpoint: Endpoint, request: Exchange): Promise<Attempt> {
  let response: FetchResponse
  let text: string
  try {
    const idleTimeoutMs = connection.requestTimeoutMs
    response = await fetchFollowing(connection, endpoint, { ...request, idleTimeoutMs })
    text = await readText(response.body, { sizeBytesMax: answerSizeBytesMax })
  } catch (error) {
    return { kind: 'failed', error: toKvError(error, endpoint), mayHaveArrived: !wasNotSent(error) }
  }
  const decoded = decodeAnswer(response.status, response.headers, text)
  if (!decoded.ok) {
    // Proxies say with 502 to 504 that there is nobody behind them.
    const error = [502, 503, 504].includes(response.status)
      ? cannotServe(endpoint, `status ${response.status}`)
      : invalidAnswer(endpoint, decoded.error.found)
    return { kind: 'failed', error, mayHaveArrived: true }
  }
  const answer = decoded.value
  if (answer.kind === 'refused' && response.status >= 500) {
    const said = answer.cause === '' ? answer.reason : `${answer.reason}: ${answer.cause}`
    return { kind: 'failed', error: cannotServe(endpoint, said), mayHaveArrived: true }
  }
  return { kind: 'answered', value: { endpoint, answer, clusterId: clusterIdOf(response.headers) } }
}

/** Which cluster the server belongs to, as it says. */
export const clusterIdOf = (headers: HttpHeaders): string | undefined => headerOf(headers, 'x-etcd-cluster-id')

export type FetchFollowing = Exchange & { readonly idleTimeoutMs: number }

const redirectsMax = 5

/**
 * Sends the request to one endpoint, and on where that redirects it to. The head must come within the request timeout,
 * each hop anew. Credentials go to endpoints only.
 *
 * @throws HttpError, and KvError `kv/invalid-answer` for redirects that lead nowhere
 */
export async function fetchFollowing(
  { client, endpoints, requestTimeoutMs, authorization }: Connection,
  endpoint: Endpoint,
  { method, target, form, signal, idleTimeoutMs }: FetchFollowing,
): Promise<FetchResponse> {
  let url = endpoint + target
  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const headers: [string, string][] = []
    if (form !== undefined) headers.push(['Content-Type', 'application/x-www-form-urlencoded'])
    if (authorization !== undefined && endpoints.all.includes(new URL(url).origin)) {
      headers.push(['Authorization', authorization])
    }
    const response = await client.fetch({
      url,
      method,
      headers,
      timeToHeadersMs: requestTimeoutMs,
      idleTimeoutMs,
      signal,
      ...(form === undefined ? {} : { body: form }),
    })
    if (response.status !== 307 && response.status !== 308) return response
    response.discard()
    const location = headerOf(response.headers, 'location') ?? ''
    if (!URL.canParse(location, url)) throw invalidAnswer(endpoint, `a redirect to ${JSON.stringify(location)}`)
    const next = new URL(location, url)
    if (endpoint.startsWith('https:') && next.protocol !== 'https:') {
      throw invalidAnswer(endpoint, `a redirect from https to ${next.origin}`)
    }
    url = next.href
  }
  throw invalidAnswer(endpoint, `more than ${redirectsMax} redirects, the last to ${url}`)
}

/** A failure on the wire, in the words of the port. Errors of the port pass unchanged. */
export function toKvError(error: unknown, endpoint: Endpoint): KvError {
  if (error instanceof KvError) return error
  if (!isClusterError<HttpErrorCode>(error)) {
    return new KvError('kv/unavailable', `asking ${endpoint} failed`, { cause: error })
  }
  if (error.code === 'http/aborted')
    return new KvError('kv/aborted', 'the caller gave up the request', { cause: error })
  if (
    error.code === 'http/invalid-answer' ||
    error.code === 'http/body-too-large' ||
    error.code === 'http/bad-request'
  ) {
    return new KvError('kv/invalid-answer', `${endpoint} does not answer as etcd does`, {
      hint: nonsenseHint,
      cause: error,
    })
  }
  if (wasNotSent(error)) {
    return new KvError('kv/unavailable', `${endpoint} cannot be reached`, { hint: error.hint, cause: error })
  }
  return new KvError('kv/timeout', `${endpoint} was asked and did not answer`, { hint: unknownHint, cause: error })
}

const nonsenseHint = 'check that the endpoint is the client address of an etcd with its v2 API on (--enable-v2)'
const unknownHint = 'check that the server is not overloaded or stopped; a write may or may not have happened'

/** An answer that no etcd gives. */
export const invalidAnswer = (endpoint: Endpoint, found: string): KvError =>
  new KvError('kv/invalid-answer', `${endpoint} does not answer as etcd does: found ${found}`, { hint: nonsenseHint })

const cannotServe = (endpoint: Endpoint, said: string): KvError =>
  new KvError('kv/timeout', `${endpoint} could not finish the request: ${said}`, {
    hint: 'check that a majority of the members runs; a write may or may not have happened',
  })

/** What to say when nobody is left to ask: the most telling of what went wrong decides about the code. */
function noEndpointLeft(failures: readonly KvError[], all: readonly Endpoint[], timeoutMs: number): KvError {
  const [only, ...others] = failures
  if (only !== undefined && others.length === 0) return only
  const codes = new Set(failures.map(({ code }) => code))
  const code = codes.has('kv/invalid-answer')
    ? 'kv/invalid-answer'
    : codes.has('kv/timeout')
      ? 'kv/timeout'
      : 'kv/unavailable'
  const cause = new AggregateError(failures, '')
  return new KvError(code, `none of ${all.length} endpoints answered within ${timeoutMs} ms each`, {
    hint: `check that the store runs and can be reached: ${all.join(', ')}`,
    cause,
  })
}
