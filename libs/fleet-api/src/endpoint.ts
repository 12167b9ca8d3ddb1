/**
 * Where a fleet daemon listens, from the text a person gives. Texts of refusals are the recorded ones
 * (spec/fleet.md §10.1).
 */
import { FleetApiError } from './errors.ts'

export type FleetEndpoint =
  | { readonly kind: 'unix'; readonly socketPath: string; readonly text: string }
  /** `baseUrl` has no trailing slash. */
  | { readonly kind: 'http' | 'https'; readonly baseUrl: string; readonly text: string }

/** Where fleetd listens unless told otherwise. */
export const defaultEndpoint = 'unix:///var/run/fleet.sock'

/**
 * The endpoint that `unix:///PATH`, `file:///PATH`, `http://HOST[:PORT]` or `https://HOST[:PORT]` names.
 *
 * @throws FleetApiError `fleet-api/invalid-endpoint`
 */
export function parseEndpoint(input: string): FleetEndpoint {
  const text = input.trim()
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) throw invalid('URL scheme undefined', text)
  if (scheme === 'unix' || scheme === 'file') return parseSocket(text, scheme)
  if (scheme !== 'http' && scheme !== 'https') throw invalid(`URL scheme "${scheme}" is not supported`, text)
  if (!URL.canParse(text)) throw invalid(`"${text}" is not a URL`, text)
  const url = new URL(text)
  return { kind: scheme, baseUrl: `${url.origin}${url.pathname.replace(/\/+$/, '')}`, text }
}

function parseSocket(text: string, scheme: 'unix' | 'file'): FleetEndpoint {
  const rest = text.slice(scheme.length + 1)
  const host = /^\/\/([^/]*)/.exec(rest)?.[1] ?? ''
  if (host !== '') throw invalid(`unable to connect to host "${host}" with scheme "${scheme}"`, text)
  const socketPath = rest.startsWith('//') ? rest.slice(2) : rest
  if (!socketPath.startsWith('/')) throw invalid(`"${text}" names no path of a socket`, text)
  return { kind: 'unix', socketPath, text }
}

const invalid = (message: string, endpoint: string): FleetApiError =>
  new FleetApiError('fleet-api/invalid-endpoint', message, {
    hint: `endpoints look like ${defaultEndpoint} or http://10.0.0.1:49153, not like "${endpoint}"`,
  })
