/** A handler behind node's own HTTP server: on an address, a unix socket or a socket from systemd. */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isClusterError, type Logger, silentLogger } from '@cluster/prelude'
import { type ListenAddress, renderListenAddress } from './address.ts'
import { errnoOf } from './errors.ts'
import { bodyTooLarge, type Handler, type HttpRequest, type HttpResponse, headerOf, textResponse } from './handler.ts'
import { boundAddress, listenOn, urlOf } from './listen-on.ts'
import { peerOf } from './peer.ts'
import type { TlsOptions } from './tls.ts'

/** Where each limit stands when it is not given. Sizes in bytes, times in milliseconds. */
export type ServeLimits = {
  /** 16 KiB for the request line and all headers; beyond: 431. */
  readonly headerSizeBytesMax?: number
  /** 16 MiB; beyond: 413, and the connection is closed. */
  readonly bodySizeBytesMax?: number
  /** 10 s for a whole head; beyond: 408. */
  readonly headTimeoutMs?: number
  /** 60 s for head and body; beyond: 408. */
  readonly requestTimeoutMs?: number
  /** 75 s of silence between two requests. */
  readonly keepAliveTimeoutMs?: number
  /** 4096 connections at once; further ones are dropped. */
  readonly connectionsMax?: number
}

export type ServeOptions = {
  readonly listen: ListenAddress
  /** Serves HTTPS. With `ca`, clients must show a certificate signed by it. */
  readonly tls?: TlsOptions | undefined
  readonly limits?: ServeLimits
  readonly log?: Logger
  /** Makes the answer when the handler throws; default: 400, 413 or 500 as plain text. */
  readonly onError?: (error: unknown, request: HttpRequest) => HttpResponse
}

/** A listener at work. Disposing of it is `close` with one second of grace. */
export type HttpListener = AsyncDisposable & {
  /** As asked for, with the port that was found. */
  readonly address: ListenAddress
  /** The base of URLs for clients on this machine: `http://127.0.0.1:4711`; for a unix socket its path. */
  readonly url: string
  /** Takes no more requests, lets those at work finish for `graceMs`, then cuts them off. */
  readonly close: (graceMs: number) => Promise<void>
}

/**
 * Starts to listen and answers with `handler`. A unix socket left by a process that is gone is replaced.
 *
 * @throws HttpError `http/address-in-use`, `http/permission-denied`, `http/unreachable`, `http/failed`
 */
export async function serve(
  handler: Handler,
  { listen, tls, limits = {}, log = silentLogger, onError = answerToError }: ServeOptions,
): Promise<HttpListener> {
  const { bodySizeBytesMax = 16 * 1024 * 1024, connectionsMax = 4096 } = limits
  const forced = new AbortController()
  let isClosing = false
  const options = {
    maxHeaderSize: limits.headerSizeBytesMax ?? 16 * 1024,
    headersTimeout: limits.headTimeoutMs ?? 10_000,
    requestTimeout: limits.requestTimeoutMs ?? 60_000,
    keepAliveTimeout: limits.keepAliveTimeoutMs ?? 75_000,
    connectionsCheckingInterval: 1000,
    insecureHTTPParser: false,
  }
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    // A kept connection would hold up the close until its idle limit.
    outgoing.on('close', () => {
      if (isClosing) setImmediate(() => server.closeIdleConnections())
    })
    void answer(handler, incoming, outgoing, { bodySizeBytesMax, forced: forced.signal, log, onError })
  }
  const server: Server =
    tls === undefined
      ? createHttpServer(options, onRequest)
      : createHttpsServer(
          { ...options, ...tls, ...(tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }) },
          onRequest,
        )
  server.maxConnections = connectionsMax
  server.on('clientError', (error, socket) => refuse(error, socket))
  await listenOn(server, listen)
  // A listening server that fails later (out of descriptors) goes on; what it could not take is lost, not the daemon.
  server.on('error', (error) =>
    log.error('listener failed', { address: renderListenAddress(listen), reason: error.message }),
  )
  const address = boundAddress(server, listen)

  const close = async (graceMs: number): Promise<void> => {
    isClosing = true
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const timer = setTimeout(() => {
      forced.abort()
      server.closeAllConnections()
    }, graceMs)
    await closed
    clearTimeout(timer)
    forced.abort()
  }
  return { address, url: urlOf(address, tls !== undefined), close, [Symbol.asyncDispose]: () => close(1000) }
}

type AnswerContext = {
  readonly bodySizeBytesMax: number
  readonly forced: AbortSignal
  readonly log: Logger
  readonly onError: (error: unknown, request: HttpRequest) => HttpResponse
}

async function answer(
  handler: Handler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { bodySizeBytesMax, forced, log, onError }: AnswerContext,
): Promise<void> {
  const gone = new AbortController()
  const onForced = (): void => gone.abort()
  forced.addEventListener('abort', onForced, { once: true })
  outgoing.on('close', () => {
    forced.removeEventListener('abort', onForced)
    if (!outgoing.writableFinished) gone.abort()
  })
  // A client that goes away in the middle is no failure of ours.
  incoming.on('error', () => undefined)
  outgoing.on('error', () => undefined)

  const request = requestOf(incoming, bodySizeBytesMax, gone.signal)
  let response: HttpResponse
  try {
    response = request.kind === 'valid' ? await handler(request.value) : request.answer
  } catch (error) {
    if (request.kind !== 'valid') return
    if (gone.signal.aborted) return
    if (statusOfError(error) === 500) {
      log.error('request failed', { method: request.value.method, path: request.value.path, ...errorFields(error) })
    }
    response = onError(error, request.value)
  }
  try {
    await respond(response, incoming, outgoing)
  } catch (error) {
    if (gone.signal.aborted) return
    // The head may be out: all that is left is to cut the connection, so that nobody takes a part for the whole.
    log.error('answer broke off', { target: incoming.url, ...errorFields(error) })
    outgoing.destroy()
  }
}

async function respond(response: HttpResponse, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { status, headers = [], body } = response
  // Names in a list, so that duplicates and the spelling stay.
  const flat = headers.flat()
  const isWhole = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  // A stream may be made of the request's own body: it reads what it needs.
  if (isWhole && !incoming.complete) await drain(incoming)
  const mayHaveBody = status >= 200 && status !== 204 && status !== 304
  if (isWhole && mayHaveBody && headerOf(headers, 'content-length') === undefined) {
    flat.push('Content-Length', String(body === undefined ? 0 : Buffer.byteLength(body)))
  }
  // What is still left of the request would be taken for the next one.
  if (!incoming.complete) flat.push('Connection', 'close')
  outgoing.writeHead(status, flat)
  if (incoming.method === 'HEAD' || body === undefined || !mayHaveBody) {
    outgoing.end()
  } else if (typeof body === 'string' || body instanceof Uint8Array) {
    outgoing.end(body)
  } else {
    outgoing.flushHeaders()
    await pipeline(Readable.from(body, { objectMode: true, highWaterMark: 1 }), outgoing)
  }
}

/** How much of a body that nobody wants is read all the same. */
const drainSizeBytesMax = 64 * 1024 * 1024

/**
 * Reads what the handler left of the body: closing on unread data resets the connection, and the client would never
 * see the answer that says why. Bounded by size here and by the request timeout.
 */
function drain(incoming: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let sizeBytes = 0
    const onData = (chunk: Uint8Array): void => {
      sizeBytes += chunk.length
      if (sizeBytes > drainSizeBytesMax) done()
    }
    const done = (): void => {
      incoming.off('data', onData)
      incoming.pause()
      resolve()
    }
    incoming.on('data', onData)
    incoming.once('end', done)
    incoming.once('close', done)
    incoming.resume()
  })
}

type ReadRequest =
  | { readonly kind: 'valid'; readonly value: HttpRequest }
  | { readonly kind: 'refused'; readonly answer: HttpResponse }

function requestOf(incoming: IncomingMessage, bodySizeBytesMax: number, signal: AbortSignal): ReadRequest {
  const target = incoming.url ?? ''
  const [, path = '', query = ''] = /^(?:https?:\/\/[^/?#]*)?(\/[^?#]*)(?:\?([^#]*))?$/i.exec(target) ?? []
  if (path === '') return { kind: 'refused', answer: textResponse(400, `not a path: ${target.slice(0, 200)}`) }
  try {
    decodeURIComponent(path)
  } catch {
    return { kind: 'refused', answer: textResponse(400, `bad percent escape in the path: ${path.slice(0, 200)}`) }
  }
  const lengthBytes = Number(incoming.headers['content-length'] ?? 0)
  if (lengthBytes > bodySizeBytesMax) {
    return { kind: 'refused', answer: textResponse(413, bodyTooLarge(bodySizeBytesMax).message) }
  }
  const { rawHeaders: raw } = incoming
  const headers = Array.from({ length: raw.length / 2 }, (_, at) => [raw[at * 2] ?? '', raw[at * 2 + 1] ?? ''] as const)
  const value: HttpRequest = {
    method: incoming.method ?? '',
    target,
    path,
    query: new URLSearchParams(query),
    headers,
    body: limited(incoming, bodySizeBytesMax),
    peer: peerOf(incoming.socket),
    signal,
  }
  return { kind: 'valid', value }
}

async function* limited(incoming: IncomingMessage, sizeBytesMax: number): AsyncGenerator<Uint8Array, void, undefined> {
  let sizeBytes = 0
  // Leaving the loop must not destroy the socket: the answer that says why still has to go out.
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    if (!(chunk instanceof Uint8Array)) continue
    sizeBytes += chunk.length
    if (sizeBytes > sizeBytesMax) throw bodyTooLarge(sizeBytesMax)
    yield chunk
  }
}

const statusOfError = (error: unknown): number => {
  if (isClusterError(error, 'http/bad-request')) return 400
  if (isClusterError(error, 'http/body-too-large')) return 413
  return 500
}

const answerToError = (error: unknown): HttpResponse => {
  const status = statusOfError(error)
  return textResponse(status, status === 500 || !(error instanceof Error) ? 'internal error' : error.message)
}

const errorFields = (error: unknown): Readonly<Record<string, unknown>> => ({
  code: isClusterError(error) ? error.code : errnoOf(error),
  reason: error instanceof Error ? error.message : String(error),
})

/** What node's parser could not read. The socket may be half dead; one answer is tried. */
function refuse(
  error: Error,
  socket: { writable: boolean; end: (text: string) => unknown; destroy: () => unknown },
): void {
  if (!socket.writable || errnoOf(error) === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const [status, text] = refusals[errnoOf(error) ?? ''] ?? ['400 Bad Request', `not valid HTTP: ${error.message}`]
  const body = `${text}\n`
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

const refusals: Readonly<Record<string, readonly [status: string, text: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the head of the request is too long'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not arrive in time'],
}
