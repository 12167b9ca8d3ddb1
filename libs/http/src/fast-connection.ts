/**
 * One connection of the fast listener: bytes in, exchanges to the handler one at a time and in order, answers out.
 * What arrives while a request is answered waits, at most `inputBytesMax` of it, then reading pauses. Answers of
 * requests that arrived together leave together.
 */
import type { Socket } from 'node:net'
import { assert, type Logger } from '@cluster/prelude'
import type { Deadlines } from './deadlines.ts'
import type { AnswerStream, Exchange, ExchangeHandler, ExchangeLimits } from './exchange.ts'
import type { HttpPeer } from './handler.ts'
import {
  badRequest,
  fieldOf,
  type HeaderBlock,
  headTooLong,
  isTokenByte,
  parseHeaderBlock,
  parseRequestLine,
  type Refusal,
  type RequestLine,
  refusalOf,
  requestTooSlow,
} from './parse-head.ts'
import { peerOf } from './peer.ts'
import { BodyBytes, ChunkedReader, noBytes } from './request-body.ts'
import { dateHeader, latin1Of, mayHaveBody, refusalText, statusLine } from './write-answer.ts'

/** What all connections of a listener share. */
export type ConnectionContext = {
  readonly handler: ExchangeHandler
  readonly limits: Required<ExchangeLimits>
  readonly log: Logger
  readonly deadlines: Deadlines<Connection>
  /** Heads seen lately: ten thousand clients of one kind share one. */
  readonly recentBlocks: HeaderBlock[]
  readonly open: Set<Connection>
  isUnix: boolean
  isClosing: boolean
}

/** How much of a head is looked at first; longer ones take a slower way. */
const firstLookBytes = 2048
/** How much may wait behind a request that is being answered. */
const inputBytesMax = 64 * 1024
/** Text gathered for one write. */
const outputBytesMax = 64 * 1024
/** Longer answers leave piece by piece, so that a slow reader can be told from one that does not read. */
const pieceBytes = 256 * 1024
/** Bytes up to this size are cheaper to join with their head than to write apart. */
const joinedBytesMax = 16 * 1024
const recentBlocksMax = 8
const recentBlockBytesMax = 2048
/** After the last answer: closing on unread data would take the answer away from the client. */
const lingerMs = 2000
const lingerBytesMax = 64 * 1024 * 1024

type Phase = 'none' | 'head' | 'body' | 'stall' | 'linger'

/** A request whose head is known and whose body is not whole. */
type Incoming = {
  readonly line: RequestLine
  readonly block: HeaderBlock
  readonly body: BodyBytes
  readonly chunked: ChunkedReader | undefined
  leftBytes: number
}

export class Connection {
  readonly #socket: Socket
  readonly #context: ConnectionContext
  #peer: HttpPeer | undefined
  /** Unread input is from `#from` to `#to`. */
  #input: Buffer | undefined
  #from = 0
  #to = 0
  #isOwnInput = false
  /** How much of the unread input is known to hold no end of a head. */
  #scannedBytes = 0
  #isLineForgiven = false
  #block: HeaderBlock | undefined
  #incoming: Incoming | undefined
  #exchange: FastExchange | undefined
  #output = ''
  /** The rest of a long answer. */
  #rest: Buffer | undefined
  #phase: Phase = 'none'
  #isAdvancing = false
  #isBlocked = false
  #isHalfClosed = false
  #isEnding = false
  #isDiscarding = false
  #discardedBytes = 0

  constructor(socket: Socket, context: ConnectionContext) {
    this.#socket = socket
    this.#context = context
    context.open.add(this)
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('end', () => this.#onEnd())
    socket.on('close', () => this.#onClose())
    socket.on('error', ignore)
  }

  get peer(): HttpPeer {
    this.#peer ??= this.#context.isUnix
      ? { kind: 'unix' }
      : this.#socket.remoteAddress === undefined
        ? { kind: 'tcp', address: '', port: 0 } // gone before anybody asked
        : peerOf(this.#socket)
    return this.#peer
  }

  get isHalfClosed(): boolean {
    return this.#isHalfClosed
  }

  get isBlocked(): boolean {
    return this.#isBlocked
  }

  get context(): ConnectionContext {
    return this.#context
  }

  // --- input

  #onData(chunk: Buffer): void {
    if (this.#isEnding || this.#isDiscarding) {
      this.#discardedBytes += chunk.length
      if (this.#discardedBytes > lingerBytesMax) this.destroy()
      return
    }
    this.#append(chunk)
    if (this.#exchange === undefined && !this.#isBlocked) this.#advance()
    else if (this.#to - this.#from > inputBytesMax) this.#socket.pause()
  }

  #append(chunk: Buffer): void {
    const input = this.#input
    if (input === undefined) {
      this.#input = chunk
      this.#from = 0
      this.#to = chunk.length
      this.#isOwnInput = false
      return
    }
    if (this.#isOwnInput && this.#to + chunk.length <= input.length) {
      // Behind what is being read: a body that was handed out is never overwritten.
      chunk.copy(input, this.#to)
      this.#to += chunk.length
      return
    }
    const unreadBytes = this.#to - this.#from
    const grown = Buffer.allocUnsafe(Math.max(512, 2 * (unreadBytes + chunk.length)))
    input.copy(grown, 0, this.#from, this.#to)
    chunk.copy(grown, unreadBytes)
    this.#input = grown
    this.#from = 0
    this.#to = unreadBytes + chunk.length
    this.#isOwnInput = true
  }

  /** Reads and hands out requests until one waits for its answer or for more bytes. */
  #advance(): void {
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    while (
      this.#input !== undefined &&
      this.#from < this.#to &&
      this.#exchange === undefined &&
      !this.#isBlocked &&
      !this.#isEnding
    ) {
      const isRead =
        this.#incoming === undefined ? this.#readHead(this.#input) : this.#readBody(this.#input, this.#incoming)
      if (!isRead) break
    }
    this.#isAdvancing = false
    this.#settle()
  }

  /** What follows from where reading has stopped. */
  #settle(): void {
    if (this.#output !== '') this.#flush()
    if (this.#from === this.#to) this.#dropInput()
    if (this.#isEnding || this.#exchange !== undefined || this.#isBlocked) return
    const isBetween = this.#input === undefined && this.#incoming === undefined
    if (this.#isHalfClosed) {
      if (isBetween) this.#end()
      else this.#refuse(badRequest)
      return
    }
    // The last answer was on its way before the listener was told to close.
    if (isBetween && this.#context.isClosing) {
      this.#end()
      return
    }
    if (!isBetween && this.#phase === 'none') this.#wait('head', this.#context.limits.headTimeoutMs)
    if (this.#socket.isPaused()) this.#socket.resume()
  }

  #dropInput(): void {
    this.#input = undefined
    this.#from = 0
    this.#to = 0
    this.#scannedBytes = 0
  }

  /** @returns whether anything was read; otherwise more is needed */
  #readHead(input: Buffer): boolean {
    const from = this.#from
    // RFC 9112 §2.2: one empty line before a request is forgiven.
    if (input[from] === 0x0d) {
      if (this.#to - from < 2) return false
      if (input[from + 1] !== 0x0a || this.#isLineForgiven) return this.#refuse(badRequest)
      this.#isLineForgiven = true
      this.#from += 2
      return true
    }
    if (this.#scannedBytes === 0) {
      const text = input.toString('latin1', from, Math.min(this.#to, from + firstLookBytes))
      const lineEnd = text.indexOf('\r\n')
      if (lineEnd !== -1) {
        const block = this.#block
        if (block !== undefined && text.startsWith(block.text, lineEnd + 2)) {
          return this.#takeHead(
            input,
            parseRequestLine(text, 0, lineEnd),
            block,
            from + lineEnd + 2 + block.text.length,
          )
        }
        const end = text.indexOf('\r\n\r\n', lineEnd)
        if (end !== -1) return this.#takeNewHead(input, text, lineEnd, end + 4)
      }
    }
    const headBytes = this.#scanForEnd(input)
    if (typeof headBytes !== 'number') return headBytes === undefined ? false : this.#refuse(headBytes)
    const text = input.toString('latin1', from, from + headBytes)
    return this.#takeNewHead(input, text, text.indexOf('\r\n'), headBytes)
  }

  /**
   * Looks at lines that are new. Finds early what will never be a request: a first byte that begins no method, a line
   * that ends in a bare LF.
   */
  #scanForEnd(input: Buffer): number | Refusal | undefined {
    const { headSizeBytesMax } = this.#context.limits
    if (!isTokenByte(input[this.#from] ?? 0)) return badRequest
    for (;;) {
      const at = this.#from + this.#scannedBytes
      const feed = input.indexOf(0x0a, at)
      if (feed === -1 || feed >= this.#to) break
      if (feed === this.#from || input[feed - 1] !== 0x0d) return badRequest
      this.#scannedBytes = feed + 1 - this.#from
      if (this.#scannedBytes > headSizeBytesMax) return headTooLong
      if (feed - 3 >= this.#from && input[feed - 2] === 0x0a) return this.#scannedBytes
    }
    return this.#to - this.#from > headSizeBytesMax ? headTooLong : undefined
  }

  #takeNewHead(input: Buffer, text: string, lineEnd: number, headBytes: number): boolean {
    if (headBytes > this.#context.limits.headSizeBytesMax) return this.#refuse(headTooLong)
    const line = parseRequestLine(text, 0, lineEnd)
    const block = this.#blockOf(input, text, lineEnd + 2, headBytes)
    if (block.kind === 'refusal') return this.#refuse(line.kind === 'refusal' ? line : block)
    if (block.text.length <= recentBlockBytesMax) this.#block = block
    return this.#takeHead(input, line, block, this.#from + headBytes)
  }

  #blockOf(input: Buffer, text: string, from: number, to: number): HeaderBlock | Refusal {
    const recent = this.#context.recentBlocks
    for (const block of recent) {
      if (block.text.length === to - from && text.startsWith(block.text, from)) return block
    }
    // From the bytes: a slice of the text would hold the request line, too, for as long as the block is kept.
    const block = parseHeaderBlock(input.toString('latin1', this.#from + from, this.#from + to))
    if (block.kind === 'block' && block.text.length <= recentBlockBytesMax) {
      if (recent.length >= recentBlocksMax) recent.pop()
      recent.unshift(block)
    }
    return block
  }

  #takeHead(input: Buffer, line: RequestLine | Refusal, block: HeaderBlock, headEnd: number): boolean {
    if (line.kind === 'refusal') return this.#refuse(line)
    const refusal = refusalOf(line, block)
    if (refusal !== undefined) return this.#refuse(refusal)
    this.#from = headEnd
    this.#scannedBytes = 0
    this.#isLineForgiven = false
    const lengthBytes = block.contentLengthBytes
    if (lengthBytes <= 0 && !block.isChunked) return this.#handOut(line, block, noBytes, false)
    const { bodySizeBytesMax, bodyTimeoutMs } = this.#context.limits
    if (lengthBytes > 0 && lengthBytes <= this.#to - headEnd && lengthBytes <= bodySizeBytesMax) {
      this.#from = headEnd + lengthBytes
      return this.#handOut(line, block, input.subarray(headEnd, headEnd + lengthBytes), false)
    }
    if (block.expects === 'continue' && line.minorVersion === 1) {
      // Too long is said before it is sent: that is what the client asks.
      if (lengthBytes > bodySizeBytesMax) return this.#handOut(line, block, noBytes, true)
      this.#output += 'HTTP/1.1 100 Continue\r\n\r\n'
    }
    const chunked = block.isChunked ? new ChunkedReader() : undefined
    this.#incoming = { line, block, body: new BodyBytes(bodySizeBytesMax), chunked, leftBytes: lengthBytes }
    this.#wait('body', bodyTimeoutMs)
    return true
  }

  #readBody(input: Buffer, incoming: Incoming): boolean {
    const { line, block, body, chunked } = incoming
    let isWhole: boolean
    if (chunked === undefined) {
      const taken = Math.min(incoming.leftBytes, this.#to - this.#from)
      body.append(input, this.#from, this.#from + taken)
      this.#from += taken
      incoming.leftBytes -= taken
      isWhole = incoming.leftBytes === 0
    } else {
      const progress = chunked.read(input, this.#from, this.#to, body)
      if (progress.kind === 'refusal') return this.#refuse(progress)
      this.#from = progress.readTo
      isWhole = progress.kind === 'done'
    }
    if (!isWhole && !body.isCut) return false
    this.#incoming = undefined
    return this.#handOut(line, block, body.whole(), body.isCut)
  }

  #handOut(line: RequestLine, block: HeaderBlock, body: Uint8Array, isBodyCut: boolean): boolean {
    if (this.#phase !== 'none') this.#stopWaiting()
    if (isBodyCut) {
      this.#isDiscarding = true
      this.#dropInput()
    }
    const exchange = new FastExchange(this, line, block, body, isBodyCut)
    this.#exchange = exchange
    try {
      this.#context.handler(exchange)
    } catch (error) {
      exchange.fail(error)
    }
    return true
  }

  // --- output

  /** Sends a part of a streamed answer. @returns whether more may be sent */
  send(text: string, bytes: Uint8Array | undefined): boolean {
    if (this.#socket.destroyed) return false
    this.#output += text
    if (bytes !== undefined) this.#writeBytes(bytes)
    if (!this.#isAdvancing) this.#flush()
    return !this.#isBlocked
  }

  /** Sends the whole or the end of an answer, and turns to the next request. */
  finish(text: string, bytes: Uint8Array | undefined, isKept: boolean): void {
    this.#exchange = undefined
    if (this.#socket.destroyed) return
    if (bytes === undefined && text.length <= pieceBytes) {
      this.#output += text
    } else if (bytes === undefined) {
      this.#writeLong(Buffer.from(text, 'latin1'))
    } else {
      this.#output += text
      if (bytes.length > pieceBytes) this.#writeLong(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      else this.#writeBytes(bytes)
    }
    if (this.#output.length > outputBytesMax) this.#flush()
    if (!isKept) this.#end()
    else if (!this.#isAdvancing) this.#advance()
  }

  #writeBytes(bytes: Uint8Array): void {
    if (bytes.length <= joinedBytesMax) {
      this.#output += latin1Of(bytes)
      return
    }
    this.#socket.cork()
    this.#flush()
    this.#socket.write(bytes)
    this.#socket.uncork()
    this.#lookWhetherBlocked()
  }

  /** The last part of an answer: nobody else writes until it is out. */
  #writeLong(bytes: Buffer): void {
    this.#flush()
    this.#rest = bytes
    if (!this.#isBlocked) this.#writePieces()
  }

  #writePieces(): void {
    while (this.#rest !== undefined && !this.#isBlocked) {
      const rest: Buffer = this.#rest
      this.#rest = rest.length > pieceBytes ? rest.subarray(pieceBytes) : undefined
      this.#socket.write(rest.subarray(0, pieceBytes))
      this.#lookWhetherBlocked()
    }
  }

  #flush(): void {
    const output = this.#output
    if (output === '') return
    this.#output = ''
    this.#socket.write(output, 'latin1')
    this.#lookWhetherBlocked()
  }

  #lookWhetherBlocked(): void {
    const { writeHighWaterBytes, stallTimeoutMs } = this.#context.limits
    if (this.#isBlocked || this.#socket.writableLength <= writeHighWaterBytes) return
    this.#isBlocked = true
    this.#wait('stall', stallTimeoutMs)
    this.#socket.once('drain', () => this.#onDrain())
  }

  #onDrain(): void {
    this.#isBlocked = false
    this.#stopWaiting()
    this.#writePieces()
    if (this.#isBlocked) return
    if (this.#isEnding) this.#endNow()
    else if (this.#exchange !== undefined) this.#exchange.drained()
    else this.#advance()
  }

  /** Always true: something was read. */
  #refuse(refusal: Refusal): true {
    this.#output += refusalText(refusal)
    this.#end()
    return true
  }

  /** Refuses a connection before it has asked anything. */
  turnAway(refusal: Refusal): void {
    this.#refuse(refusal)
  }

  #end(): void {
    this.#isEnding = true
    this.#incoming = undefined
    this.#dropInput()
    this.#flush()
    if (this.#rest === undefined) this.#endNow()
  }

  #endNow(): void {
    this.#socket.end()
    this.#wait('linger', lingerMs)
    // The client's end, or what it still sends, must be read to let go of the connection.
    if (this.#socket.isPaused()) this.#socket.resume()
  }

  // --- the end

  #onEnd(): void {
    this.#isHalfClosed = true
    if (this.#isEnding) return
    if (this.#exchange === undefined) this.#settle()
    else this.#exchange.clientEnded()
  }

  #onClose(): void {
    this.#context.open.delete(this)
    this.#stopWaiting()
    this.#dropInput()
    this.#rest = undefined
    this.#exchange?.gone()
    this.#exchange = undefined
  }

  /** Closes a connection on which nothing is asked or answered. */
  closeIfIdle(): void {
    const isIdle = this.#exchange === undefined && this.#incoming === undefined && this.#input === undefined
    if (isIdle && !this.#isBlocked && !this.#isEnding) this.destroy()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #wait(phase: Phase, delayMs: number): void {
    this.#phase = phase
    this.#context.deadlines.start(this, delayMs)
  }

  #stopWaiting(): void {
    if (this.#phase === 'none') return
    this.#phase = 'none'
    this.#context.deadlines.stop(this)
  }

  onDeadline(): void {
    const phase = this.#phase
    this.#phase = 'none'
    if (phase === 'head' || phase === 'body') this.#refuse(requestTooSlow)
    else if (phase === 'linger' && this.#socket.writableLength > 0)
      this.#wait('stall', this.#context.limits.stallTimeoutMs)
    else this.destroy()
  }
}

const ignore = (): void => undefined

/** A request at work, and its answer while it is made. */
class FastExchange implements Exchange, AnswerStream {
  readonly method: string
  readonly target: string
  readonly body: Uint8Array
  readonly isBodyCut: boolean
  readonly #connection: Connection
  readonly #block: HeaderBlock
  readonly #minorVersion: 0 | 1
  #state: 'open' | 'streaming' | 'done' | 'gone' = 'open'
  #isChunked = false
  #isBodyless = false
  #onGone: (() => void)[] | undefined
  #onDrain: (() => void) | undefined

  constructor(connection: Connection, line: RequestLine, block: HeaderBlock, body: Uint8Array, isBodyCut: boolean) {
    this.method = line.method
    this.target = line.target
    this.body = body
    this.isBodyCut = isBodyCut
    this.#connection = connection
    this.#block = block
    this.#minorVersion = line.minorVersion
  }

  get peer(): HttpPeer {
    return this.#connection.peer
  }

  header(name: string): string | undefined {
    return fieldOf(this.#block, name)
  }

  respond(status: number, head: string, body: string | Uint8Array): void {
    if (this.#state === 'gone') return
    assert(this.#state === 'open', 'an exchange is answered once')
    this.#state = 'done'
    const isKept = this.#isKept()
    const end = this.#connectionHeader(isKept)
    if (!mayHaveBody(status)) {
      this.#connection.finish(
        `${statusLine(status, this.#minorVersion)}${head}${dateHeader()}${end}`,
        undefined,
        isKept,
      )
      return
    }
    const whole = `${statusLine(status, this.#minorVersion)}${head}${dateHeader()}Content-Length: ${body.length}\r\n${end}`
    if (this.method === 'HEAD') this.#connection.finish(whole, undefined, isKept)
    else if (typeof body === 'string') this.#connection.finish(whole + body, undefined, isKept)
    else this.#connection.finish(whole, body, isKept)
  }

  stream(status: number, head: string): AnswerStream {
    if (this.#state === 'gone') return this
    assert(this.#state === 'open', 'an exchange is answered once')
    this.#state = 'streaming'
    const hasBody = mayHaveBody(status)
    this.#isBodyless = !hasBody || this.method === 'HEAD'
    this.#isChunked = hasBody && this.#minorVersion === 1
    const coding = this.#isChunked ? 'Transfer-Encoding: chunked\r\n' : ''
    const end = this.#connectionHeader(this.#isStreamKept())
    this.#connection.send(`${statusLine(status, this.#minorVersion)}${head}${dateHeader()}${coding}${end}`, undefined)
    return this
  }

  write(chunk: string | Uint8Array): boolean {
    if (this.#state === 'gone') return false
    assert(this.#state === 'streaming', 'an answer is written between its beginning and its end')
    // An empty chunk would end the body.
    if (this.#isBodyless || chunk.length === 0) return this.#connection.send('', undefined)
    if (!this.#isChunked) {
      return typeof chunk === 'string' ? this.#connection.send(chunk, undefined) : this.#connection.send('', chunk)
    }
    if (typeof chunk === 'string') return this.#connection.send(this.#coded(chunk), undefined)
    this.#connection.send(`${chunk.length.toString(16)}\r\n`, chunk)
    return this.#connection.send('\r\n', undefined)
  }

  onDrain(callback: () => void): void {
    if (this.#state !== 'streaming') return
    if (this.#connection.isBlocked) this.#onDrain = callback
    else queueMicrotask(callback)
  }

  end(last: string | Uint8Array = ''): void {
    if (this.#state === 'gone') return
    assert(this.#state === 'streaming', 'an answer is ended once')
    const isShort = typeof last === 'string' && !this.#isBodyless
    if (!isShort) this.write(last)
    const rest = isShort ? this.#coded(last) : ''
    this.#state = 'done'
    const isKept = this.#isStreamKept()
    this.#connection.finish(this.#isChunked && !this.#isBodyless ? `${rest}0\r\n\r\n` : rest, undefined, isKept)
  }

  /** Text as a chunk, where the answer is made of chunks. */
  #coded(text: string): string {
    return this.#isChunked && text !== '' ? `${text.length.toString(16)}\r\n${text}\r\n` : text
  }

  abort(): void {
    if (this.#state === 'streaming') this.#connection.destroy()
  }

  onGone(callback: () => void): void {
    if (this.#state === 'done') return
    if (this.#state === 'gone') {
      queueMicrotask(callback)
      return
    }
    this.#onGone ??= []
    this.#onGone.push(callback)
    if (this.#connection.isHalfClosed) queueMicrotask(() => this.clientEnded())
  }

  /**
   * The client has sent its end. It may wait for the answer or have gone: whoever asked to be told takes it as gone,
   * after a last chance to answer in the callback; whoever did not still answers.
   */
  clientEnded(): void {
    if (this.#onGone === undefined || this.#state === 'done' || this.#state === 'gone') return
    this.#tellGone()
    if (this.#state === 'open' || this.#state === 'streaming') this.#connection.destroy()
  }

  /** The connection is no more. */
  gone(): void {
    if (this.#state === 'done') return
    this.#state = 'gone'
    this.#onDrain = undefined
    this.#tellGone()
  }

  drained(): void {
    const callback = this.#onDrain
    this.#onDrain = undefined
    callback?.()
  }

  /** The handler threw. */
  fail(error: unknown): void {
    const { log } = this.#connection.context
    const reason = error instanceof Error ? error.message : String(error)
    log.error('request failed', { method: this.method, target: this.target, reason })
    if (this.#state === 'open') this.respond(500, 'Content-Type: text/plain; charset=utf-8\r\n', 'internal error\n')
    else if (this.#state === 'streaming') this.#connection.destroy()
  }

  #tellGone(): void {
    const callbacks = this.#onGone
    this.#onGone = undefined
    if (callbacks !== undefined) for (const callback of callbacks) callback()
  }

  #isKept(): boolean {
    if (this.isBodyCut || this.#connection.context.isClosing) return false
    return !this.#block.wantsClose && (this.#minorVersion === 1 || this.#block.wantsKeepAlive)
  }

  /** Without the chunked coding only the end of the connection ends a body. */
  #isStreamKept(): boolean {
    return this.#isKept() && (this.#isChunked || this.#isBodyless)
  }

  /** The `Connection` header, if it says anything, and the end of the head. */
  #connectionHeader(isKept: boolean): string {
    if (!isKept) return 'Connection: close\r\n\r\n'
    return this.#minorVersion === 1 ? '\r\n' : 'Connection: keep-alive\r\n\r\n'
  }
}
