/** Whole numbers in as few bytes as they need: seven bits a byte, lowest first, the top bit says that more follow. */

/** Bytes of the longest: 53 bits. */
export const varintBytesMax = 8

/** Writes a number from 0 to 2⁵³ − 1; returns the place after it. */
export function writeVarint(bytes: Uint8Array, value: number, at: number): number {
  let left = value
  let end = at
  while (left >= 0x8000_0000) {
    bytes[end++] = (left % 0x80) | 0x80
    left = Math.floor(left / 0x80)
  }
  while (left >= 0x80) {
    bytes[end++] = (left & 0x7f) | 0x80
    left >>>= 7
  }
  bytes[end++] = left
  return end
}

/** Reads bytes from front to back. Whoever reads past the end, or a number too large, is told by `isBroken`. */
export class ByteReader {
  readonly bytes: Uint8Array
  at: number
  isBroken = false
  readonly #view: DataView

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  byte(): number {
    const byte = this.bytes[this.at++]
    if (byte === undefined) this.isBroken = true
    return byte ?? 0
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < varintBytesMax; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) this.isBroken = true
        return value
      }
      scale *= 0x80
    }
    this.isBroken = true
    return 0
  }

  float(): number {
    if (this.left < 8) {
      this.isBroken = true
      return 0
    }
    const value = this.#view.getFloat64(this.at, true)
    this.at += 8
    return value
  }

  /** Passes over so many bytes; returns where they begin. */
  skip(count: number): number {
    const start = this.at
    if (count > this.left) this.isBroken = true
    else this.at += count
    return start
  }
}
