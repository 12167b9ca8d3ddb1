/**
 * Asks over node:http: one client per set of TLS options, connections kept and used again, every wait bounded, every
 * failure an `HttpError` that says whether the request can have arrived.
 */
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type ClientRequest as NodeRequest,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { errnoOf, HttpError, toHttpError } from './errors.ts'
import type { HttpHeaders } from './handler.ts'
import type { TlsOptions } from './tls.ts'

export type FetchRequest = {
  /** `http://…` or `https://…`; with `socketPath` the host is only a header. */
  readonly url: string
  /** Default `GET`. */
  readonly method?: string
  readonly headers?: HttpHeaders
  readonly body?: string | Uint8Array
  /** Ask through this unix socket. */
  readonly socketPath?: string | undefined
  /** From the call to the head of the answer, connecting included. Default 10 s. */
  readonly timeToHeadersMs?: number
  /** Longest silence inside the body of the answer. Default 10 s; `Infinity` for a long poll. */
  readonly idleTimeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

export type FetchResponse = {
  readonly status: number
  readonly headers: HttpHeaders
  /** Can be read once; leaving the loop early closes the connection. Throws `HttpError` when it breaks off. */
  readonly body: AsyncIterable<Uint8Array>
  /** Gives up the rest of the body and its connection. */
  readonly discard: () => void
}

export type HttpClient = AsyncDisposable & {
  /**
   * Sends one request. Redirects are not followed, statuses are not judged. A read on a kept connection that turns out
   * to be dead is sent once more on a fresh one.
   *
   * @throws HttpError; `wasNotSent` tells whether it can have arrived
   */
  readonly fetch: (request: FetchRequest) => Promise<FetchResponse>
}

export type HttpClientOptions = { readonly tls?: TlsOptions | undefined }

/** A client. Dispose of it to close the connections it keeps. */
export function createHttpClient({ tls = {} }: HttpClientOptions = {}): HttpClient {
  const agents: Agents = {
    http: new HttpAgent({ keepAlive: true }),
    https: new HttpsAgent({ keepAlive: true, ...tls }),
  }
  return {
    fetch: async (request) => {
      const url = parseUrl(request.url)
      const sent = await send(agents, url, request)
      if (sent.kind === 'answered') return sent.response
      const method = request.method ?? 'GET'
      // The server closed an idle connection just as we used it. Only reads may be said twice.
      if (sent.wasReused && sent.error.code === 'http/connection-reset' && (method === 'GET' || method === 'HEAD')) {
        const again = await send(agents, url, request)
        if (again.kind === 'answered') return again.response
        throw again.error
      }
      throw sent.error
    },
    [Symbol.asyncDispose]: async () => {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

type Agents = { readonly http: HttpAgent; readonly https: HttpsAgent }
type Sent =
  | { readonly kind: 'answered'; readonly response: FetchResponse }
  | { readonly kind: 'failed'; readonly error: HttpError; readonly wasReused: boolean }

function send(agents: Agents, url: URL, request: FetchRequest): Promise<Sent> {
  const {
    method = 'GET',
    headers = [],
    body,
    socketPath,
    timeToHeadersMs = 10_000,
    idleTimeoutMs = 10_000,
    signal,
  } = request
  const place = socketPath ?? url.origin
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve({ kind: 'failed', error: abortedError(place), wasReused: false })
    const options = {
      method,
      headers: flatten(headers, body, url),
      ...(socketPath === undefined ? {} : { socketPath }),
    }
    const outgoing: NodeRequest =
      url.protocol === 'https:' && socketPath === undefined
        ? httpsRequest(url, { ...options, agent: agents.https })
        : httpRequest(socketPath === undefined ? url : new URL(`http://localhost${url.pathname}${url.search}`), {
            ...options,
            agent: agents.http,
          })
    const isTls = url.protocol === 'https:' && socketPath === undefined
    let isConnected = false
    outgoing.on('socket', (socket) => {
      // A kept connection has been made long ago, and would gather one listener for each request.
      if (outgoing.reusedSocket) isConnected = true
      else {
        socket.once(isTls ? 'secureConnect' : 'connect', () => {
          isConnected = true
        })
      }
    })

    const timer = setTimeout(() => {
      const code = isConnected ? 'http/timeout' : 'http/connect-timeout'
      const what = isConnected ? 'did not answer' : 'could not be connected to'
      const hint = 'check that the server is not overloaded or stopped, and the network between'
      outgoing.destroy(new HttpError(code, `${place} ${what} within ${timeToHeadersMs} ms`, { hint }))
    }, timeToHeadersMs)
    const onAbort = (): void => {
      outgoing.destroy(abortedError(place))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    const settleHead = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }

    outgoing.on('error', (cause) => {
      settleHead()
      const error = toHttpError(cause, place)
      resolve({
        kind: 'failed',
        error: isConnected ? error : beforeConnected(error, place),
        wasReused: outgoing.reusedSocket,
      })
    })
    outgoing.on('response', (incoming) => {
      settleHead()
      // The signal ends a body, too, whether anybody reads it already or not.
      const onAbortInBody = (): void => {
        incoming.destroy(abortedError(place))
      }
      signal?.addEventListener('abort', onAbortInBody, { once: true })
      incoming.on('close', () => signal?.removeEventListener('abort', onAbortInBody))
      // Whoever reads the body gets the error; when nobody does, it is nobody's.
      incoming.on('error', () => undefined)
      resolve({
        kind: 'answered',
        response: {
          status: incoming.statusCode ?? 0,
          headers: pairsOf(incoming.rawHeaders),
          body: readBody(incoming, { place, idleTimeoutMs }),
          discard: () => incoming.destroy(),
        },
      })
    })
    outgoing.end(body)
  })
}

/** Silence and cuts while a connection is being made: nothing of the request was sent yet. */
function beforeConnected(error: HttpError, place: string): HttpError {
  const options = { hint: error.hint, cause: error.cause }
  if (error.code === 'http/timeout') {
    return new HttpError('http/connect-timeout', `${place} could not be connected to`, options)
  }
  if (error.code === 'http/connection-reset') {
    return new HttpError('http/unreachable', `${place} cut the connection before it was made`, options)
  }
  return error
}

type BodyContext = { readonly place: string; readonly idleTimeoutMs: number }

async function* readBody(
  incoming: IncomingMessage,
  { place, idleTimeoutMs }: BodyContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const onSilence = (): void => {
    const hint = 'the server stopped in the middle of its answer; check that it is not overloaded or stopped'
    incoming.destroy(new HttpError('http/timeout', `${place} fell silent for ${idleTimeoutMs} ms`, { hint }))
  }
  let timer = idleTimeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(onSilence, idleTimeoutMs)
  try {
    for await (const chunk of incoming) {
      clearTimeout(timer)
      if (chunk instanceof Uint8Array) yield chunk
      timer = idleTimeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(onSilence, idleTimeoutMs)
    }
    if (!incoming.complete) throw cutOff(place)
  } catch (error) {
    throw errnoOf(error) === 'ECONNRESET' ? cutOff(place) : toHttpError(error, place)
  } finally {
    clearTimeout(timer)
  }
}

function parseUrl(text: string): URL {
  if (!URL.canParse(text)) throw invalidUrl(text, 'is not a URL')
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalidUrl(text, 'is neither http nor https')
  return url
}

const invalidUrl = (text: string, why: string): HttpError =>
  new HttpError('http/invalid-address', `${JSON.stringify(text)} ${why}`, { hint: 'expected http://HOST:PORT/PATH' })

const abortedError = (place: string): HttpError => new HttpError('http/aborted', `the request to ${place} was given up`)

const cutOff = (place: string): HttpError =>
  new HttpError('http/connection-reset', `${place} cut the connection in the middle of its answer`, {
    hint: 'check that the server still runs; its log may say why',
  })

/** Header pairs as node wants them: one flat list, so that order and duplicates stay. */
function flatten(headers: HttpHeaders, body: string | Uint8Array | undefined, url: URL): string[] {
  const flat = headers.flat()
  const has = (name: string): boolean => headers.some(([given]) => given.toLowerCase() === name)
  if (!has('host')) flat.push('Host', url.host)
  if (body !== undefined && !has('content-length')) flat.push('Content-Length', String(Buffer.byteLength(body)))
  return flat
}

function pairsOf(raw: readonly string[]): HttpHeaders {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[at * 2] ?? '', raw[at * 2 + 1] ?? ''] as const)
}
