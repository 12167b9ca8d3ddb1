/** One piece of memory for packets and for the kernel's structures that point into it: given out once, used for ever. */
import { vectorBytes } from './system.ts'

export class Arena {
  readonly view: DataView
  /** The address of the first byte. */
  readonly base: number
  #used = 0

  constructor(bytes: Uint8Array, base: number) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.base = base
  }

  /** An offset at a multiple of 64 bytes. */
  take(bytes: number): number {
    const at = this.#used
    this.#used += (bytes + 63) & ~63
    if (this.#used > this.view.byteLength) throw new RangeError(`the arena has ${this.view.byteLength} bytes`)
    return at
  }

  /** Writes an address as the kernel reads pointers. */
  setPointer(at: number, address: number): void {
    this.view.setUint32(at, address, true)
    this.view.setUint32(at + 4, Math.floor(address / 0x100000000), true)
  }

  /** Writes a `struct iovec` for bytes of this arena. */
  setVector(at: number, offset: number, bytes: number): void {
    this.setPointer(at, this.base + offset)
    this.view.setUint32(at + 8, bytes, true)
  }

  vectorLength(at: number): number {
    return this.view.getUint32(at + 8, true)
  }
}

/** The vectors of one kernel structure. */
export const vectorAt = (start: number, index: number): number => start + index * vectorBytes
