/** The listener for servers that count microseconds: HTTP/1.1 over plain and TLS sockets, without node's own server. */
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { silentLogger } from '@cluster/prelude'
import { renderListenAddress } from './address.ts'
import { Deadlines } from './deadlines.ts'
import { type ExchangeHandler, type ExchangeServeOptions, fullLimits } from './exchange.ts'
import { Connection, type ConnectionContext } from './fast-connection.ts'
import { boundAddress, listenOn, urlOf } from './listen-on.ts'
import { tooManyConnections } from './parse-head.ts'
import type { HttpListener } from './serve-node.ts'

/** So many clients beyond the limit are told so at once; the rest is dropped. */
const turnedAwayMax = 64
const tcpKeepAliveMs = 30_000

/**
 * Starts to listen and answers with `handler`, one exchange at a time on each connection. Connections are kept without
 * a limit of silence. A unix socket left by a process that is gone is replaced.
 *
 * @throws HttpError `http/address-in-use`, `http/permission-denied`, `http/unreachable`, `http/failed`
 */
export async function serveExchanges(
  handler: ExchangeHandler,
  { listen, tls, limits: given = {}, log = silentLogger }: ExchangeServeOptions,
): Promise<HttpListener> {
  const limits = fullLimits(given)
  const shortestMs = Math.min(limits.headTimeoutMs, limits.bodyTimeoutMs, limits.stallTimeoutMs)
  const context: ConnectionContext = {
    handler,
    limits,
    log,
    deadlines: new Deadlines<Connection>(Math.max(10, Math.min(500, Math.floor(shortestMs / 4)))),
    recentBlocks: [],
    open: new Set(),
    isUnix: listen.kind === 'unix',
    isClosing: false,
  }
  const onConnection = (socket: Socket): void => {
    const connection = new Connection(socket, context)
    if (context.open.size > limits.connectionsMax) connection.turnAway(tooManyConnections)
  }
  const socketOptions = {
    // A client may close its side and still wait for the answer.
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: tcpKeepAliveMs,
  }
  /** Connections that TLS may still be at work on: they are no `Connection` yet. */
  const raw = new Set<Socket>()
  const server: Server =
    tls === undefined
      ? createServer(socketOptions, onConnection)
      : createTlsServer(
          {
            ...socketOptions,
            ...tls,
            ...(tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
            handshakeTimeout: limits.headTimeoutMs,
          },
          onConnection,
        )
  if (tls !== undefined) {
    server.on('connection', (socket) => {
      raw.add(socket)
      socket.on('close', () => raw.delete(socket))
    })
    server.on('tlsClientError', (error, socket) => {
      log.debug('no TLS with a client', { reason: error.message })
      socket.destroy()
    })
  }
  server.maxConnections = limits.connectionsMax + turnedAwayMax
  await listenOn(server, listen)
  // A listening server that fails later (out of descriptors) goes on; what it could not take is lost, not the daemon.
  server.on('error', (error) =>
    log.error('listener failed', { address: renderListenAddress(listen), reason: error.message }),
  )
  const address = boundAddress(server, listen)
  context.isUnix = address.kind === 'unix'

  const close = async (graceMs: number): Promise<void> => {
    context.isClosing = true
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const connection of context.open) connection.closeIfIdle()
    const timer = setTimeout(() => {
      for (const connection of context.open) connection.destroy()
      for (const socket of raw) socket.destroy()
    }, graceMs)
    await closed
    clearTimeout(timer)
  }
  return { address, url: urlOf(address, tls !== undefined), close, [Symbol.asyncDispose]: () => close(1000) }
}
