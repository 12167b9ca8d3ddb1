/** Who a request says it is from: the Authorization header, as Go's net/http reads it (spec/etcd-v2.md §4.2). */

/** User and password are byte strings, as sent. */
export type Credentials =
  /** No header, or an empty one: a guest. */
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'unreadable'; readonly why: string }

/** The credentials in an Authorization header: scheme `Basic` in any case, the first colon ends the user's name. */
export function parseAuthorization(header: string | undefined): Credentials {
  if (header === undefined || header === '') return { kind: 'none' }
  if (header.slice(0, 6).toLowerCase() !== 'basic ') return unreadable('the scheme of the credentials is not Basic')
  const pair = decodeBase64(header.slice(6))
  if (pair === undefined) return unreadable('the credentials are not valid base64')
  const colon = pair.indexOf(':')
  if (colon < 0) return unreadable('the credentials have no colon between user and password')
  return { kind: 'basic', user: pair.slice(0, colon), password: pair.slice(colon + 1) }
}

const unreadable = (why: string): Credentials => ({ kind: 'unreadable', why })

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Padding must be there, as Go wants it; bits left over in the last character may be anything. */
function decodeBase64(encoded: string): string | undefined {
  if (encoded.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) return undefined
  let bytes = ''
  let bits = 0
  let bitCount = 0
  for (const character of encoded.replace(/=+$/, '')) {
    bits = ((bits << 6) | alphabet.indexOf(character)) & 0xffff
    bitCount += 6
    if (bitCount < 8) continue
    bitCount -= 8
    bytes += String.fromCharCode((bits >> bitCount) & 0xff)
  }
  return bytes
}
