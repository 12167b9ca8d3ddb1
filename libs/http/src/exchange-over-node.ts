/** Exchanges over node's own HTTP server: the first listener, and what the fast one is held to. */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { assert, type Logger, silentLogger } from '@cluster/prelude'
import { renderListenAddress } from './address.ts'
import { errnoOf } from './errors.ts'
import {
  type AnswerStream,
  type Exchange,
  type ExchangeHandler,
  type ExchangeServeOptions,
  fullLimits,
} from './exchange.ts'
import type { HttpPeer } from './handler.ts'
import { boundAddress, listenOn, urlOf } from './listen-on.ts'
import { badRequest, headTooLong, type Refusal, requestTooSlow, targetOf, unsupportedVersion } from './parse-head.ts'
import { peerOf } from './peer.ts'
import { BodyBytes } from './request-body.ts'
import type { HttpListener } from './serve-node.ts'
import { mayHaveBody, refusalText } from './write-answer.ts'

/** How long a connection that has had its last answer may still send. */
const lingerMs = 2000

/**
 * As `serveExchanges`, over node:http. What it cannot do: raw bytes from 0x80 on in a target and methods that node does
 * not know are refused; connections beyond the limit are dropped without a word; a client that closes its side before
 * the answer counts as gone, unless the handler answers at once.
 *
 * @throws HttpError `http/address-in-use`, `http/permission-denied`, `http/unreachable`, `http/failed`
 */
export async function serveExchangesOverNode(
  handler: ExchangeHandler,
  { listen, tls, limits: given = {}, log = silentLogger }: ExchangeServeOptions,
): Promise<HttpListener> {
  const limits = fullLimits(given)
  let isClosing = false
  /** The last request of each connection that could be read: what follows it is refused after its answer. */
  const atWork = new WeakMap<Duplex, AtWork>()
  const isUnix = (): boolean => address.kind === 'unix'
  const options = {
    maxHeaderSize: limits.headSizeBytesMax,
    headersTimeout: limits.headTimeoutMs,
    requestTimeout: limits.headTimeoutMs + limits.bodyTimeoutMs,
    keepAliveTimeout: 0,
    connectionsCheckingInterval: Math.max(10, Math.min(500, Math.floor(limits.headTimeoutMs / 4))),
    insecureHTTPParser: false,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    highWaterMark: limits.writeHighWaterBytes,
  }
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse, mayContinue: boolean): void => {
    outgoing.on('close', () => {
      if (isClosing) setImmediate(() => server.closeIdleConnections())
    })
    incoming.on('error', ignore)
    outgoing.on('error', ignore)
    const target = targetOf(incoming.url ?? '')
    if (target === undefined || incoming.httpVersionMajor !== 1) {
      const isBad = target === undefined || incoming.httpVersion === '0.9'
      refuseInTurn(outgoing, isBad ? badRequest : unsupportedVersion)
      return
    }
    atWork.set(incoming.socket, { incoming, outgoing, before: atWork.get(incoming.socket)?.outgoing })
    const context = { incoming, outgoing, target, isUnix: isUnix(), isClosing: () => isClosing }
    const body = new BodyBytes(limits.bodySizeBytesMax)
    const handOut = (isBodyCut: boolean): void => {
      const exchange = new NodeExchange(context, body.whole(), isBodyCut)
      try {
        handler(exchange)
      } catch (error) {
        exchange.fail(error, log)
      }
    }
    if (mayContinue && Number(incoming.headers['content-length'] ?? 0) > limits.bodySizeBytesMax) {
      handOut(true)
      return
    }
    if (mayContinue) outgoing.writeContinue()
    let isHandedOut = false
    incoming.on('data', (chunk: Uint8Array) => {
      if (isHandedOut) return
      body.append(chunk, 0, chunk.length)
      if (!body.isCut) return
      isHandedOut = true
      handOut(true)
    })
    incoming.on('end', () => {
      if (!isHandedOut) handOut(false)
    })
  }
  const server: Server =
    tls === undefined
      ? createHttpServer(options)
      : createHttpsServer({
          ...options,
          ...tls,
          ...(tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
        })
  server.on('request', (incoming, outgoing) => onRequest(incoming, outgoing, false))
  server.on('checkContinue', (incoming, outgoing) => onRequest(incoming, outgoing, true))
  server.on('connect', (_, socket) => refuseSocket(socket, badRequest))
  server.on('clientError', (error, socket) => {
    const errno = errnoOf(error) ?? ''
    const last = atWork.get(socket)
    // What follows the last request of a connection is nobody's.
    if (errno === 'HPE_CLOSED_CONNECTION') return
    if (!socket.writable || errno === 'ECONNRESET') {
      socket.destroy()
      return
    }
    // A request whose body cannot be read is refused itself, after the answer to the one before.
    const toAnswer = last?.incoming.complete === true ? last.outgoing : last?.before
    const refuse = (): void => refuseSocket(socket, refusals[errno] ?? badRequest)
    if (toAnswer === undefined || toAnswer.writableFinished) refuse()
    else toAnswer.once('finish', refuse)
  })
  server.maxConnections = limits.connectionsMax
  await listenOn(server, listen)
  server.on('error', (error) =>
    log.error('listener failed', { address: renderListenAddress(listen), reason: error.message }),
  )
  const address = boundAddress(server, listen)

  const close = async (graceMs: number): Promise<void> => {
    isClosing = true
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const timer = setTimeout(() => server.closeAllConnections(), graceMs)
    await closed
    clearTimeout(timer)
  }
  return { address, url: urlOf(address, tls !== undefined), close, [Symbol.asyncDispose]: () => close(1000) }
}

const ignore = (): void => undefined

const refusals: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: headTooLong,
  ERR_HTTP_REQUEST_TIMEOUT: requestTooSlow,
}

/** After the answers that are still to be given on that connection. */
function refuseInTurn(outgoing: ServerResponse, { status, reason }: Refusal): void {
  outgoing.writeHead(status, reason, ['Content-Type', 'text/plain; charset=utf-8', 'Connection', 'close'])
  outgoing.end(`${status} ${reason}`)
}

function refuseSocket(socket: Duplex, refusal: Refusal): void {
  socket.end(refusalText(refusal))
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref()
  socket.once('close', () => clearTimeout(timer))
  socket.resume()
}

type AtWork = {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly before: ServerResponse | undefined
}

type NodeContext = {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly target: string
  readonly isUnix: boolean
  readonly isClosing: () => boolean
}

class NodeExchange implements Exchange, AnswerStream {
  readonly method: string
  readonly target: string
  readonly body: Uint8Array
  readonly isBodyCut: boolean
  readonly #context: NodeContext
  readonly #peer: HttpPeer | undefined
  #state: 'open' | 'streaming' | 'done' | 'gone' = 'open'
  #onGone: (() => void)[] = []

  constructor(context: NodeContext, body: Uint8Array, isBodyCut: boolean) {
    const { incoming, outgoing, target } = context
    this.method = incoming.method ?? ''
    this.target = target
    this.body = body
    this.isBodyCut = isBodyCut
    this.#context = context
    this.#peer = context.isUnix ? { kind: 'unix' } : peerOf(incoming.socket)
    const onGone = (): void => {
      if (this.#state === 'done' || this.#state === 'gone') return
      this.#state = 'gone'
      for (const callback of this.#onGone.splice(0)) callback()
    }
    outgoing.on('close', onGone)
  }

  get peer(): HttpPeer {
    return this.#peer ?? { kind: 'tcp', address: '', port: 0 }
  }

  header(name: string): string | undefined {
    const { rawHeaders } = this.#context.incoming
    for (let at = 0; at < rawHeaders.length; at += 2) {
      if (rawHeaders[at]?.toLowerCase() === name) return rawHeaders[at + 1]
    }
    return undefined
  }

  respond(status: number, head: string, body: string | Uint8Array): void {
    if (this.#state === 'gone') return
    assert(this.#state === 'open', 'an exchange is answered once')
    this.#state = 'done'
    const lines = this.#headOf(head)
    if (mayHaveBody(status)) lines.push('Content-Length', String(body.length))
    const { outgoing } = this.#context
    outgoing.writeHead(status, lines)
    if (this.method === 'HEAD' || !mayHaveBody(status)) outgoing.end()
    else if (typeof body === 'string') outgoing.end(body, 'latin1')
    else outgoing.end(body)
  }

  stream(status: number, head: string): AnswerStream {
    if (this.#state === 'gone') return this
    assert(this.#state === 'open', 'an exchange is answered once')
    this.#state = 'streaming'
    this.#context.outgoing.writeHead(status, this.#headOf(head))
    this.#context.outgoing.flushHeaders()
    return this
  }

  write(chunk: string | Uint8Array): boolean {
    if (this.#state === 'gone') return false
    assert(this.#state === 'streaming', 'an answer is written between its beginning and its end')
    const { outgoing } = this.#context
    if (chunk.length === 0) return !outgoing.writableNeedDrain
    return typeof chunk === 'string' ? outgoing.write(chunk, 'latin1') : outgoing.write(chunk)
  }

  onDrain(callback: () => void): void {
    if (this.#state !== 'streaming') return
    if (this.#context.outgoing.writableNeedDrain) this.#context.outgoing.once('drain', callback)
    else queueMicrotask(callback)
  }

  end(last: string | Uint8Array = ''): void {
    if (this.#state === 'gone') return
    assert(this.#state === 'streaming', 'an answer is ended once')
    this.#state = 'done'
    if (last.length === 0) this.#context.outgoing.end()
    else if (typeof last === 'string') this.#context.outgoing.end(last, 'latin1')
    else this.#context.outgoing.end(last)
  }

  abort(): void {
    if (this.#state === 'streaming') this.#context.outgoing.destroy()
  }

  onGone(callback: () => void): void {
    if (this.#state === 'gone') queueMicrotask(callback)
    else if (this.#state !== 'done') this.#onGone.push(callback)
  }

  fail(error: unknown, log: Logger): void {
    const reason = error instanceof Error ? error.message : String(error)
    log.error('request failed', { method: this.method, target: this.target, reason })
    if (this.#state === 'open') this.respond(500, 'Content-Type: text/plain; charset=utf-8\r\n', 'internal error\n')
    else if (this.#state === 'streaming') this.#context.outgoing.destroy()
  }

  /** Names and values in turn, as node takes them when they shall stay as they are. */
  #headOf(head: string): string[] {
    const lines = head.split('\r\n').slice(0, -1)
    const flat = lines.flatMap((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    })
    const { incoming, isClosing } = this.#context
    if (this.isBodyCut || !incoming.complete || isClosing()) flat.push('Connection', 'close')
    return flat
  }
}
