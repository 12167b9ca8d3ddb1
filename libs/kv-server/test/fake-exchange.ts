/** An exchange without a socket: what was asked, and everything that was answered. */
import type { AnswerStream, Exchange, HttpPeer } from '@cluster/http'

export type FakeRequest = {
  readonly method?: string
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  /** One character a byte. A form unless headers say otherwise. */
  readonly body?: string
  readonly isBodyCut?: boolean
}

export type FakeAnswer = {
  readonly status: number
  /** By name as sent. */
  readonly headers: Readonly<Record<string, string>>
  /** Everything written so far, one character a byte. */
  readonly body: string
}

/** Answers once or as a stream, and can be a client that does not read or goes away. */
export class FakeExchange implements Exchange {
  readonly method: string
  readonly target: string
  readonly body: Uint8Array
  readonly isBodyCut: boolean
  readonly peer: HttpPeer = { kind: 'tcp', address: '127.0.0.1', port: 1 }
  readonly #headers: Readonly<Record<string, string>>
  readonly #goneCallbacks: (() => void)[] = []
  #drain: (() => void) | undefined
  #status: number | undefined
  #head = ''
  /** What was written, write by write. */
  readonly chunks: string[] = []
  isEnded = false
  isAborted = false
  /** The client reads nothing: each write says so. */
  isStalled = false

  constructor({ method = 'GET', target, headers, body = '', isBodyCut = false }: FakeRequest) {
    this.method = method
    this.target = target
    this.body = Buffer.from(body, 'latin1')
    this.isBodyCut = isBodyCut
    this.#headers = headers ?? (body === '' ? {} : { 'content-type': 'application/x-www-form-urlencoded' })
  }

  header(name: string): string | undefined {
    return this.#headers[name]
  }

  respond(status: number, head: string, body: string | Uint8Array): void {
    this.#begin(status, head)
    this.chunks.push(textOfChunk(body))
    this.isEnded = true
  }

  stream(status: number, head: string): AnswerStream {
    this.#begin(status, head)
    return {
      write: (chunk) => {
        if (this.isEnded || this.isAborted) throw new Error('written after the end')
        this.chunks.push(textOfChunk(chunk))
        return !this.isStalled
      },
      onDrain: (callback) => {
        this.#drain = callback
      },
      end: (last = '') => {
        if (this.isEnded) throw new Error('ended twice')
        if (last.length > 0) this.chunks.push(textOfChunk(last))
        this.isEnded = true
      },
      abort: () => {
        this.isAborted = true
      },
    }
  }

  onGone(callback: () => void): void {
    this.#goneCallbacks.push(callback)
  }

  /** The client reads again. */
  drain(): void {
    this.isStalled = false
    const callback = this.#drain
    this.#drain = undefined
    callback?.()
  }

  /** The client goes away. */
  leave(): void {
    for (const callback of this.#goneCallbacks.splice(0)) callback()
  }

  /** Undefined: nothing has been answered yet. */
  get answer(): FakeAnswer | undefined {
    if (this.#status === undefined) return undefined
    const lines = this.#head.split('\r\n').filter((line) => line !== '')
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')), line.replace(/^[^:]*: /, '')]),
    )
    return { status: this.#status, headers, body: this.chunks.join('') }
  }

  #begin(status: number, head: string): void {
    if (this.#status !== undefined) throw new Error('answered twice')
    if (head !== '' && !head.endsWith('\r\n')) throw new Error(`a head must end with a line end: ${head}`)
    this.#status = status
    this.#head = head
  }
}

const textOfChunk = (chunk: string | Uint8Array): string =>
  typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1')
