/** The bytes of a request as they come in: gathered up to a limit, with the chunked coding taken off. */
import { badRequest, parseHeaderBlock, type Refusal } from './parse-head.ts'

/** A size and its extensions, `;name`, `;name=value` or `;name="value"`, without the blanks that RFC 9112 calls bad. */
const chunkLine =
  /^([0-9a-f]{1,12})((?:;[\w!#$%&'*+.^`|~-]+(?:=(?:[\w!#$%&'*+.^`|~-]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)*)$/i

/** No bytes. */
export const noBytes: Uint8Array = new Uint8Array(0)

/** The longest line before a chunk, extensions included. */
const chunkLineBytesMax = 4096
/** All extensions of a body, and all its trailers, each. */
const chunkExtrasBytesMax = 16 * 1024

/**
 * Gathers a body. Grows by doubling with what has come, whatever was announced: a client must send what it makes the
 * server hold.
 */
export class BodyBytes {
  readonly #sizeBytesMax: number
  #bytes = noBytes
  #sizeBytes = 0
  #isCut = false

  constructor(sizeBytesMax: number) {
    this.#sizeBytesMax = sizeBytesMax
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** More came than the limit; the rest is forgotten. */
  get isCut(): boolean {
    return this.#isCut
  }

  append(source: Uint8Array, from: number, to: number): void {
    const taken = Math.min(to - from, this.#sizeBytesMax - this.#sizeBytes)
    if (taken < to - from) this.#isCut = true
    const wanted = this.#sizeBytes + taken
    if (wanted > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(Math.max(wanted, this.#bytes.length * 2), this.#sizeBytesMax))
      grown.set(this.#bytes.subarray(0, this.#sizeBytes))
      this.#bytes = grown
    }
    this.#bytes.set(source.subarray(from, from + taken), this.#sizeBytes)
    this.#sizeBytes = wanted
  }

  /** What has been gathered; not a copy. */
  whole(): Uint8Array {
    return this.#bytes.subarray(0, this.#sizeBytes)
  }
}

/** How far a piece of input was read, and what that led to. `more`: the rest is kept and shown again with what follows. */
export type ChunkedProgress =
  | { readonly kind: 'more'; readonly readTo: number }
  | { readonly kind: 'done'; readonly readTo: number }
  | Refusal

/**
 * Takes the chunked coding off a body. Strict: lines end in CRLF, sizes are bare hexadecimal digits, and lines,
 * extensions and trailers are bounded.
 *
 * @see RFC 9112 §7.1
 */
export class ChunkedReader {
  #awaits: 'size' | 'data' | 'data-end' | 'trailers' = 'size'
  #leftBytes = 0
  #extrasBytes = 0
  #trailers = ''

  read(input: Buffer, from: number, to: number, body: BodyBytes): ChunkedProgress {
    let at = from
    for (;;) {
      switch (this.#awaits) {
        case 'size': {
          const line = lineAt(input, at, to)
          if (typeof line !== 'string') return line ?? { kind: 'more', readTo: at }
          const [, digits, extension = ''] = chunkLine.exec(line) ?? []
          if (digits === undefined) return badRequest
          this.#extrasBytes += extension.length
          if (this.#extrasBytes > chunkExtrasBytesMax) return badRequest
          at += line.length + 2
          this.#leftBytes = Number.parseInt(digits, 16)
          this.#awaits = this.#leftBytes === 0 ? 'trailers' : 'data'
          break
        }
        case 'data': {
          const taken = Math.min(this.#leftBytes, to - at)
          if (taken === 0) return { kind: 'more', readTo: at }
          body.append(input, at, at + taken)
          at += taken
          // What follows is never looked at, however much of it is here already.
          if (body.isCut) return { kind: 'more', readTo: at }
          this.#leftBytes -= taken
          if (this.#leftBytes === 0) this.#awaits = 'data-end'
          break
        }
        case 'data-end':
          if (at < to && input[at] !== 0x0d) return badRequest
          if (to - at < 2) return { kind: 'more', readTo: at }
          if (input[at + 1] !== 0x0a) return badRequest
          at += 2
          this.#awaits = 'size'
          break
        case 'trailers': {
          const line = lineAt(input, at, to)
          if (typeof line !== 'string') return line ?? { kind: 'more', readTo: at }
          at += line.length + 2
          this.#trailers += `${line}\r\n`
          if (this.#trailers.length > chunkExtrasBytesMax) return badRequest
          if (line !== '') break
          // Nobody reads trailers, but what is no header line may be a request in disguise.
          const read = parseHeaderBlock(this.#trailers)
          return read.kind === 'block' ? { kind: 'done', readTo: at } : badRequest
        }
        default:
          return this.#awaits satisfies never
      }
    }
  }
}

/** A line without its CRLF; undefined if it is not whole yet. */
function lineAt(input: Buffer, from: number, to: number): string | Refusal | undefined {
  const feed = input.indexOf(0x0a, from)
  if (feed === -1 || feed >= to) return to - from > chunkLineBytesMax ? badRequest : undefined
  if (feed - from > chunkLineBytesMax || feed === from || input[feed - 1] !== 0x0d) return badRequest
  return input.toString('latin1', from, feed - 1)
}
