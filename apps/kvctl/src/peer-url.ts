/** What a peer URL must look like, in etcdctl's words. Pure. */
import { parseEndpoint } from './endpoints.ts'

/** Why this is no peer URL; `undefined` when it is one. */
export function checkPeerUrl(text: string): string | undefined {
  const trimmed = text.trim()
  const [, scheme = '', authority = '', path = ''] =
    /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(.*)$/s.exec(trimmed) ?? []
  if (scheme === '') {
    const parsed = parseEndpoint(trimmed)
    if (!parsed.ok && parsed.error.exit === 1) return parsed.error.message
  }
  if (scheme !== 'http' && scheme !== 'https') return `URL scheme must be http or https: ${trimmed}`
  const parsed = parseEndpoint(trimmed)
  if (!parsed.ok) return parsed.error.message
  if (!/:\d*$/.test(authority)) return `URL address does not have the form "host:port": ${trimmed}`
  if (path !== '') return `URL must not contain a path: ${trimmed}`
  return undefined
}
