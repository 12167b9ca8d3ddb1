/** Paths, queries and forms as Go programs write them, so that what goes over the wire is what etcd's own client sends. */

/** What stands for itself in a path; every other byte is escaped. */
const plainInPath = /[A-Za-z0-9\-_.~$&+,/:;=@]/
const plainInQuery = /[A-Za-z0-9\-_.~]/

/** A value may be text or, where it came from a file, any bytes. */
export type V2Value = string | Uint8Array

/** A path with everything escaped that has another meaning in a URL. */
export const escapePath = (path: string): string => escapeBytes(path, plainInPath)

/** One name or value of a query or form; a space is `+`. */
export const escapeQuery = (value: V2Value): string => escapeBytes(value, plainInQuery).replaceAll('%20', '+')

function escapeBytes(value: V2Value, plain: RegExp): string {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
  const parts: string[] = []
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    parts.push(plain.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
  }
  return parts.join('')
}

export type Fields = readonly (readonly [name: string, value: V2Value])[]

/** Fields of a query or form, sorted by name. */
export const encodeFields = (fields: Fields): string =>
  [...fields]
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
    .map(([name, value]) => `${escapeQuery(name)}=${escapeQuery(value)}`)
    .join('&')

/**
 * A key as the store knows it: begins with a slash, no empty parts, no `.` and `..`. A slash at the end stays, since
 * rights are checked on the path as it was sent. It never leads out of the tree.
 */
export function canonicalKey(key: string): string {
  const parts: string[] = []
  for (const part of key.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  const path = `/${parts.join('/')}`
  return key.endsWith('/') && path !== '/' ? `${path}/` : path
}

/** The path of the request for a key. */
export function keyTarget(key: string, query: Fields = []): string {
  const path = `/v2/keys${escapePath(canonicalKey(key))}`
  return query.length === 0 ? path : `${path}?${encodeFields(query)}`
}
