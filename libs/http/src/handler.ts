/**
 * A request and a response as values, and what everybody needs to read the one and make the other. A handler knows
 * nothing of sockets, so that it can be tested by calling it.
 */
import { STATUS_CODES } from 'node:http'
import { HttpError } from './errors.ts'

/** In the order sent, duplicates kept. Names in any case; ask with `headerOf`. */
export type HttpHeaders = readonly (readonly [name: string, value: string])[]

/** Who asks. A unix peer has no address; `certificate` is what TLS has verified. */
export type HttpPeer =
  | { readonly kind: 'unix' }
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number; readonly certificate?: PeerCertificate }

export type PeerCertificate = { readonly commonName: string; readonly fingerprint256: string }

export type HttpRequest = {
  /** Upper case. */
  readonly method: string
  /** The request target as sent, query included. */
  readonly target: string
  /** The path as sent, percent escapes and all, which are known to be valid. The router decodes part by part. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: HttpHeaders
  /** Yields at most the listener's limit, then throws `http/body-too-large`. Can be read once. */
  readonly body: AsyncIterable<Uint8Array>
  readonly peer: HttpPeer
  /** Fires when the client goes away or the listener is closed by force. */
  readonly signal: AbortSignal
}

/** A body is whole (then its length is sent) or a stream (then it is sent as it comes). */
export type HttpBody = string | Uint8Array | AsyncIterable<string | Uint8Array>

export type HttpResponse = { readonly status: number; readonly headers?: HttpHeaders; readonly body?: HttpBody }

/**
 * Answers one request. May throw: `http/bad-request` becomes 400, `http/body-too-large` 413, everything else 500
 * without a word to the client about why.
 */
export type Handler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>

/** The first value of a header, whatever the case of its name. */
export function headerOf(headers: HttpHeaders, name: string): string | undefined {
  const wanted = name.toLowerCase()
  return headers.find(([candidate]) => candidate.toLowerCase() === wanted)?.[1]
}

/** Some bytes and how much of them is wanted at most. */
export type ReadOptions = { readonly sizeBytesMax?: number }

/**
 * A whole body as bytes.
 *
 * @throws HttpError `http/body-too-large` beyond `sizeBytesMax` (default 16 MiB)
 */
export async function readBytes(
  body: AsyncIterable<Uint8Array>,
  { sizeBytesMax = 16 * 1024 * 1024 }: ReadOptions = {},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of body) {
    sizeBytes += chunk.length
    if (sizeBytes > sizeBytesMax) throw bodyTooLarge(sizeBytesMax)
    chunks.push(chunk)
  }
  const whole = new Uint8Array(sizeBytes)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/**
 * A whole body as text. Errors as `readBytes`.
 *
 * @throws HttpError `http/bad-request` when it is not UTF-8
 */
export async function readText(body: AsyncIterable<Uint8Array>, options?: ReadOptions): Promise<string> {
  const bytes = await readBytes(body, options)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new HttpError('http/bad-request', 'the body is not valid UTF-8', { hint: 'send text as UTF-8', cause })
  }
}

/** A whole body as the value its JSON stands for. Errors as `readText`; `http/bad-request` when it is not JSON. */
export async function readJson(body: AsyncIterable<Uint8Array>, options?: ReadOptions): Promise<unknown> {
  const text = await readText(body, options)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new HttpError('http/bad-request', 'the body is not valid JSON', { hint: 'send one JSON value', cause })
  }
}

/** What is thrown for a body beyond its limit. */
export const bodyTooLarge = (sizeBytesMax: number): HttpError =>
  new HttpError('http/body-too-large', `the body is longer than ${sizeBytesMax} bytes`, {
    hint: 'send less, or raise the limit where it is set',
  })

/** A response with one JSON value, compact, no newline. */
export const jsonResponse = (status: number, value: unknown, headers: HttpHeaders = []): HttpResponse => ({
  status,
  headers: [['Content-Type', 'application/json'], ...headers],
  body: JSON.stringify(value),
})

/** A response with text; a newline is added when there is none. */
export const textResponse = (status: number, text: string, headers: HttpHeaders = []): HttpResponse => ({
  status,
  headers: [['Content-Type', 'text/plain; charset=utf-8'], ...headers],
  body: text.endsWith('\n') ? text : `${text}\n`,
})

/** A response without a body. */
export const emptyResponse = (status: number, headers: HttpHeaders = []): HttpResponse => ({ status, headers })

/** The standard's words for a status: `Not Found`; empty for one that it does not have. */
export const statusText = (status: number): string => STATUS_CODES[status] ?? ''
