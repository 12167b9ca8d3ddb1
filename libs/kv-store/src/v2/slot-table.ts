/**
 * The numbers of all nodes: sixteen 32-bit words a node, which is one cache line, in chunks of 65,536 nodes. No object
 * exists per node, so the garbage collector has nothing to look at, and growing never copies more than the first chunk.
 */
import { KvStoreError } from '../errors.ts'

/** A node by its place in the table; 0 is no node. */
export type Slot = number

/** Words of a node. Some have another meaning for directories, removed nodes and saved versions. */
export const field = {
  /** The directory it is in. Saved version: the node it is a version of. */
  parent: 0,
  /** Siblings, in the order in which they were added. */
  next: 1,
  previous: 2,
  /** Next node of the same bucket in the name index. Removed node, saved version: next one in the graveyard. Free: next free. */
  hashNext: 3,
  /** Hash of (parent, name). Removed node: epoch of its removal. Saved version: words 4 and 5 are its deadline, a float64. */
  hash: 4,
  nameRef: 5,
  /** 24 bits of length of the name, 8 bits of flags. */
  nameLengthAndFlags: 6,
  valueRef: 7,
  firstChild: 7,
  valueLength: 8,
  lastChild: 8,
  createdLow: 9,
  modifiedLow: 10,
  /** A directory's modifiedIndex is its createdIndex, always; the word counts what is below it, at any depth. */
  descendantCount: 10,
  /** 16 high bits each of createdIndex and modifiedIndex. */
  indexHigh: 11,
  /** Epoch in which it was added. Saved version: the last epoch that it was current in. */
  born: 12,
  /** Its newest saved version. Saved version: the next older one. */
  version: 13,
  /** Place in the TTL queue; 0: never ends. */
  ttlPlace: 14,
  childCount: 15,
} as const

/** Bits of the flags in `nameLengthAndFlags`. */
export const flag = {
  isDirectory: 1 << 24,
  isRemoved: 1 << 25,
  isVersion: 1 << 26,
  /** The name begins with `_`. */
  isHidden: 1 << 27,
  /** The name, the value need no escaping in JSON. */
  isNamePlain: 1 << 28,
  isValuePlain: 1 << 29,
} as const

/** The length of the name in `nameLengthAndFlags`. */
export const nameLengthMask = 0xff_ffff

const slotsPerChunk = 65_536
const firstChunkSlots = 1024

export class SlotTable {
  /** For hot loops: word `w` of node `s` is `chunks[s >>> 16][(s & 0xffff) << 4 | w]`. */
  readonly chunks: Uint32Array[] = [new Uint32Array(firstChunkSlots * 16)]
  readonly #floats: Float64Array[] = []
  #capacity = firstChunkSlots
  #used = 1
  #free: Slot = 0

  constructor() {
    this.#mapFloats(0)
  }

  get(slot: Slot, word: number): number {
    const chunk = this.chunks[slot >>> 16]
    return chunk === undefined ? 0 : (chunk[((slot & 0xffff) << 4) | word] ?? 0)
  }

  set(slot: Slot, word: number, value: number): void {
    const chunk = this.chunks[slot >>> 16]
    if (chunk !== undefined) chunk[((slot & 0xffff) << 4) | word] = value
  }

  /** The float64 in two neighbouring words, the first of which is even. */
  getFloat(slot: Slot, word: number): number {
    return this.#floats[slot >>> 16]?.[((slot & 0xffff) << 3) | (word >>> 1)] ?? 0
  }

  setFloat(slot: Slot, word: number, value: number): void {
    const floats = this.#floats[slot >>> 16]
    if (floats !== undefined) floats[((slot & 0xffff) << 3) | (word >>> 1)] = value
  }

  /** A slot whose words are all 0. */
  allocate(): Slot {
    const free = this.#free
    if (free !== 0) {
      this.#free = this.get(free, field.hashNext)
      this.set(free, field.hashNext, 0)
      return free
    }
    if (this.#used === this.#capacity) this.#grow()
    return this.#used++
  }

  release(slot: Slot): void {
    const at = (slot & 0xffff) << 4
    this.chunks[slot >>> 16]?.fill(0, at, at + 16)
    this.set(slot, field.hashNext, this.#free)
    this.#free = slot
  }

  get sizeBytes(): number {
    return this.#capacity * 64
  }

  #grow(): void {
    const first = this.chunks[0]
    if (first !== undefined && this.#capacity < slotsPerChunk) {
      // Small stores stay small: only this chunk grows, and only up to 4 MiB.
      const larger = new Uint32Array(first.length * 8)
      larger.set(first)
      this.chunks[0] = larger
      this.#mapFloats(0)
      this.#capacity *= 8
      return
    }
    if (this.chunks.length === slotsPerChunk) {
      throw new KvStoreError('kv-store/full', 'the store holds 2³² nodes, which is as many as it can', {
        hint: 'remove keys that are no longer needed',
      })
    }
    this.chunks.push(new Uint32Array(slotsPerChunk * 16))
    this.#mapFloats(this.chunks.length - 1)
    this.#capacity += slotsPerChunk
  }

  #mapFloats(index: number): void {
    const chunk = this.chunks[index]
    if (chunk !== undefined) this.#floats[index] = new Float64Array(chunk.buffer)
  }
}
