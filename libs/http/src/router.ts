/** From method and path to a handler. Paths are matched part by part, before their escapes are decoded. */
import { type Handler, type HttpRequest, type HttpResponse, textResponse } from './handler.ts'

/** The decoded parts that a pattern left open, by name. */
export type PathParameters = ReadonlyMap<string, string>

export type RouteHandler = (request: HttpRequest, parameters: PathParameters) => HttpResponse | Promise<HttpResponse>

export type Route = { readonly method: string; readonly pattern: string; readonly handler: RouteHandler }

export type RouterOptions = {
  readonly notFound?: Handler
  /** `allowed` are the methods that the path does know. */
  readonly methodNotAllowed?: (request: HttpRequest, allowed: readonly string[]) => HttpResponse
}

/**
 * One line of a routing table.
 *
 * @param pattern parts are literal, `:name` (one part, not empty) or, last, `*name` (everything that is left, also
 *   nothing); a trailing slash counts
 */
export const route = (method: string, pattern: string, handler: RouteHandler): Route => ({ method, pattern, handler })

/**
 * A handler that passes each request to the first route that fits. HEAD is answered by GET's route where it has none
 * of its own. By default an unknown path is 404 and a known path with another method 405 with `Allow`.
 */
export function createRouter(
  routes: readonly Route[],
  {
    notFound = () => textResponse(404, 'not found'),
    methodNotAllowed = (_request, allowed) => textResponse(405, 'method not allowed', [['Allow', allowed.join(', ')]]),
  }: RouterOptions = {},
): Handler {
  const table = routes.map((entry) => ({ ...entry, parts: entry.pattern.split('/') }))
  return (request) => {
    const path = request.path.split('/')
    const candidates = table.flatMap((entry) => {
      const parameters = matchParts(entry.parts, path)
      return parameters === undefined ? [] : [{ entry, parameters }]
    })
    const chosen =
      candidates.find(({ entry }) => entry.method === request.method) ??
      (request.method === 'HEAD' ? candidates.find(({ entry }) => entry.method === 'GET') : undefined)
    if (chosen !== undefined) return chosen.entry.handler(request, chosen.parameters)
    if (candidates.length === 0) return notFound(request)
    return methodNotAllowed(request, [...new Set(candidates.map(({ entry }) => entry.method))])
  }
}

function matchParts(pattern: readonly string[], path: readonly string[]): PathParameters | undefined {
  const parameters = new Map<string, string>()
  for (const [at, expected] of pattern.entries()) {
    if (expected.startsWith('*') && at === pattern.length - 1) {
      if (path.length < at) return undefined
      parameters.set(expected.slice(1), path.slice(at).map(decodePart).join('/'))
      return parameters
    }
    const found = path[at]
    if (found === undefined) return undefined
    if (!expected.startsWith(':')) {
      if (decodePart(found) !== expected) return undefined
    } else if (found === '') {
      return undefined
    } else {
      parameters.set(expected.slice(1), decodePart(found))
    }
  }
  return path.length === pattern.length ? parameters : undefined
}

// Listeners refuse bad escapes; a handler called directly with one gets the part as it is.
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
