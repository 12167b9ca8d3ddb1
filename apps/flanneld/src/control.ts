/** What a running flanneld answers: health for everybody who may ask, and its state for people on this machine. */
import type { Flannel } from '@cluster/flannel'
import { type Handler, type HttpResponse, jsonResponse, textResponse } from '@cluster/http'
import { isClusterError } from '@cluster/prelude'
import { version } from './version.ts'

/** The services that run, one for each network. */
export type Services = readonly Flannel[]

export type ControlOptions = {
  readonly services: Services
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>
}

/**
 * `/healthz` says that the process lives, from before anything is found, in flannel's exact words and for any method;
 * `/readyz` says whether packets can travel; `/metrics`.
 */
export function healthHandler({ services, metrics }: ControlOptions): Handler {
  return async ({ path }) => {
    switch (path) {
      case '/healthz':
        return plain(200, 'flanneld is running')
      case '/readyz':
        return isReady(services) ? plain(200, 'flanneld is ready') : plain(503, 'flanneld is not ready yet')
      case '/metrics': {
        const { text, contentType } = await metrics()
        return { status: 200, headers: [['Content-Type', contentType]], body: text }
      }
      default:
        return textResponse(404, '404 page not found')
    }
  }
}

/** The same, and `/v1/status`, `/v1/plan`, `/v1/check?peer=`: for a socket that only this machine's root can reach. */
export function controlHandler(options: ControlOptions): Handler {
  const { services } = options
  const health = healthHandler(options)
  return async (request) => {
    switch (request.path) {
      case '/v1/status':
        return jsonResponse(200, { version, networks: services.map((service) => service.status()) })
      case '/v1/plan':
        return answer(async () => ({
          networks: await Promise.all(services.map((service) => service.plan(request.signal))),
        }))
      case '/v1/check':
        return answer(() => check(services, request.query.get('peer') ?? '', request.signal))
      default:
        return health(request)
    }
  }
}

const isReady = (services: Services): boolean => services.every((service) => service.status().ready)

/** flannel's own answers have no line end. */
const plain = (status: number, body: string): HttpResponse => ({
  status,
  headers: [['Content-Type', 'text/plain; charset=utf-8']],
  body,
})

async function answer(ask: () => Promise<unknown>): Promise<HttpResponse> {
  try {
    return jsonResponse(200, await ask())
  } catch (error) {
    if (!isClusterError(error)) throw error
    return jsonResponse(409, { code: error.code, message: error.message, hint: error.hint })
  }
}

/** Asks each network; the last one's refusal stands when none knows the peer. */
async function check(services: Services, peer: string, signal: AbortSignal): Promise<unknown> {
  const [first, ...others] = services
  if (first === undefined) return undefined
  try {
    return await first.check(peer, signal)
  } catch (error) {
    if (others.length === 0 || !isClusterError(error, 'flannel/unknown-peer')) throw error
    return check(others, peer, signal)
  }
}
