/** The kernel as the data plane sees it, in memory: queues for device and socket, and failures on demand. */
import { constants } from 'node:os'
import { messageBytes, messageField, type System } from '../src/udp-tunnel/system.ts'
import { viewOf } from './packets.ts'

export type Datagram = { readonly address: number; readonly port: number; readonly bytes: Uint8Array }
/** What a socket read gives: one datagram, or several of one size that the kernel gathered. */
export type Arrival = {
  readonly from: number
  readonly bytes: Uint8Array
  readonly gatheredSize?: number
  readonly isCut?: boolean
}

type Region = { readonly base: number; readonly bytes: Uint8Array }

export class FakeTunnelSystem implements System {
  /** Each read of the device takes the first. */
  readonly deviceReads: Uint8Array[] = []
  readonly deviceWrites: Uint8Array[] = []
  readonly arrivals: Arrival[] = []
  /** What is on the wire: messages cut as the kernel would. */
  readonly datagrams: Datagram[] = []
  /** How many packets each message of a send had. */
  readonly sends: number[][] = []
  /** The next calls fail with these errors; a name that is not there: all of them succeed. */
  sendFailures: string[] = []
  writeFailures: string[] = []
  /** Called by each poll; what it says is found on device, socket and wake. */
  onPoll: (timeoutMs: number) => readonly number[] = () => [0, 0, 0]
  polls = 0
  #errno = 0
  readonly #regions: Region[] = []

  errno = (): number => this.#errno

  addressOf = (bytes: Uint8Array): number => {
    const base = 0x7f00_0000_0000 + this.#regions.length * 0x1_0000_0000 - 4096
    this.#regions.push({ base, bytes })
    return base
  }

  read = (_descriptor: number, pointer: number, count: number): number => {
    const next = this.deviceReads.shift()
    if (next === undefined) return this.#fail('EAGAIN')
    if (next.length === 0) return this.#fail('EIO')
    this.#bytes(pointer, count).set(next)
    return next.length
  }

  writev = (_descriptor: number, vectors: number, count: number): number => {
    const failure = this.writeFailures.shift()
    if (failure !== undefined) return this.#fail(failure)
    const written = this.#gather(vectors, count)
    this.deviceWrites.push(written)
    return written.length
  }

  poll = (entries: number, count: number, timeoutMs: number): number => {
    this.polls += 1
    const found = this.onPoll(timeoutMs)
    const view = viewOf(this.#bytes(entries, count * 8))
    for (let index = 0; index < count; index += 1) view.setUint16(index * 8 + 6, found[index] ?? 0, true)
    return found.filter((events) => events !== 0).length
  }

  recvmmsg = (_descriptor: number, messages: number, count: number): number => {
    const taken = this.arrivals.splice(0, count)
    if (taken.length === 0) return this.#fail('EAGAIN')
    for (const [index, { from, bytes, gatheredSize, isCut = false }] of taken.entries()) {
      const view = viewOf(this.#bytes(messages + index * messageBytes, messageBytes))
      const vector = viewOf(this.#bytes(this.#pointer(view, messageField.vectors), 16))
      this.#bytes(this.#pointer(vector, 0), bytes.length).set(bytes)
      viewOf(this.#bytes(this.#pointer(view, messageField.name), 16)).setUint32(4, from)
      view.setUint32(messageField.moved, bytes.length, true)
      view.setUint32(messageField.flags, isCut ? 0x20 : 0, true)
      view.setUint32(messageField.controlBytes, gatheredSize === undefined ? 0 : 24, true)
      if (gatheredSize === undefined) continue
      const control = viewOf(this.#bytes(this.#pointer(view, messageField.control), 24))
      control.setUint32(8, 17, true)
      control.setUint32(12, 104, true)
      control.setUint32(16, gatheredSize, true)
    }
    return taken.length
  }

  sendmmsg = (_descriptor: number, messages: number, count: number): number => {
    const packets: number[] = []
    for (let index = 0; index < count; index += 1) {
      const failure = this.sendFailures.shift()
      if (failure !== undefined && failure !== '') {
        if (index > 0) this.sendFailures.unshift(failure)
        if (index > 0) this.sends.push(packets)
        return index > 0 ? index : this.#fail(failure)
      }
      const view = viewOf(this.#bytes(messages + index * messageBytes, messageBytes))
      const name = viewOf(this.#bytes(this.#pointer(view, messageField.name), 16))
      const all = this.#gather(
        this.#pointer(view, messageField.vectors),
        view.getUint32(messageField.vectorCount, true),
      )
      const isCut = view.getUint32(messageField.controlBytes, true) > 0
      const control = viewOf(this.#bytes(this.#pointer(view, messageField.control), 24))
      const size = isCut ? control.getUint16(16, true) : all.length
      const before = this.datagrams.length
      for (let at = 0; at < all.length; at += size) {
        this.datagrams.push({ address: name.getUint32(4), port: name.getUint16(2), bytes: all.slice(at, at + size) })
      }
      packets.push(this.datagrams.length - before)
    }
    this.sends.push(packets)
    return count
  }

  #fail(name: string): -1 {
    this.#errno = Object.entries(constants.errno).find(([key]) => key === name)?.[1] ?? 0
    return -1
  }

  #pointer(view: DataView, at: number): number {
    return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000
  }

  #bytes(pointer: number, length: number): Uint8Array {
    const region = this.#regions.find(({ base, bytes }) => pointer >= base && pointer + length <= base + bytes.length)
    if (region === undefined) throw new Error(`no memory of ${length} bytes at ${pointer.toString(16)}`)
    return region.bytes.subarray(pointer - region.base, pointer - region.base + length)
  }

  #gather(vectors: number, count: number): Uint8Array {
    const pieces: number[] = []
    for (let index = 0; index < count; index += 1) {
      const view = viewOf(this.#bytes(vectors + index * 16, 16))
      for (const byte of this.#bytes(this.#pointer(view, 0), view.getUint32(8, true))) pieces.push(byte)
    }
    return Uint8Array.from(pieces)
  }
}
