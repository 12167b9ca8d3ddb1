/** A client that sends bytes as they are and reads answers strictly: for what no well-behaved client would send. */
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { ListenAddress } from '../src/index.ts'

/** `end`: how the body ended. `cut`: the connection ended before the body was whole. */
export type RawAnswer = {
  readonly status: number
  readonly reason: string
  /** By lower-case name; the last one of each. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  readonly end: 'length' | 'chunked' | 'close' | 'none' | 'cut'
}

/** Reads answers, one for each method, from all that a connection has sent; `isOver`: nothing more will come. */
export function readAnswers(text: string, methods: readonly string[], isOver: boolean): readonly RawAnswer[] {
  const answers: RawAnswer[] = []
  let at = 0
  while (at < text.length) {
    const headEnd = text.indexOf('\r\n\r\n', at)
    if (headEnd === -1) break
    const [statusLine = '', ...lines] = text.slice(at, headEnd).split('\r\n')
    const [, status = '0', reason = ''] = /^HTTP\/1\.[01] (\d{3}) (.*)$/.exec(statusLine) ?? []
    const headers = new Map(
      lines.map((line) => [line.split(':', 1).join().toLowerCase(), line.replace(/^[^:]*: */, '')]),
    )
    at = headEnd + 4
    const answer = (body: string, end: RawAnswer['end']): void => {
      answers.push({ status: Number(status), reason, headers, body, end })
    }
    if (Number(status) === 100) {
      answer('', 'none')
      continue
    }
    const method = methods[answers.filter((before) => before.status !== 100).length] ?? 'GET'
    const length = headers.get('content-length')
    if (method === 'HEAD' || status === '204' || status === '304') {
      answer('', 'none')
    } else if (length !== undefined) {
      const body = text.slice(at, at + Number(length))
      if (body.length < Number(length) && !isOver) break
      answer(body, body.length < Number(length) ? 'cut' : 'length')
      at += Number(length)
    } else if (headers.get('transfer-encoding') === 'chunked') {
      const read = readChunks(text, at)
      if (!read.isWhole && !isOver) break
      answer(read.body, read.isWhole ? 'chunked' : 'cut')
      at = read.to
    } else {
      if (!isOver) break
      answer(text.slice(at), 'close')
      at = text.length
    }
  }
  return answers
}

function readChunks(text: string, from: number): { body: string; isWhole: boolean; to: number } {
  let body = ''
  let at = from
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return { body, isWhole: false, to: text.length }
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    const chunk = text.slice(lineEnd + 2, lineEnd + 2 + size)
    if (text.slice(lineEnd + 2 + size, lineEnd + 4 + size) !== '\r\n') {
      return { body: body + chunk, isWhole: false, to: text.length }
    }
    body += chunk
    at = lineEnd + 4 + size
    if (size === 0) return { body, isWhole: true, to: at }
  }
}

/** One connection, whose bytes are characters. */
export class RawClient {
  readonly socket: Socket
  received = ''
  isOver = false
  #wake: (() => void)[] = []

  constructor(address: ListenAddress, tls?: ConnectionOptions) {
    const target =
      address.kind === 'tcp'
        ? { host: address.host, port: address.port }
        : { path: address.kind === 'unix' ? address.path : '' }
    this.socket = tls === undefined ? connect({ ...target, allowHalfOpen: true }) : connectTls({ ...target, ...tls })
    this.socket.setNoDelay(true)
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1')
      this.#notify()
    })
    const over = (): void => {
      this.isOver = true
      this.#notify()
    }
    this.socket.on('end', over)
    this.socket.on('close', over)
    this.socket.on('error', () => undefined)
  }

  send(text: string): this {
    if (this.socket.writable) this.socket.write(text, 'latin1')
    return this
  }

  /** Sends byte after byte, each a segment of its own. */
  async sendSlowly(text: string): Promise<void> {
    for (const character of text) {
      if (!this.socket.writable) return
      await new Promise<void>((resolve) => this.socket.write(character, 'latin1', () => setImmediate(resolve)))
    }
  }

  /** Waits until what has come, or that nothing more will come, satisfies `isEnough`. */
  async until(isEnough: (client: RawClient) => boolean): Promise<this> {
    while (!isEnough(this)) {
      if (this.isOver) throw new Error(`the connection ended after ${JSON.stringify(this.received.slice(0, 500))}`)
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
    return this
  }

  /** Waits for that many whole answers, the provisional ones counted, one for each method. */
  async answers(count: number, methods: readonly string[] = []): Promise<readonly RawAnswer[]> {
    await this.until(() => readAnswers(this.received, methods, this.isOver).length >= count)
    return readAnswers(this.received, methods, this.isOver)
  }

  /** Waits for the other side's end; all answers until then. */
  async over(methods: readonly string[] = []): Promise<readonly RawAnswer[]> {
    await this.until(({ isOver }) => isOver)
    return readAnswers(this.received, methods, true)
  }

  stop(): void {
    this.socket.destroy()
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}
