/** The client over HTTP: unix sockets and TCP, with a bound on every wait. */
import { createHttpClient, errnoOf, type HttpClient, HttpError, readText, type TlsOptions } from '@cluster/http'
import { createFleetClient, type FleetClient, type FleetClientOptions } from './client.ts'
import { type FleetEndpoint, parseEndpoint } from './endpoint.ts'
import { FleetApiError } from './errors.ts'
import type { FleetTransport } from './transport.ts'
import { decodeWarning } from './warning.ts'

export type ConnectFleetOptions = FleetClientOptions & {
  /** `unix:///PATH`, `http://…` or `https://…`. */
  readonly endpoint: string
  /** From sending a request to the head of its answer. Default 10 s. */
  readonly timeoutMs?: number
  readonly tls?: TlsOptions
  /** Beyond it an answer is refused. Default 256 MiB: lists carry the whole text of every unit. */
  readonly answerBytesMax?: number
}

/**
 * A client of the daemon at `endpoint`. Nothing is sent before the first call; dispose of it to close its connections.
 *
 * @throws FleetApiError `fleet-api/invalid-endpoint`
 */
export function connectFleet({
  endpoint: text,
  timeoutMs = 10_000,
  tls,
  answerBytesMax = 256 * 1024 * 1024,
  ...clientOptions
}: ConnectFleetOptions): FleetClient & AsyncDisposable {
  const endpoint = parseEndpoint(text)
  const http = createHttpClient(tls === undefined ? {} : { tls })
  const transport = httpTransport(http, endpoint, { timeoutMs, answerBytesMax })
  const client = createFleetClient(endpoint.text, transport, clientOptions)
  return { ...client, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() }
}

type Limits = { readonly timeoutMs: number; readonly answerBytesMax: number }

const httpTransport =
  (http: HttpClient, endpoint: FleetEndpoint, { timeoutMs, answerBytesMax }: Limits): FleetTransport =>
  async ({ method, path, body, signal }) => {
    // A unix socket needs some host name all the same; this is the one that the original sends.
    const base = endpoint.kind === 'unix' ? 'http://domain-sock' : endpoint.baseUrl
    try {
      const answer = await http.fetch({
        url: `${base}${path}`,
        method,
        headers: body === undefined ? [] : [['Content-Type', 'application/json']],
        ...(body === undefined ? {} : { body }),
        socketPath: endpoint.kind === 'unix' ? endpoint.socketPath : undefined,
        timeToHeadersMs: timeoutMs,
        idleTimeoutMs: timeoutMs,
        signal,
      })
      return {
        status: answer.status,
        body: await readText(answer.body, { sizeBytesMax: answerBytesMax }),
        warnings: answer.headers.flatMap(([name, value]) =>
          name.toLowerCase() === 'warning' ? (decodeWarning(value) ?? []) : [],
        ),
      }
    } catch (error) {
      throw asApiError(error, endpoint, timeoutMs)
    }
  }

function asApiError(error: unknown, endpoint: FleetEndpoint, timeoutMs: number): unknown {
  if (!(error instanceof HttpError)) return error
  switch (error.code) {
    case 'http/aborted':
      return new FleetApiError('fleet-api/aborted', `the request to ${endpoint.text} was given up`, { cause: error })
    case 'http/timeout':
    case 'http/connect-timeout':
      return new FleetApiError(
        'fleet-api/timeout',
        `fleetd at ${endpoint.text} did not answer within ${timeoutMs} ms`,
        {
          hint: 'check that fleetd and its store are up; a change that was asked for may have happened or not',
          cause: error,
        },
      )
    case 'http/invalid-answer':
    case 'http/body-too-large':
    case 'http/bad-request':
      return new FleetApiError('fleet-api/invalid-answer', `${endpoint.text} does not answer like a fleetd`, {
        hint: `check that ${endpoint.text} is a fleetd`,
        cause: error,
      })
    default:
      return new FleetApiError('fleet-api/unreachable', `fleetd cannot be reached at ${endpoint.text}`, {
        hint: remedyOf(error, endpoint),
        cause: error,
      })
  }
}

function remedyOf(error: HttpError, endpoint: FleetEndpoint): string {
  if (error.code === 'http/permission-denied' || errnoOf(error.cause) === 'EACCES') {
    return 'run as root, or as a member of the group that owns the socket'
  }
  return endpoint.kind === 'unix'
    ? 'start it with "systemctl start fleetd", or name another place with --endpoint or FLEETCTL_ENDPOINT'
    : 'check the address, and that fleetd listens there; name another place with --endpoint or FLEETCTL_ENDPOINT'
}
