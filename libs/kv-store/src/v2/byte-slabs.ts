/**
 * Names and values as bytes in slabs of 64 MiB, cut into pages of 64 KiB. A page holds cells of one size; a page whose
 * last cell is given back returns to the pool and may serve another size. Larger values take a chain of whole pages.
 */
import type { ByteString } from '../byte-string.ts'
import { KvStoreError } from '../errors.ts'
import type { Latin1Codec } from '../latin1.ts'

/** Where bytes are, in units of 16 bytes from the start of the first slab: 20 bits of page, 12 within it. 0: no bytes. */
export type ByteRef = number

const pageBytes = 65_536
const pagesPerSlab = 1024
const firstSlabPages = 16
const pagesMax = 2 ** 20
const cellBytesMax = 32_768

/** Words of a page: its cells are named by the units at which they begin. */
const page = { cellUnits: 0, used: 1, freeCell: 2, untouched: 3, next: 4, previous: 5 } as const
const wordsPerPage = 8
const unitsPerPage = pageBytes / 16
const noCell = 0xffff
/** Shorter texts are written faster than a native function is called. */
const copiedByHandMax = 20

/** Steps of 16 bytes up to 512, then four steps to each doubling: less than a fifth is lost. */
const cellSizes: readonly number[] = (() => {
  const sizes: number[] = []
  for (let size = 16; size <= 512; size += 16) sizes.push(size)
  for (let base = 512; base < cellBytesMax; base *= 2) {
    for (let step = 1; step <= 4; step++) sizes.push(base + (base / 4) * step)
  }
  return sizes
})()

/** Class of a length, by its count of 16-byte units. */
const classOfUnits = (() => {
  const classes = new Uint8Array(cellBytesMax / 16 + 1)
  let current = 0
  for (let units = 0; units < classes.length; units++) {
    while ((cellSizes[current] ?? 0) < units * 16) current++
    classes[units] = current
  }
  return classes
})()

const cellsOf = (cellUnits: number): number => Math.floor(unitsPerPage / cellUnits)

const classOf = (length: number): number => classOfUnits[(length + 15) >>> 4] ?? 0

export class ByteSlabs {
  readonly #codec: Latin1Codec
  readonly #slabs: Uint8Array[] = [new Uint8Array(firstSlabPages * pageBytes)]
  readonly #slabWords: Uint32Array[] = []
  readonly #pages: Uint32Array[] = [new Uint32Array(pagesPerSlab * wordsPerPage)]
  /** First page of each class that has a free cell; 0: none. Page 0 is never used, so that no reference is 0. */
  readonly #open = new Uint32Array(cellSizes.length)
  #capacity = firstSlabPages
  #untouched = 1
  #freePages = 0

  constructor(codec: Latin1Codec) {
    this.#codec = codec
    this.#mapWords(0)
  }

  /** Room for so many bytes; 0 for none. */
  allocate(length: number): ByteRef {
    if (length === 0) return 0
    if (length > cellBytesMax) return this.#allocatePages(length)
    const sizeClass = classOf(length)
    const number = this.#open[sizeClass] || this.#openPage(sizeClass)
    const words = this.#wordsOf(number)
    const at = (number % pagesPerSlab) * wordsPerPage
    const cellUnits = words[at + page.cellUnits] ?? 0
    let cell = words[at + page.freeCell] ?? noCell
    if (cell === noCell) {
      cell = words[at + page.untouched] ?? 0
      words[at + page.untouched] = cell + cellUnits
    } else {
      const bytes = this.#slabOf(number)
      const offset = this.#offsetOf(number) + cell * 16
      words[at + page.freeCell] = (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8)
    }
    const used = (words[at + page.used] ?? 0) + 1
    words[at + page.used] = used
    if (used === cellsOf(cellUnits)) this.#unlink(number, sizeClass)
    return ((number << 12) | cell) >>> 0
  }

  /** Gives back what `allocate` gave for the same length. */
  free(ref: ByteRef, length: number): void {
    if (length === 0) return
    if (length > cellBytesMax) {
      this.#freeChain(ref >>> 12)
      return
    }
    const sizeClass = classOf(length)
    const number = ref >>> 12
    const cell = ref & 0xfff
    const words = this.#wordsOf(number)
    const at = (number % pagesPerSlab) * wordsPerPage
    const bytes = this.#slabOf(number)
    const offset = this.#offsetOf(number) + cell * 16
    const freeCell = words[at + page.freeCell] ?? noCell
    bytes[offset] = freeCell & 0xff
    bytes[offset + 1] = freeCell >>> 8
    words[at + page.freeCell] = cell
    const used = (words[at + page.used] ?? 0) - 1
    words[at + page.used] = used
    if (used === cellsOf(words[at + page.cellUnits] ?? 1) - 1) this.#link(number, sizeClass)
    // The only open page of its class stays: a store that sets and deletes one key must not go to the pool each time.
    if (used === 0 && (this.#open[sizeClass] !== number || words[at + page.next] !== 0)) {
      this.#unlink(number, sizeClass)
      this.#returnPage(number)
    }
  }

  /** Whether bytes of one length may be written where those of the other were. */
  isSameCell(lengthA: number, lengthB: number): boolean {
    if (lengthA === 0 || lengthB === 0 || lengthA > cellBytesMax || lengthB > cellBytesMax) return false
    return classOf(lengthA) === classOf(lengthB)
  }

  write(ref: ByteRef, text: ByteString): void {
    const number = ref >>> 12
    if (text.length <= cellBytesMax) {
      const bytes = this.#slabOf(number)
      const address = addressOf(ref)
      if (text.length > copiedByHandMax) this.#codec.latin1Write(bytes, text, address)
      else for (let i = 0; i < text.length; i++) bytes[address + i] = text.charCodeAt(i)
      return
    }
    let current = number
    for (let at = 0; at < text.length; at += pageBytes) {
      this.#codec.latin1Write(this.#slabOf(current), text.slice(at, at + pageBytes), this.#offsetOf(current))
      current = this.#nextOf(current)
    }
  }

  read(ref: ByteRef, length: number): ByteString {
    if (length === 0) return ''
    if (length <= cellBytesMax) {
      const address = addressOf(ref)
      return this.#codec.latin1Slice(this.#slabOf(ref >>> 12), address, address + length)
    }
    let text = ''
    let current = ref >>> 12
    for (let left = length; left > 0; left -= pageBytes) {
      const offset = this.#offsetOf(current)
      text += this.#codec.latin1Slice(this.#slabOf(current), offset, offset + Math.min(left, pageBytes))
      current = this.#nextOf(current)
    }
    return text
  }

  /** Copies bytes `from` to `to` of a value of the given length. */
  copy(ref: ByteRef, length: number, from: number, to: number, target: Uint8Array, at: number): void {
    if (length <= cellBytesMax) {
      const address = addressOf(ref)
      target.set(this.#slabOf(ref >>> 12).subarray(address + from, address + to), at)
      return
    }
    let current = ref >>> 12
    for (let start = 0; start < to; start += pageBytes) {
      const first = Math.max(from, start)
      const end = Math.min(to, start + pageBytes)
      if (first < end) {
        const offset = this.#offsetOf(current) - start
        target.set(this.#slabOf(current).subarray(offset + first, offset + end), at + first - from)
      }
      current = this.#nextOf(current)
    }
  }

  /**
   * Whether bytes stand in JSON as they are, four at a time: twice as fast as a regular expression. May say no of
   * those of which it is true, never yes of others.
   */
  isPlain(ref: ByteRef, length: number): boolean {
    if (length > cellBytesMax) return false
    const words = this.#slabWords[ref >>> 22] ?? noWords
    const start = (ref & 0x3f_ffff) << 2
    const whole = length >>> 2
    let found = 0
    for (let at = start; at < start + whole; at++) found |= unplainBytes(words[at] ?? 0)
    // What follows in the last word is of another time: spaces instead.
    const bytes = this.#slabs[ref >>> 22] ?? noBytes
    const address = addressOf(ref)
    for (let at = whole * 4; at < length; at++) found |= unplainBytes(0x20202000 | (bytes[address + at] ?? 0))
    return (found & 0x80808080) === 0
  }

  /** Whether these bytes are `text[start]` to `text[end - 1]`. Their length is known to be the same. */
  equals(ref: ByteRef, text: ByteString, start: number, end: number): boolean {
    if (end - start > cellBytesMax) return this.read(ref, end - start) === text.slice(start, end)
    const bytes = this.#slabs[ref >>> 22] ?? noBytes
    let address = addressOf(ref)
    for (let at = start; at < end; at++) if (bytes[address++] !== text.charCodeAt(at)) return false
    return true
  }

  get sizeBytes(): number {
    return this.#capacity * pageBytes
  }

  #slabOf(number: number): Uint8Array {
    return this.#slabs[number >>> 10] ?? noBytes
  }

  #wordsOf(number: number): Uint32Array {
    return this.#pages[number >>> 10] ?? noWords
  }

  #offsetOf(number: number): number {
    return (number % pagesPerSlab) * pageBytes
  }

  #nextOf(number: number): number {
    return this.#wordsOf(number)[(number % pagesPerSlab) * wordsPerPage + page.next] ?? 0
  }

  #setWord(number: number, word: number, value: number): void {
    this.#wordsOf(number)[(number % pagesPerSlab) * wordsPerPage + word] = value
  }

  #openPage(sizeClass: number): number {
    const number = this.#takePage()
    this.#setWord(number, page.cellUnits, (cellSizes[sizeClass] ?? 16) / 16)
    this.#setWord(number, page.used, 0)
    this.#setWord(number, page.freeCell, noCell)
    this.#setWord(number, page.untouched, 0)
    this.#link(number, sizeClass)
    return number
  }

  #link(number: number, sizeClass: number): void {
    const first = this.#open[sizeClass] ?? 0
    this.#setWord(number, page.next, first)
    this.#setWord(number, page.previous, 0)
    if (first !== 0) this.#setWord(first, page.previous, number)
    this.#open[sizeClass] = number
  }

  #unlink(number: number, sizeClass: number): void {
    const words = this.#wordsOf(number)
    const at = (number % pagesPerSlab) * wordsPerPage
    const next = words[at + page.next] ?? 0
    const previous = words[at + page.previous] ?? 0
    if (next !== 0) this.#setWord(next, page.previous, previous)
    if (previous !== 0) this.#setWord(previous, page.next, next)
    else this.#open[sizeClass] = next
  }

  #takePage(): number {
    const free = this.#freePages
    if (free !== 0) {
      this.#freePages = this.#nextOf(free)
      return free
    }
    if (this.#untouched === this.#capacity) this.#grow()
    return this.#untouched++
  }

  #returnPage(number: number): void {
    this.#setWord(number, page.next, this.#freePages)
    this.#freePages = number
  }

  #allocatePages(length: number): ByteRef {
    let first = 0
    for (let left = length; left > 0; left -= pageBytes) {
      const number = this.#takePage()
      this.#setWord(number, page.next, first)
      first = number
    }
    return (first << 12) >>> 0
  }

  #freeChain(first: number): void {
    let current = first
    while (current !== 0) {
      const next = this.#nextOf(current)
      this.#returnPage(current)
      current = next
    }
  }

  #grow(): void {
    const first = this.#slabs[0]
    if (first !== undefined && this.#capacity < pagesPerSlab) {
      // Small stores stay small: only the first slab grows, at most 16 MiB are copied.
      const larger = new Uint8Array(first.length * 4)
      larger.set(first)
      this.#slabs[0] = larger
      this.#mapWords(0)
      this.#capacity *= 4
      return
    }
    if (this.#capacity === pagesMax) {
      throw new KvStoreError('kv-store/full', 'names and values fill 64 GiB, which is as much as the store can hold', {
        hint: 'remove keys that are no longer needed',
      })
    }
    this.#slabs.push(new Uint8Array(pagesPerSlab * pageBytes))
    this.#pages.push(new Uint32Array(pagesPerSlab * wordsPerPage))
    this.#mapWords(this.#slabs.length - 1)
    this.#capacity += pagesPerSlab
  }

  #mapWords(index: number): void {
    const slab = this.#slabs[index]
    if (slab !== undefined) this.#slabWords[index] = new Uint32Array(slab.buffer)
  }
}

/**
 * Sets the top bit of a byte that is beyond ASCII, below space, or one of `" & < > \\` (of each pair that differs in one
 * bit, that bit is set first). A borrow may set that of the byte above a found one too.
 */
function unplainBytes(word: number): number {
  const quoteOrAmpersand = (word | 0x04040404) ^ 0x26262626
  const lessOrGreater = (word | 0x02020202) ^ 0x3e3e3e3e
  const backslash = word ^ 0x5c5c5c5c
  return (
    word |
    ((word - 0x20202020) & ~word) |
    ((quoteOrAmpersand - 0x01010101) & ~quoteOrAmpersand) |
    ((lessOrGreater - 0x01010101) & ~lessOrGreater) |
    ((backslash - 0x01010101) & ~backslash)
  )
}

/** Where in its slab something is. */
const addressOf = (ref: ByteRef): number => (ref & 0x3f_ffff) << 4

const noBytes = new Uint8Array(0)
const noWords = new Uint32Array(0)
