/**
 * From a request target to a clean path: percent escapes decoded, then cleaned, and a redirect when cleaning changes it
 * (spec/etcd-v2.md §1.1). All text is bytes, one character each.
 */
import type { Exchange } from '@cluster/http'
import type { ByteString } from '@cluster/kv-store'

/**
 * Whether a path as sent is already what decoding and cleaning would make of it. Says no too often rather than too
 * rarely: a part that begins with a dot is left to the long way. Must be decided per request, so it is one plain loop.
 */
export function isPlainPath(path: ByteString): boolean {
  // 47 is `/`, 46 `.`, 37 `%`.
  let previous = 0
  if (path.charCodeAt(0) !== 47) return false
  for (let at = 0; at < path.length; at += 1) {
    const byte = path.charCodeAt(at)
    if (byte === 37 || byte <= 32 || byte === 127) return false
    if (previous === 47 && (byte === 47 || byte === 46)) return false
    previous = byte
  }
  return true
}

/** Whether a target holds what Go's URL parser refuses: ASCII control characters. */
export const hasControlCharacter = (text: ByteString): boolean => /[\x00-\x1f\x7f]/.test(text)

const hexValue = (code: number): number => {
  if (code >= 48 && code <= 57) return code - 48
  if (code >= 65 && code <= 70) return code - 55
  if (code >= 97 && code <= 102) return code - 87
  return -1
}

/**
 * Percent escapes to bytes.
 *
 * @param isForm in forms and queries a plus is a space; in paths it is a plus
 * @returns the text, or where the first bad escape begins
 */
export function decodeEscapes(text: ByteString, isForm: boolean): ByteString | number {
  if (text.indexOf('%') === -1) return isForm && text.indexOf('+') !== -1 ? text.replaceAll('+', ' ') : text
  const bytes = Buffer.allocUnsafe(text.length)
  let size = 0
  for (let at = 0; at < text.length; at += 1) {
    const byte = text.charCodeAt(at)
    if (byte === 37) {
      const high = at + 2 < text.length ? hexValue(text.charCodeAt(at + 1)) : -1
      const low = at + 2 < text.length ? hexValue(text.charCodeAt(at + 2)) : -1
      if (high < 0 || low < 0) return at
      bytes[size] = high * 16 + low
      at += 2
    } else bytes[size] = isForm && byte === 43 ? 32 : byte
    size += 1
  }
  return bytes.toString('latin1', 0, size)
}

/** What Go's path cleaning makes of a decoded path: one slash each, no `.` or `..`, a trailing slash kept. */
export function cleanPath(path: ByteString): ByteString {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  const cleaned = `/${parts.join('/')}`
  return path.endsWith('/') && cleaned !== '/' ? `${cleaned}/` : cleaned
}

/** A path as Go writes it into a URL: letters, digits and ``-_.~$&+,/:;=@`` stand, every other byte is `%XX`. */
export const encodePath = (path: ByteString): string =>
  path.replace(
    /[^A-Za-z0-9\-_.~$&+,/:;=@]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )

const htmlEscapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
}

/** 301 to the clean path, the query kept as sent. Only GET and HEAD get a page. */
export function respondMoved(exchange: Exchange, path: ByteString, query: string): void {
  const place = query === '' ? encodePath(path) : `${encodePath(path)}?${query}`
  const header = place.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`)
  const head = `Location: ${header}\r\n`
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
    exchange.respond(301, head, '')
    return
  }
  const shown = place.replace(/[&<>"']/g, (character) => htmlEscapes[character] ?? character)
  exchange.respond(
    301,
    `Content-Type: text/html; charset=utf-8\r\n${head}`,
    `<a href="${shown}">Moved Permanently</a>.\n\n`,
  )
}
