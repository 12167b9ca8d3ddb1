/**
 * From a request to the part of the API that answers it. Which method is refused with which words is as recorded:
 * spec/fleet.md §8, vectors fleet-api/01.
 */
import { encodeWarning, renderGoJson } from '@cluster/fleet-api'
import { type Handler, HttpError, type HttpRequest, type HttpResponse } from '@cluster/http'
import { describeError, isClusterError } from '@cluster/prelude'
import { errorAnswer } from './answers.ts'
import { brakeState, releaseBrake } from './brake.ts'
import { cleanPath, escapeHtml } from './clean-path.ts'
import type { ApiContext } from './context.ts'
import { cordonMachine, listCordons, uncordonMachine } from './cordons.ts'
import { discoveryDocument } from './discovery.ts'
import { listMachines, patchMachines } from './machines.ts'
import { getState, listStates } from './states.ts'
import { deleteUnit, explain, getUnit, listUnits, putUnit } from './units.ts'

export type ApiOptions = ApiContext & {
  /** Stands in the `Server` header: `fleetd/VERSION`. */
  readonly version: string
  /** Whether the machine is registered and the store answers; until then everything but `/health` is 503. */
  readonly isServing: () => boolean
  /** What the machine last failed with to stay registered; `undefined`: nothing. */
  readonly trouble: () => unknown
  /** Figures in Prometheus' text form; `undefined`: there are none. */
  readonly metricsText: (() => Promise<string>) | undefined
}

const prefixes = ['/fleet/v1', '/v1-alpha']

/** The API as a handler. */
export function createApi(options: ApiOptions): Handler {
  const { version, isServing, trouble, events } = options
  const server = ['Server', `fleetd/${version}`] as const
  return async (request) => {
    if (request.path === '/health') return health(isServing(), server)
    if (!isServing()) {
      return withReason(errorAnswer(503, 'fleet server unable to communicate with etcd'), trouble())
    }
    const answer = await answerTo(options, request).catch((error: unknown) => failed(error, request, events))
    return { ...answer, headers: [...(answer.headers ?? []), server] }
  }
}

function health(isWell: boolean, server: readonly [string, string]): HttpResponse {
  const body = renderGoJson({
    status: isWell ? 'ok' : 'the store cannot be reached, or this machine is not registered',
  })
  return { status: isWell ? 200 : 503, headers: [['Content-Type', 'application/json'], server], body }
}

function failed(error: unknown, { method, path }: HttpRequest, events: ApiContext['events']): HttpResponse {
  if (error instanceof HttpError && error.code === 'http/body-too-large') return errorAnswer(413, error.message)
  if (error instanceof HttpError && error.code === 'http/bad-request') {
    return errorAnswer(400, `unable to decode body: ${error.message}`)
  }
  events.apiFailed(error, { method, path })
  // As in the original, the reason is not in the body: it is for the log of the daemon, and for clients of ours.
  return withReason(errorAnswer(500, ''), error)
}

/** Says what is wrong with the store in a header, since the body is as recorded. */
function withReason(answer: HttpResponse, error: unknown): HttpResponse {
  if (!isClusterError(error)) return answer
  const warning = ['Warning', encodeWarning(describeError(error).join('; '))] as const
  return { ...answer, headers: [...(answer.headers ?? []), warning] }
}

async function answerTo(options: ApiOptions, request: HttpRequest): Promise<HttpResponse> {
  const path = decodePath(request.path)
  const clean = cleanPath(path)
  if (clean !== path) return redirect(request, clean)
  if (path === '/') return errorAnswer(405, '')
  if (path === '/metrics' && options.metricsText !== undefined) return metrics(await options.metricsText())
  const prefix = prefixes.find((each) => path === each || path.startsWith(`${each}/`))
  if (prefix === undefined) return errorAnswer(404, '')
  if (path === prefix) return errorAnswer(405, '')
  const [collection = '', item, ...rest] = path.slice(prefix.length + 1).split('/')
  if (item === '') return errorAnswer(404, '')
  switch (collection) {
    case 'discovery':
      return item === undefined ? discovery(request) : errorAnswer(404, '')
    case 'machines':
      return item === undefined ? machines(options, request) : errorAnswer(404, '')
    case 'cordons':
      return cordons(options, request, item, rest)
    case 'brake':
      return item === undefined ? brake(options, request) : errorAnswer(404, '')
    case 'units':
      return units(options, request, item, rest)
    case 'state':
      return states(options, request, item, rest)
    default:
      return errorAnswer(404, '')
  }
}

/** A stream without a known length, as recorded. */
function discovery({ method }: HttpRequest): HttpResponse {
  if (method !== 'GET') return errorAnswer(400, 'only HTTP GET supported against this resource')
  const body = (async function* () {
    yield renderGoJson(discoveryDocument)
  })()
  return { status: 200, headers: [['Content-Type', 'application/json']], body }
}

async function machines(options: ApiOptions, request: HttpRequest): Promise<HttpResponse> {
  if (request.method === 'GET') return listMachines(options, request)
  if (request.method === 'PATCH') return patchMachines(options, request)
  return errorAnswer(405, 'only GET and PATCH supported against this resource')
}

/** Ours; the original knows no such path. */
async function cordons(
  options: ApiOptions,
  request: HttpRequest,
  machine: string | undefined,
  rest: readonly string[],
): Promise<HttpResponse> {
  if (rest.length > 0) return errorAnswer(404, '')
  if (machine === undefined) {
    return request.method === 'GET'
      ? listCordons(options, request)
      : errorAnswer(405, 'only GET supported against this resource')
  }
  if (request.method === 'PUT') return cordonMachine(options, request, machine)
  if (request.method === 'DELETE') return uncordonMachine(options, machine)
  return errorAnswer(405, 'only PUT and DELETE supported against this resource')
}

/** Ours; the original knows no such path. */
async function brake(options: ApiOptions, request: HttpRequest): Promise<HttpResponse> {
  if (request.method === 'GET') return brakeState(options, request)
  if (request.method === 'DELETE') return releaseBrake(options, request)
  return errorAnswer(405, 'only GET and DELETE supported against this resource')
}

async function units(
  options: ApiOptions,
  request: HttpRequest,
  name: string | undefined,
  [aspect, ...rest]: readonly string[],
): Promise<HttpResponse> {
  const { method } = request
  if (name === undefined) {
    return method === 'GET' ? listUnits(options, request) : errorAnswer(405, 'only GET supported against this resource')
  }
  if (aspect !== undefined) {
    if (aspect !== 'why' || rest.length > 0) return errorAnswer(404, '')
    return method === 'GET'
      ? explain(options, request, name)
      : errorAnswer(405, 'only GET supported against this resource')
  }
  switch (method) {
    case 'GET':
      return getUnit(options, request, name)
    case 'PUT':
      return putUnit(options, request, name)
    case 'DELETE':
      return deleteUnit(options, request, name)
    default:
      return errorAnswer(405, 'only GET, PUT and DELETE supported against this resource')
  }
}

async function states(
  options: ApiOptions,
  request: HttpRequest,
  name: string | undefined,
  rest: readonly string[],
): Promise<HttpResponse> {
  if (rest.length > 0) return errorAnswer(404, '')
  if (request.method !== 'GET') return errorAnswer(405, 'only GET supported against this resource')
  return name === undefined ? listStates(options, request) : getState(options, request, name)
}

const metrics = (body: string): HttpResponse => ({
  status: 200,
  headers: [['Content-Type', 'text/plain; version=0.0.4; charset=utf-8']],
  body,
})

function redirect({ method, query }: HttpRequest, clean: string): HttpResponse {
  const path = clean.split('/').map(encodeURIComponent).join('/')
  const location = query.size === 0 ? path : `${path}?${query}`
  const isRead = method === 'GET' || method === 'HEAD'
  return {
    status: 301,
    headers: [...(isRead ? [['Content-Type', 'text/html; charset=utf-8'] as const] : []), ['Location', location]],
    body: isRead ? `<a href="${escapeHtml(location)}">Moved Permanently</a>.\n\n` : '',
  }
}

// The listener refuses bad escapes; a handler called directly with one gets the path as it is.
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
