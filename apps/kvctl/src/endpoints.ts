/**
 * Which servers to ask: the first of flag, environment and default that names any. Pure.
 *
 * @see spec/etcd-v2.md §7.1
 */
import { err, ok, type Result } from '@cluster/prelude'
import type { FlagValues } from './go-flags.ts'

const defaultEndpoints = 'http://127.0.0.1:2379,http://127.0.0.1:4001'

/** Row by row, the flag before its variable: a variable for `--endpoints` beats the flag `--peers`. */
const rows = [
  ['endpoints', 'ETCDCTL_ENDPOINTS'],
  ['endpoint', 'ETCDCTL_ENDPOINT'],
  ['peers', 'ETCDCTL_PEERS'],
] as const

type Environment = Readonly<Record<string, string | undefined>>

/** The words that name the endpoints. */
export function endpointWords(globals: FlagValues, env: Environment): readonly string[] {
  for (const [flag, variable] of rows) {
    const words = globals.text(flag) || (env[variable] ?? '')
    if (words !== '') return words.split(',')
  }
  return defaultEndpoints.split(',')
}

/** The text of a setting that comes from a flag or else a variable; empty for neither. */
export const settingOf = (globals: FlagValues, env: Environment, flag: string, variable: string): string =>
  globals.text(flag) || (env[variable] ?? '')

/** `message` is a whole line; `exit` is what etcdctl ends with. */
export type InvalidEndpoint = { readonly message: string; readonly exit: 1 | 4 }

/** An endpoint as etcdctl takes it: a URL, of which `http:` may be missing before `//`. */
export function parseEndpoint(word: string): Result<string, InvalidEndpoint> {
  const unparsable = (why: string) => err({ message: `parse ${JSON.stringify(word)}: ${why}`, exit: 1 } as const)
  const [, scheme] = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(word) ?? []
  if (word.startsWith(':')) return unparsable('missing protocol scheme')
  if (scheme === undefined && !word.startsWith('//')) {
    if (/^[^/]*:/.test(word)) return unparsable('first path segment in URL cannot contain colon')
    return checked(`http://${word}`, unparsable)
  }
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    return err({ message: `Error:  unsupported protocol scheme ${JSON.stringify(scheme)}`, exit: 4 })
  }
  return checked(scheme === undefined ? `http:${word}` : word, unparsable)
}

/** As `parseEndpoint`, and `HOST:PORT` as well: our addition. */
export function parseLenientEndpoint(word: string): Result<string, InvalidEndpoint> {
  const isHostAndPort = /^(\[[^\]/]+\]|[^:/?#@]+)(:\d+)?$/.test(word)
  return parseEndpoint(isHostAndPort ? `http://${word}` : word)
}

type Unparsable = (why: string) => Result<never, InvalidEndpoint>

function checked(url: string, unparsable: Unparsable): Result<string, InvalidEndpoint> {
  const authority = /^https?:\/\/([^/?#]*)/.exec(url)?.[1] ?? ''
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  if (host.startsWith('[') && !host.includes(']')) return unparsable("missing ']' in host")
  const badPort = /(:[^:\]]*)$/.exec(host.slice(host.lastIndexOf(']') + 1))?.[1]
  if (badPort !== undefined && !/^:\d*$/.test(badPort)) {
    return unparsable(`invalid port ${JSON.stringify(badPort)} after host`)
  }
  const badCharacter = /[ "<>\\^`{|}]/.exec(host)?.[0]
  if (badCharacter !== undefined) return unparsable(`invalid character ${JSON.stringify(badCharacter)} in host name`)
  const badEscape = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(url)?.[0]
  if (badEscape !== undefined) return unparsable(`invalid URL escape ${JSON.stringify(badEscape)}`)
  if (!URL.canParse(url)) return unparsable('expected http://HOST:PORT')
  return ok(url)
}
