/**
 * The spare segment: a file of full size, ready before it is needed, because writing into blocks that exist is what makes
 * a flush fast. New ones are filled with zeros in slices, used ones are taken over as they are.
 */
import { join } from 'node:path'
import type { Disk, DiskFile } from './disk.ts'
import { newSpareName, spareName } from './layout.ts'
import { versionAt } from './record.ts'

const sliceBytes = 1024 * 1024
const zeroSlice = new Uint8Array(sliceBytes)

type State =
  | { readonly kind: 'none' }
  | { readonly kind: 'filling'; readonly file: DiskFile; readonly filledBytes: number }
  | { readonly kind: 'ready'; readonly isRecycled: boolean }

/** Fills a new file with zeros, one slice; returns how far it is then. */
export function fillSlice(file: DiskFile, filledBytes: number, sizeBytes: number): number {
  const slice = zeroSlice.subarray(0, Math.min(sliceBytes, sizeBytes - filledBytes))
  if (slice.length === 0) return filledBytes
  const count = file.write(slice, filledBytes)
  if (count !== slice.length) throw Object.assign(new Error(`short write: ${count} bytes`), { code: 'ENOSPC' })
  // Each slice is flushed at once: one flush of the whole would hold the thread for a quarter of a second.
  file.sync()
  return filledBytes + count
}

export class Spare {
  readonly #disk: Disk
  readonly #folder: string
  readonly #sizeBytes: number
  #state: State

  /** Takes over what an earlier run left in `folder`. */
  constructor(disk: Disk, folder: string, sizeBytes: number) {
    this.#disk = disk
    this.#folder = folder
    this.#sizeBytes = sizeBytes
    this.#state = this.#find()
  }

  get isReady(): boolean {
    return this.#state.kind === 'ready'
  }

  /** How much is filled, from 0 to 1. */
  get progress(): number {
    if (this.#state.kind === 'ready') return 1
    return this.#state.kind === 'none' ? 0 : this.#state.filledBytes / this.#sizeBytes
  }

  /** Bytes that filling will still take from the disk. */
  get missingBytes(): number {
    return Math.ceil((1 - this.progress) * this.#sizeBytes)
  }

  /** Fills the next slice. Whatever fails leaves no half file in the way. */
  fillSome(): void {
    if (this.#state.kind === 'ready') return
    try {
      if (this.#state.kind === 'none') {
        this.#state = { kind: 'filling', file: this.#disk.open(this.#fillingPath, 'create'), filledBytes: 0 }
      }
      const { file } = this.#state
      const filledBytes = fillSlice(file, this.#state.filledBytes, this.#sizeBytes)
      this.#state = { kind: 'filling', file, filledBytes }
      if (filledBytes < this.#sizeBytes) return
      file.close()
      this.#disk.rename(this.#fillingPath, this.#path)
      this.#disk.syncDirectory(this.#folder)
      this.#state = { kind: 'ready', isRecycled: false }
    } catch (error) {
      this.#giveUp()
      throw error
    }
  }

  /** Takes over a segment that nobody needs any more. False: there is a spare already, or the size is another. */
  recycle(path: string): boolean {
    if (this.isReady || this.#disk.stat(path)?.sizeBytes !== this.#sizeBytes) return false
    this.#giveUp()
    this.#disk.rename(path, this.#path)
    // At once: its content is overwritten soon, which must not happen to it under its old name.
    this.#disk.syncDirectory(this.#folder)
    this.#state = { kind: 'ready', isRecycled: true }
    return true
  }

  /** Opens the spare to become a segment; from then on there is none. */
  take(): { readonly file: DiskFile; readonly path: string; readonly isRecycled: boolean } {
    const isRecycled = this.#state.kind === 'ready' && this.#state.isRecycled
    const file = this.#disk.open(this.#path, 'write')
    this.#state = { kind: 'none' }
    return { file, path: this.#path, isRecycled }
  }

  /** Closes what is open. A half filled file goes. */
  close(): void {
    this.#giveUp()
  }

  get #path(): string {
    return join(this.#folder, spareName)
  }

  get #fillingPath(): string {
    return join(this.#folder, newSpareName)
  }

  #giveUp(): void {
    if (this.#state.kind !== 'filling') return
    this.#state.file.close()
    this.#state = { kind: 'none' }
    if (this.#disk.stat(this.#fillingPath) !== undefined) this.#disk.unlink(this.#fillingPath)
  }

  #find(): State {
    if (this.#disk.stat(this.#fillingPath) !== undefined) this.#disk.unlink(this.#fillingPath)
    const found = this.#disk.stat(this.#path)
    if (found === undefined) return { kind: 'none' }
    if (found.sizeBytes !== this.#sizeBytes) {
      this.#disk.unlink(this.#path)
      return { kind: 'none' }
    }
    const start = new Uint8Array(8)
    const file = this.#disk.open(this.#path, 'read')
    try {
      file.read(start, 0)
    } finally {
      file.close()
    }
    // A used one begins with the record of its former life.
    return { kind: 'ready', isRecycled: versionAt(start, 0) !== undefined || start.some((byte) => byte !== 0) }
  }
}
