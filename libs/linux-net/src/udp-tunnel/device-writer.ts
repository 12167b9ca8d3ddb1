/** From packets to the device: packets that continue each other are gathered and written as one bundle. */
import { type Arena, vectorAt } from './arena.ts'
import { Bundle, bundlePacketsMax } from './bundle.ts'
import type { CounterBlock } from './counters.ts'
import { totalBytesOf } from './ip-packet.ts'
import { offloadBytes } from './offload.ts'
import { EAGAIN, EINTR, EINVAL, pollBytes, pollOut, type System } from './system.ts'

const waitsMax = 4
const waitMs = 1

export class DeviceWriter {
  readonly #system: System
  readonly #arena: Arena
  readonly #counters: CounterBlock
  readonly #device: number
  readonly #isBundling: boolean
  readonly #bundle: Bundle
  readonly #vectorsAt: number
  readonly #plainAt: number
  readonly #headerAt: number
  readonly #pollAt: number
  readonly #packets = new Float64Array(bundlePacketsMax)
  #waits = 0

  constructor(
    system: System,
    arena: Arena,
    counters: CounterBlock,
    device: number,
    bundling: { readonly isTcp: boolean; readonly isUdp: boolean },
  ) {
    this.#system = system
    this.#arena = arena
    this.#counters = counters
    this.#device = device
    this.#isBundling = bundling.isTcp
    this.#bundle = new Bundle(arena.view, bundling.isUdp)
    this.#vectorsAt = arena.take((bundlePacketsMax + 2) * 16)
    this.#plainAt = arena.take(offloadBytes)
    this.#headerAt = arena.take(offloadBytes + 128)
    this.#pollAt = arena.take(pollBytes)
    arena.view.setInt32(this.#pollAt, device, true)
    arena.view.setUint16(this.#pollAt + 4, pollOut, true)
  }

  /** Adds a whole packet, which must stay where it is until `flush`. */
  add(at: number): void {
    const bundle = this.#bundle
    if (bundle.packets > 0) {
      if (this.#isBundling && bundle.append(at)) {
        this.#packets[bundle.packets - 1] = at
        const payloadAt = at + bundle.headerBytes
        this.#arena.setVector(vectorAt(this.#vectorsAt, bundle.packets), payloadAt, bundle.lastPayloadBytes)
        return
      }
      this.#write()
    }
    bundle.begin(at)
    this.#packets[0] = at
  }

  /** Writes what is still gathered; a new burst may wait again for a full queue. */
  flush(): void {
    if (this.#bundle.packets > 0) this.#write()
    this.#waits = 0
  }

  /** Writes one packet at once, past whatever is gathered. */
  writeAlone(at: number, bytes: number): boolean {
    this.#arena.setVector(this.#vectorsAt, this.#plainAt, offloadBytes)
    this.#arena.setVector(vectorAt(this.#vectorsAt, 1), at, bytes)
    return this.#writeVectors(2, 1) === 0
  }

  #write(): void {
    const arena = this.#arena
    const bundle = this.#bundle
    const count = bundle.packets
    bundle.packets = 0
    const first = this.#packets[0] ?? 0
    if (count === 1) {
      const bytes = totalBytesOf(arena.view, first)
      if (this.writeAlone(first, bytes)) this.#countReceived(1, bytes)
      return
    }
    bundle.writeHeader(arena.view, this.#headerAt)
    arena.setVector(this.#vectorsAt, this.#headerAt, offloadBytes + bundle.headerBytes)
    const payloadAt = first + bundle.headerBytes
    arena.setVector(vectorAt(this.#vectorsAt, 1), payloadAt, totalBytesOf(arena.view, first) - bundle.headerBytes)
    const errno = this.#writeVectors(count + 1, 0)
    if (errno === 0) {
      let bytes = 0
      for (let index = 0; index < count; index += 1) bytes += totalBytesOf(arena.view, this.#packets[index] ?? 0)
      this.#countReceived(count, bytes)
    } else if (errno === EINVAL) {
      // Not a bundle this kernel takes, whatever it promised; its packets are as good alone.
      if (bundle.isUdp) bundle.refuseUdp()
      for (let index = 0; index < count; index += 1) {
        const at = this.#packets[index] ?? 0
        const bytes = totalBytesOf(arena.view, at)
        if (this.writeAlone(at, bytes)) this.#countReceived(1, bytes)
      }
    } else this.#counters.drop(errno === EAGAIN ? 'queue-full' : 'refused', count)
  }

  /** @returns 0, or what the kernel said; `dropped` packets are counted then */
  #writeVectors(vectors: number, dropped: number): number {
    for (;;) {
      const written = this.#system.writev(this.#device, this.#arena.base + this.#vectorsAt, vectors)
      this.#counters.add('deviceWrites', 1)
      if (written >= 0) return 0
      const errno = this.#system.errno()
      if (errno === EINTR) continue
      if (errno === EAGAIN && this.#waits < waitsMax) {
        this.#waits += 1
        this.#system.poll(this.#arena.base + this.#pollAt, 1, waitMs)
        continue
      }
      if (dropped > 0) this.#counters.drop(errno === EAGAIN ? 'queue-full' : 'refused', dropped)
      return errno
    }
  }

  #countReceived(packets: number, bytes: number): void {
    this.#counters.add('receivedPackets', packets)
    this.#counters.add('receivedBytes', bytes)
  }
}
