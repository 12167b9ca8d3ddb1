/**
 * What travels in the rings, kind by kind, and the way of what is larger than a record may be: in pieces, through the
 * same ring and in its place in the order, put together again at the other end.
 */
import { assert } from '@cluster/prelude'
import type { RingReader, RingWriter } from './ring.ts'

/**
 * Kinds of records, with their content. Numbers are little endian; `text` is JSON as UTF-8.
 *
 * | Kind | Way | Content |
 * |---|---|---|
 * | `proposal` | store → consensus | the data of an entry to be |
 * | `release` | store → consensus → log | text: a snapshot is durable |
 * | `close` | store → consensus → log → consensus → store | nothing |
 * | `entry` | all but store → consensus | index (8, float), term (8, float), kind (8, float), data |
 * | `hardState` | consensus → log | text |
 * | `opened` | log → consensus → store | text: what the log found at opening |
 * | `recovered` | log → consensus → store | nothing: all entries of the log have passed |
 * | `role` | consensus → store | text: who leads |
 * | `ownRun` | consensus → store | first index (8, float), term (8, float), first number (4), count (4) |
 */
export const recordKind = {
  proposal: 1,
  release: 2,
  close: 3,
  entry: 4,
  hardState: 5,
  opened: 6,
  recovered: 7,
  role: 8,
  ownRun: 9,
} as const

/** The flag of a piece that others follow. */
const moreFlag = 1

/** Index, term and kind before the data of an entry. */
export const entryHeadBytes = 24
export const ownRunBytes = 24

/**
 * Writes whole messages into a ring: small ones as one record, large ones in pieces as room comes. One at a time: while
 * `isBusy`, call `resume` when there is room again.
 */
export class MessageSender {
  readonly #writer: RingWriter
  #rest: Uint8Array | undefined
  #restKind = 0
  #restAt = 0

  constructor(writer: RingWriter) {
    this.#writer = writer
  }

  /** Whether a message is half sent. */
  get isBusy(): boolean {
    return this.#rest !== undefined
  }

  /** False: the ring is full and nothing was sent. The message is kept by reference until it is out. */
  send(kind: number, message: Uint8Array): boolean {
    assert(this.#rest === undefined, 'one message at a time')
    if (message.length > this.#writer.recordSizeBytesMax) {
      this.#rest = message
      this.#restKind = kind
      this.#restAt = 0
      this.resume()
      return true
    }
    const offset = this.#reserve(message.length)
    if (offset === -1) return false
    this.#writer.bytes.set(message, offset)
    this.#writer.commit(message.length, kind, 0)
    return true
  }

  /** An entry, without a copy in between when it fits. False as `send`. */
  sendEntry(index: number, term: number, kind: number, data: Uint8Array): boolean {
    const sizeBytes = entryHeadBytes + data.length
    if (sizeBytes > this.#writer.recordSizeBytesMax) {
      const message = new Uint8Array(sizeBytes)
      writeEntryHead(new DataView(message.buffer), 0, index, term, kind)
      message.set(data, entryHeadBytes)
      return this.send(recordKind.entry, message)
    }
    assert(this.#rest === undefined, 'one message at a time')
    const offset = this.#reserve(sizeBytes)
    if (offset === -1) return false
    writeEntryHead(this.#writer.view, offset, index, term, kind)
    this.#writer.bytes.set(data, offset + entryHeadBytes)
    this.#writer.commit(sizeBytes, recordKind.entry, 0)
    return true
  }

  /** Own proposals that were committed in a row: they go back as numbers. False as `send`. */
  sendOwnRun(firstIndex: number, term: number, firstNumber: number, count: number): boolean {
    assert(this.#rest === undefined, 'one message at a time')
    const offset = this.#reserve(ownRunBytes)
    if (offset === -1) return false
    const { view } = this.#writer
    view.setFloat64(offset, firstIndex, true)
    view.setFloat64(offset + 8, term, true)
    view.setUint32(offset + 16, firstNumber, true)
    view.setUint32(offset + 20, count, true)
    this.#writer.commit(ownRunBytes, recordKind.ownRun, 0)
    return true
  }

  /** What waits unseen would never be given back: no room means that the consumer must see what there is. */
  #reserve(sizeBytes: number): number {
    const offset = this.#writer.reserve(sizeBytes)
    if (offset === -1) this.#writer.publish()
    return offset
  }

  /** Sends what it can of a half-sent message; true when nothing is left of it. */
  resume(): boolean {
    const rest = this.#rest
    if (rest === undefined) return true
    const pieceBytesMax = this.#writer.recordSizeBytesMax
    while (this.#restAt < rest.length) {
      const piece = rest.subarray(this.#restAt, this.#restAt + pieceBytesMax)
      const offset = this.#reserve(piece.length)
      if (offset === -1) return false
      this.#writer.bytes.set(piece, offset)
      this.#restAt += piece.length
      this.#writer.commit(piece.length, this.#restKind, this.#restAt < rest.length ? moreFlag : 0)
    }
    this.#rest = undefined
    return true
  }

  publish(): void {
    this.#writer.publish()
  }
}

/** Reads whole messages from a ring: in place when they are one record, from a copy when they came in pieces. */
export class MessageReceiver {
  readonly reader: RingReader
  /** Of the message that `next` found. */
  kind = 0
  bytes: Uint8Array
  view: DataView
  offset = 0
  sizeBytes = 0
  #pieces: Uint8Array[] = []

  constructor(reader: RingReader) {
    this.reader = reader
    this.bytes = reader.bytes
    this.view = reader.view
  }

  /**
   * Goes on to the next whole message; false: there is none yet. Pieces are copied, so whoever keeps the ring's records
   * back must release up to `reader.position` when false is returned and nothing before it is in use.
   */
  next(): boolean {
    const { reader } = this
    while (reader.next()) {
      if (reader.flags === 0 && this.#pieces.length === 0) {
        this.kind = reader.kind
        this.bytes = reader.bytes
        this.view = reader.view
        this.offset = reader.offset
        this.sizeBytes = reader.sizeBytes
        return true
      }
      this.#pieces.push(reader.record().slice())
      if ((reader.flags & moreFlag) === 0) {
        this.#join(reader.kind)
        return true
      }
    }
    return false
  }

  #join(kind: number): void {
    const sizeBytes = this.#pieces.reduce((sum, piece) => sum + piece.length, 0)
    const whole = new Uint8Array(sizeBytes)
    let at = 0
    for (const piece of this.#pieces) {
      whole.set(piece, at)
      at += piece.length
    }
    this.#pieces = []
    this.kind = kind
    this.bytes = whole
    this.view = new DataView(whole.buffer)
    this.offset = 0
    this.sizeBytes = sizeBytes
  }

  /** The content from `from` bytes on, in place. */
  content(from = 0): Uint8Array {
    return this.bytes.subarray(this.offset + from, this.offset + this.sizeBytes)
  }
}

function writeEntryHead(view: DataView, offset: number, index: number, term: number, kind: number): void {
  view.setFloat64(offset, index, true)
  view.setFloat64(offset + 8, term, true)
  view.setFloat64(offset + 16, kind, true)
}

const toUtf8 = new TextEncoder()
const fromUtf8 = new TextDecoder()

/** A small value as the content of a record. */
export const encodeText = (value: unknown): Uint8Array => toUtf8.encode(JSON.stringify(value))

/** The counterpart of `encodeText`. Both ends are this program: what comes is trusted to be what was sent. */
export function decodeText<T>(content: Uint8Array): T {
  // A decoder takes no shared memory.
  return JSON.parse(fromUtf8.decode(content.slice()))
}
