/**
 * Finds a node by its directory and name: a hash table of chains through the nodes' own words, which grows by linear
 * hashing. Each insertion splits two buckets at most, so that nothing ever stops to rehash.
 */
import type { ByteString } from '../byte-string.ts'
import type { ByteSlabs } from './byte-slabs.ts'
import { field, nameLengthMask, type Slot, type SlotTable } from './slot-table.ts'

const bucketsPerChunk = 65_536
const firstBuckets = 256
/** 16 MiB of them, whatever number somebody expects. */
const expectedBucketsMax = 2 ** 22

/** Takes the next character into a hash. */
export const hashCharacter = (hash: number, character: number): number => Math.imul(hash ^ character, 0x01000193)

/** Spreads what the characters have made over all bits. */
export function endHash(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

export class NameIndex {
  readonly #slots: SlotTable
  readonly #slabs: ByteSlabs
  readonly #seed: number
  readonly #chunks: Uint32Array[] = [new Uint32Array(firstBuckets)]
  #bucketCount = firstBuckets
  /** Half of what the buckets will be when this round of splits is over. */
  #half = firstBuckets
  #count = 0

  /** @param seed unknown to clients, so that they cannot choose names that all meet in one bucket */
  constructor(slots: SlotTable, slabs: ByteSlabs, seed: number) {
    this.#slots = slots
    this.#slabs = slabs
    this.#seed = seed | 0
  }

  /**
   * Makes the buckets for so many nodes beforehand: splitting those that are empty costs next to nothing, full ones a
   * cache miss for each node.
   */
  expect(nodeCount: number): void {
    const wanted = Math.min(nodeCount * 2, expectedBucketsMax)
    while (this.#bucketCount < wanted) this.#split()
  }

  /** What a hash of a name in a directory begins with. */
  startHash(parent: Slot): number {
    return Math.imul(parent, 0x9e3779b1) ^ this.#seed
  }

  /** The hash of the name `path[start]` to `path[end - 1]` in a directory. */
  hash(parent: Slot, path: ByteString, start: number, end: number): number {
    let hash = this.startHash(parent)
    for (let at = start; at < end; at++) hash = hashCharacter(hash, path.charCodeAt(at))
    return endHash(hash)
  }

  /** The child of that name, 0 when there is none. */
  find(parent: Slot, path: ByteString, start: number, end: number, hash: number): Slot {
    const length = end - start
    const chunks = this.#slots.chunks
    let slot = this.#head(this.#bucketOf(hash))
    while (slot !== 0) {
      const chunk = chunks[slot >>> 16]
      if (chunk === undefined) return 0
      const at = (slot & 0xffff) << 4
      if (
        chunk[at | field.hash] === hash &&
        chunk[at | field.parent] === parent &&
        ((chunk[at | field.nameLengthAndFlags] ?? 0) & nameLengthMask) === length &&
        this.#slabs.equals(chunk[at | field.nameRef] ?? 0, path, start, end)
      ) {
        return slot
      }
      slot = chunk[at | field.hashNext] ?? 0
    }
    return 0
  }

  /** Takes up a node whose parent, name and hash are set. */
  add(slot: Slot): void {
    const bucket = this.#bucketOf(this.#slots.get(slot, field.hash))
    this.#slots.set(slot, field.hashNext, this.#head(bucket))
    this.#setHead(bucket, slot)
    this.#count++
    // Twice as many buckets as nodes: each node passed on the way to another is a cache miss.
    if (this.#count * 2 > this.#bucketCount) {
      this.#split()
      this.#split()
    }
  }

  remove(slot: Slot): void {
    const bucket = this.#bucketOf(this.#slots.get(slot, field.hash))
    const next = this.#slots.get(slot, field.hashNext)
    let current = this.#head(bucket)
    if (current === slot) {
      this.#setHead(bucket, next)
    } else {
      let previous = current
      while (current !== slot && current !== 0) {
        previous = current
        current = this.#slots.get(current, field.hashNext)
      }
      if (current === 0) return
      this.#slots.set(previous, field.hashNext, next)
    }
    this.#slots.set(slot, field.hashNext, 0)
    this.#count--
  }

  get sizeBytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
  }

  #bucketOf(hash: number): number {
    const bucket = (hash & (this.#half * 2 - 1)) >>> 0
    return bucket < this.#bucketCount ? bucket : (hash & (this.#half - 1)) >>> 0
  }

  #head(bucket: number): Slot {
    return this.#chunks[bucket >>> 16]?.[bucket & 0xffff] ?? 0
  }

  #setHead(bucket: number, slot: Slot): void {
    const chunk = this.#chunks[bucket >>> 16]
    if (chunk !== undefined) chunk[bucket & 0xffff] = slot
  }

  /** The next bucket in turn gives about half of its nodes to a new last one. */
  #split(): void {
    const added = this.#bucketCount
    const from = added - this.#half
    this.#makeRoom(added)
    this.#bucketCount = added + 1
    let slot = this.#head(from)
    let kept = 0
    let moved = 0
    while (slot !== 0) {
      const next = this.#slots.get(slot, field.hashNext)
      if ((this.#slots.get(slot, field.hash) & (this.#half * 2 - 1)) >>> 0 === added) {
        this.#slots.set(slot, field.hashNext, moved)
        moved = slot
      } else {
        this.#slots.set(slot, field.hashNext, kept)
        kept = slot
      }
      slot = next
    }
    this.#setHead(from, kept)
    this.#setHead(added, moved)
    if (this.#bucketCount === this.#half * 2) this.#half *= 2
  }

  #makeRoom(bucket: number): void {
    const index = bucket >>> 16
    const chunk = this.#chunks[index]
    if (chunk === undefined) {
      this.#chunks.push(new Uint32Array(bucketsPerChunk))
    } else if ((bucket & 0xffff) >= chunk.length) {
      const larger = new Uint32Array(chunk.length * 4)
      larger.set(chunk)
      this.#chunks[index] = larger
    }
  }
}
