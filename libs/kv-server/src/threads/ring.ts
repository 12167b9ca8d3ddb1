/**
 * A queue of byte records between two threads (or two parts of one): one producer, one consumer, no lock. Records lie
 * in one block of memory in the order they were written and never wrap around its end, so that each can be read in
 * place. Positions are byte counts modulo 2^32.
 */
import { assert } from '@cluster/prelude'
import type { Wake } from './wake.ts'

/** The memory of one ring: a head of control words, then the records. Shared between threads or not. */
export type RingMemory = ArrayBuffer | SharedArrayBuffer

// Each word has a cache line of its own: the two sides write at the same time.
const publishedWord = 0
const freedWord = 16
const producerWaitsWord = 32
const controlBytes = 256

/** Before each record: its length (4 bytes), its kind (1), flags (1), two bytes of nothing. Records are padded to 8. */
const headBytes = 8
/** The kind that fills the rest of the memory when the next record does not fit before its end. */
const skipKind = 0

const padded = (sizeBytes: number): number => (sizeBytes + 7) & ~7

/**
 * Memory for a ring of the given capacity.
 *
 * @param capacityBytes a power of two from 4 KiB to 1 GiB
 */
export function createRingMemory(capacityBytes: number, kind: 'shared' | 'local'): RingMemory {
  assert(
    capacityBytes >= 4096 && capacityBytes <= 2 ** 30 && (capacityBytes & (capacityBytes - 1)) === 0,
    `a ring holds a power of two from 4096 to ${2 ** 30} bytes, found ${capacityBytes}`,
  )
  const sizeBytes = controlBytes + capacityBytes
  return kind === 'shared' ? new SharedArrayBuffer(sizeBytes) : new ArrayBuffer(sizeBytes)
}

/** The side that writes. `consumer` is who sleeps at the other end. */
export class RingWriter {
  /** The whole memory of records: what `reserve` gives is an offset into it. */
  readonly bytes: Uint8Array
  readonly view: DataView
  /** What one record may hold: a quarter of the ring, so that each fits in some time, wherever the last one ended. */
  readonly recordSizeBytesMax: number
  readonly #control: Int32Array
  readonly #capacity: number
  readonly #consumer: Wake
  #position = 0
  #published = 0
  #freed = 0
  #isWaiting = false

  constructor(memory: RingMemory, consumer: Wake) {
    this.#control = new Int32Array(memory, 0, controlBytes / 4)
    this.bytes = new Uint8Array(memory, controlBytes)
    this.view = new DataView(memory, controlBytes)
    this.#capacity = this.bytes.length
    this.recordSizeBytesMax = this.#capacity / 4 - headBytes
    this.#consumer = consumer
  }

  /**
   * Room for one record of at most `sizeBytes`.
   *
   * @returns its offset, or -1 when the ring is full: the producer's wake is then called when there is room again
   */
  reserve(sizeBytes: number): number {
    const needed = headBytes + padded(sizeBytes)
    const at = this.#position & (this.#capacity - 1)
    const untilEnd = this.#capacity - at
    const total = needed > untilEnd ? untilEnd + needed : needed
    this.#isWaiting = false
    if (!this.#hasRoom(total)) return -1
    if (needed <= untilEnd) return at + headBytes
    this.view.setUint32(at, untilEnd - headBytes, true)
    this.view.setUint32(at + 4, skipKind, true)
    this.#position = (this.#position + untilEnd) | 0
    return headBytes
  }

  #hasRoom(total: number): boolean {
    const limit = this.#capacity - total
    if (((this.#position - this.#freed) | 0) <= limit) return true
    this.#freed = Atomics.load(this.#control, freedWord)
    if (((this.#position - this.#freed) | 0) <= limit) return true
    // Say that we wait, then look again: the consumer looks the other way round.
    Atomics.store(this.#control, producerWaitsWord, 1)
    this.#isWaiting = true
    this.#freed = Atomics.load(this.#control, freedWord)
    if (((this.#position - this.#freed) | 0) > limit) return false
    Atomics.store(this.#control, producerWaitsWord, 0)
    this.#isWaiting = false
    return true
  }

  /** Whether something was given back since `reserve` found no room: a look that belongs before going to sleep. */
  hasRoomAgain(): boolean {
    return this.#isWaiting && Atomics.load(this.#control, producerWaitsWord) === 0
  }

  /** Ends the record begun by `reserve`, with its true size. The consumer sees it after `publish`. */
  commit(sizeBytes: number, kind: number, flags: number): void {
    const at = this.#position & (this.#capacity - 1)
    this.view.setUint32(at, sizeBytes, true)
    this.view.setUint32(at + 4, kind | (flags << 8), true)
    this.#position = (this.#position + headBytes + padded(sizeBytes)) | 0
  }

  /** Shows the consumer all that was committed and wakes it if it sleeps. Nothing new: nothing happens. */
  publish(): void {
    if (this.#published === this.#position) return
    this.#published = this.#position
    Atomics.store(this.#control, publishedWord, this.#position)
    this.#consumer.signal()
  }
}

/** The side that reads. `producer` is who may wait for room at the other end. */
export class RingReader {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Of the record that `next` found: kind, flags, where it begins in `bytes`, how long it is. */
  kind = 0
  flags = 0
  offset = 0
  sizeBytes = 0
  readonly #control: Int32Array
  readonly #mask: number
  readonly #producer: Wake
  #position = 0
  #published = 0
  #freed = 0

  constructor(memory: RingMemory, producer: Wake) {
    this.#control = new Int32Array(memory, 0, controlBytes / 4)
    this.bytes = new Uint8Array(memory, controlBytes)
    this.view = new DataView(memory, controlBytes)
    this.#mask = this.bytes.length - 1
    this.#producer = producer
  }

  /** Goes on to the next record; false: there is none yet. It stays readable until it is released. */
  next(): boolean {
    for (;;) {
      if (this.#position === this.#published) {
        this.#published = Atomics.load(this.#control, publishedWord)
        if (this.#position === this.#published) return false
      }
      const at = this.#position & this.#mask
      const sizeBytes = this.view.getUint32(at, true)
      const word = this.view.getUint32(at + 4, true)
      this.#position = (this.#position + headBytes + padded(sizeBytes)) | 0
      if ((word & 0xff) === skipKind) continue
      this.kind = word & 0xff
      this.flags = (word >>> 8) & 0xff
      this.offset = at + headBytes
      this.sizeBytes = sizeBytes
      return true
    }
  }

  /** The bytes of the record that `next` found, in place. */
  record(): Uint8Array {
    return this.bytes.subarray(this.offset, this.offset + this.sizeBytes)
  }

  /** Whether there is something to read; the look that belongs before going to sleep. */
  hasNext(): boolean {
    return this.#position !== Atomics.load(this.#control, publishedWord)
  }

  /** Just after the record that `next` found last: what `release` takes. */
  get position(): number {
    return this.#position
  }

  /** Gives back everything before a position; the records there must not be looked at any more. */
  release(position: number): void {
    if (position === this.#freed) return
    this.#freed = position
    Atomics.store(this.#control, freedWord, position)
    if (Atomics.load(this.#control, producerWaitsWord) === 0) return
    if (Atomics.compareExchange(this.#control, producerWaitsWord, 1, 0) === 1) this.#producer.signal()
  }
}
