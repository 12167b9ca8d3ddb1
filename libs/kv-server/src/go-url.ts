/**
 * Peer URLs as Go 1.19's net/url and etcd's types.NewURLs read them, with their errors (spec/etcd-v2.md §3.1). Over
 * bytes, one character each.
 */

import type { ByteString } from '@cluster/kv-store'
import { err, ok, type Result } from '@cluster/prelude'
import { quoteGo } from './go-text.ts'

/** URLs for members: parsed, as Go writes them, sorted; or what is wrong with the first bad one. */
export function parseMemberUrls(texts: readonly ByteString[]): Result<readonly ByteString[], ByteString> {
  if (texts.length === 0) return err('no valid URLs given')
  const urls: ByteString[] = []
  for (const text of texts) {
    const url = parseMemberUrl(trimGo(text))
    if (!url.ok) return url
    urls.push(url.value)
  }
  return ok(urls.sort())
}

function parseMemberUrl(text: ByteString): Result<ByteString, ByteString> {
  const url = parseGoUrl(text)
  if (!url.ok) return url
  const { scheme, host, path, user, tail } = url.value
  if (scheme !== 'http' && scheme !== 'https') return err(`URL scheme must be http or https: ${text}`)
  if (!isHostPort(host)) return err(`URL address does not have the form "host:port": ${text}`)
  if (path !== '') return err(`URL must not contain a path: ${text}`)
  return ok(`${scheme}://${user}${escapeHost(host)}${tail}`)
}

type GoUrl = {
  /** Lower case; empty: there is none. */
  readonly scheme: string
  /** User and password with their `@`, as sent. */
  readonly user: ByteString
  /** Decoded. */
  readonly host: ByteString
  readonly path: ByteString
  /** Query and fragment, as sent. */
  readonly tail: ByteString
}

function parseGoUrl(text: ByteString): Result<GoUrl, ByteString> {
  const hash = text.indexOf('#')
  const beforeHash = hash < 0 ? text : text.slice(0, hash)
  const fragment = hash < 0 ? '' : text.slice(hash)
  const url = parseParts(beforeHash)
  if (!url.ok) return err(`parse ${quoteGo(beforeHash)}: ${url.error}`)
  const bad = badEscape(fragment)
  if (bad !== undefined) return err(`parse ${quoteGo(text)}: ${bad}`)
  return ok({ ...url.value, tail: url.value.tail + (fragment === '#' ? '' : fragment.replace(/[^!-~]/g, percent)) })
}

function parseParts(text: ByteString): Result<GoUrl, ByteString> {
  if (/[\x00-\x1f\x7f]/.test(text)) return err('net/url: invalid control character in URL')
  if (text.startsWith(':')) return err('missing protocol scheme')
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1] ?? ''
  const afterScheme = scheme === '' ? text : text.slice(scheme.length + 1)
  const question = afterScheme.indexOf('?')
  const rest = question < 0 ? afterScheme : afterScheme.slice(0, question)
  const tail = question < 0 ? '' : afterScheme.slice(question)
  const none = { scheme: scheme.toLowerCase(), user: '', host: '', tail }
  if (!rest.startsWith('/')) {
    // With a scheme this is an opaque URL: no host, and nothing of it is looked at.
    if (scheme !== '') return ok({ ...none, path: '' })
    if (/^[^/]*:/.test(rest)) return err('first path segment in URL cannot contain colon')
  }
  if (!rest.startsWith('//') || (scheme === '' && rest.startsWith('///'))) {
    const bad = badEscape(rest)
    return bad === undefined ? ok({ ...none, path: rest }) : err(bad)
  }
  const slash = rest.indexOf('/', 2)
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash)
  const path = slash < 0 ? '' : rest.slice(slash)
  const at = authority.lastIndexOf('@')
  const host = parseHost(authority.slice(at + 1))
  if (!host.ok) return host
  const user = authority.slice(0, at + 1)
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) return err('net/url: invalid userinfo')
  const bad = badEscape(user) ?? badEscape(path)
  return bad === undefined ? ok({ ...none, user, host: host.value, path }) : err(bad)
}

function parseHost(host: ByteString): Result<ByteString, ByteString> {
  const bracket = host.lastIndexOf(']')
  if (host.startsWith('[') && bracket < 0) return err("missing ']' in host")
  const colon = host.startsWith('[') ? bracket + 1 : host.lastIndexOf(':')
  const port = colon < 0 ? '' : host.slice(colon)
  if (!/^(:[0-9]*)?$/.test(port)) return err(`invalid port ${quoteGo(port)} after host`)
  const wrong = badEscape(host)
  if (wrong !== undefined) return err(wrong)
  // In a host only what is not ASCII may be escaped, and the percent sign itself.
  const ascii = /%(?!25)[0-7]./.exec(host)?.[0]
  if (ascii !== undefined) return err(`invalid URL escape ${quoteGo(ascii)}`)
  const bad = /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"%\x80-\xff]/.exec(host)?.[0]
  if (bad !== undefined) return err(`invalid character ${quoteGo(bad)} in host name`)
  return ok(host.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))))
}

function badEscape(text: ByteString): ByteString | undefined {
  const at = text.search(/%(?![0-9a-fA-F]{2})/)
  return at < 0 ? undefined : `invalid URL escape ${quoteGo(text.slice(at, at + 3))}`
}

/** Whether Go's net.SplitHostPort takes it. */
function isHostPort(host: ByteString): boolean {
  return /^(\[[^[\]]*\]|[^[\]:]*):[^[\]:]*$/.test(host)
}

const escapeHost = (host: ByteString): ByteString => host.replace(/[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/g, percent)

const percent = (byte: string): string => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

/** Go's Unicode spaces at both ends, in UTF-8. */
function trimGo(text: ByteString): ByteString {
  const space =
    '(?:[\\t\\n\\v\\f\\r ]|\\xc2[\\x85\\xa0]|\\xe1\\x9a\\x80|\\xe2\\x80[\\x80-\\x8a\\xa8\\xa9\\xaf]|\\xe2\\x81\\x9f|\\xe3\\x80\\x80)'
  return text.replace(new RegExp(`^${space}+`), '').replace(new RegExp(`${space}+$`), '')
}
