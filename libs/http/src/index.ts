/**
 * HTTP as values. `serve` puts a handler (a function from request to response) on an address, a unix socket or a
 * socket from systemd; `createHttpClient` asks, with every wait bounded and every failure named. `serveExchanges` is
 * for servers that count microseconds: requests that are not parsed before they are asked, answers written in one go.
 * @packageDocumentation
 */
export {
  type InvalidAddress,
  inheritedSockets,
  isLocalOnly,
  type ListenAddress,
  parseListenAddress,
  renderListenAddress,
} from './address.ts'
export { errnoOf, HttpError, type HttpErrorCode, toHttpError, wasNotSent } from './errors.ts'
export type {
  AnswerStream,
  Exchange,
  ExchangeHandler,
  ExchangeLimits,
  ExchangeServeOptions,
} from './exchange.ts'
export { serveExchangesOverNode } from './exchange-over-node.ts'
export {
  createHttpClient,
  type FetchRequest,
  type FetchResponse,
  type HttpClient,
  type HttpClientOptions,
} from './fetch.ts'
export {
  bodyTooLarge,
  emptyResponse,
  type Handler,
  type HttpBody,
  type HttpHeaders,
  type HttpPeer,
  type HttpRequest,
  type HttpResponse,
  headerOf,
  jsonResponse,
  type PeerCertificate,
  type ReadOptions,
  readBytes,
  readJson,
  readText,
  statusText,
  textResponse,
} from './handler.ts'
export {
  createRouter,
  type PathParameters,
  type Route,
  type RouteHandler,
  type RouterOptions,
  route,
} from './router.ts'
export { serveExchanges } from './serve-fast.ts'
export { type HttpListener, type ServeLimits, type ServeOptions, serve } from './serve-node.ts'
export { readTlsFiles, type TlsFiles, type TlsOptions } from './tls.ts'
