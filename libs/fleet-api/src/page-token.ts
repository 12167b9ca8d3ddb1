/**
 * Page tokens of list answers: limit and page as two little-endian 16-bit numbers in base64url.
 * Source: spec/fleet.md §8 "Pages"; texts of refusals are the recorded ones.
 */
import { err, ok, type Result } from '@cluster/prelude'

export type PageToken = {
  /** Entries on a page, 0 to 65,535. */
  readonly limit: number
  /** Counts from 1, up to 65,535. */
  readonly page: number
}

const alphabet = /^[A-Za-z0-9_-]$/

/** The token as it stands in a URL, padding included: `ZAACAA==` is limit 100, page 2. */
export function encodePageToken({ limit, page }: PageToken): string {
  const bytes = String.fromCharCode(limit & 255, (limit >> 8) & 255, page & 255, (page >> 8) & 255)
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_')
}

/**
 * The token, or the original daemon's words for what is wrong with it.
 *
 * @param limit what the server uses; a token of another limit is refused
 */
export function decodePageToken(text: string, limit: number): Result<PageToken, { readonly message: string }> {
  const bytes = decodeBase64Url(text)
  if (!bytes.ok) return bytes
  const [low = 0, high = 0, pageLow = 0, pageHigh = 0] = bytes.value
  if (bytes.value.length === 0) return err({ message: 'EOF' })
  if (bytes.value.length < 4) return err({ message: 'unexpected EOF' })
  const token = { limit: low | (high << 8), page: pageLow | (pageHigh << 8) }
  if (token.limit !== limit) return err({ message: `token limit must be ${limit}` })
  if (token.page === 0) return err({ message: 'token page must be greater than zero' })
  return ok(token)
}

/** Padding is required and must be right; the place of the first wrong byte is named. CR and LF are skipped. */
function decodeBase64Url(input: string): Result<readonly number[], { readonly message: string }> {
  const illegal = (at: number) => err({ message: `illegal base64 data at input byte ${at}` })
  const isLineEnd = (at: number): boolean => input[at] === '\r' || input[at] === '\n'
  const skipLineEnds = (from: number): number => {
    let at = from
    while (at < input.length && isLineEnd(at)) at++
    return at
  }
  let symbols = ''
  let at = skipLineEnds(0)
  while (at < input.length && alphabet.test(input[at] ?? '')) {
    symbols += input[at]
    at = skipLineEnds(at + 1)
  }
  const left = symbols.length % 4
  if (at === input.length) {
    // What is named is where the incomplete group of four begins.
    if (left > 0) return illegal(at - left)
  } else {
    if (input[at] !== '=' || left < 2) return illegal(at)
    const second = skipLineEnds(at + 1)
    if (left === 2 && second === input.length) return illegal(input.length)
    if (left === 2 && input[second] !== '=') return illegal(second - 1)
    const end = left === 2 ? skipLineEnds(second + 1) : second
    if (end < input.length) return illegal(end)
  }
  const binary = atob(symbols.replaceAll('-', '+').replaceAll('_', '/'))
  return ok([...binary].map((character) => character.charCodeAt(0)))
}
