/**
 * The way of a packet: device → table → peers, and socket → checks → device, in bursts that end, so that a new table never
 * waits. One thread runs it and sleeps in `poll` as soon as nothing moves: to look again for 20 or 100 rounds first gained
 * nothing on two busy processors (round trip 150 µs, 200 and 400). After its making nothing is allocated per packet.
 * Rules: specification of flannel §7.1; ours: longest prefix, senders checked, cut-off packets dropped.
 */
import { Arena } from './arena.ts'
import { decrementTimeToLive } from './checksum.ts'
import type { CounterBlock } from './counters.ts'
import { DatagramSender } from './datagram-sender.ts'
import { DeviceWriter } from './device-writer.ts'
import { destinationOf, packetProblem, sourceOf, totalBytesOf } from './ip-packet.ts'
import {
  bundleKind,
  bundleKindOf,
  checksumOffsetOf,
  checksumStartOf,
  isChecksumOpen,
  offloadBytes,
  segmentBytesOf,
} from './offload.ts'
import { isSender, lookUpPeer, type PeerTable } from './peer-table.ts'
import { bundleHeaderBytes, completeChecksum, writeSegmentHeader } from './segment.ts'
import {
  EAGAIN,
  EINTR,
  levelUdp,
  messageBytes,
  messageField,
  messageTruncated,
  pollBytes,
  pollFailed,
  pollIn,
  type System,
  socketAddressBytes,
  udpGro,
  vectorBytes,
  writeSocketAddress,
} from './system.ts'
import { unreachableBytesMax, writeUnreachable } from './unreachable.ts'

export type DataPlaneOptions = {
  readonly device: number
  readonly socket: number
  /** Readable when `control` should be looked at. */
  readonly wake: number
  /** The device's own address. */
  readonly address: number
  readonly isSenderChecked: boolean
  readonly isBundling: boolean
  readonly isUdpBundled: boolean
}

/** What the outside wants, asked between two bursts. */
export type Control = {
  /** A number that grows with every wish. */
  readonly generation: () => number
  readonly isStopped: () => boolean
  /** The table that was set last. */
  readonly table: () => PeerTable
}

/** A packet of 64 KiB and what precedes it. */
const readBytesMax = offloadBytes + 0x10000
const readAreaBytes = 8 * readBytesMax
/** In one burst the device is read this often, unless the area is full before. */
const readsMax = 64
/** Messages are sent when there are so many, so that the peer can begin while we go on. */
const pendingMax = 16
const datagramsMax = 32
const datagramBytesMax = 0x10000
const datagramControlBytes = 64
const doNotWait = 0x40

export class DataPlane {
  readonly #system: System
  readonly #counters: CounterBlock
  readonly #options: DataPlaneOptions
  readonly #arena: Arena
  readonly #sender: DatagramSender
  readonly #writer: DeviceWriter
  readonly #readsMax: number
  readonly #datagramsMax: number
  readonly #readAt: number
  readonly #pollAt: number
  readonly #answerAt: number
  readonly #messagesAt: number
  readonly #namesAt: number
  readonly #controlsAt: number
  readonly #datagramsAt: number
  #table: PeerTable
  /** Held because the kernel is given its address. */
  #peerAddresses = new Uint8Array(0)

  constructor(system: System, counters: CounterBlock, table: PeerTable, options: DataPlaneOptions) {
    const { device, socket, wake, isBundling, isUdpBundled } = options
    this.#system = system
    this.#counters = counters
    this.#options = options
    const bytes = new Uint8Array(datagramsMax * datagramBytesMax + readAreaBytes + 2 ** 19)
    const arena = new Arena(bytes, system.addressOf(bytes))
    this.#arena = arena
    this.#readsMax = isBundling ? readsMax : 1
    this.#datagramsMax = isBundling ? datagramsMax : 1
    this.#readAt = arena.take(readAreaBytes)
    this.#pollAt = arena.take(3 * pollBytes)
    this.#answerAt = arena.take(unreachableBytesMax)
    this.#messagesAt = arena.take(datagramsMax * messageBytes)
    this.#namesAt = arena.take(datagramsMax * socketAddressBytes)
    this.#controlsAt = arena.take(datagramsMax * datagramControlBytes)
    const vectorsAt = arena.take(datagramsMax * vectorBytes)
    this.#datagramsAt = arena.take(datagramsMax * datagramBytesMax)
    for (let index = 0; index < datagramsMax; index += 1) {
      const message = this.#messagesAt + index * messageBytes
      const vector = vectorsAt + index * vectorBytes
      arena.setVector(vector, this.#datagramsAt + index * datagramBytesMax, datagramBytesMax)
      arena.setPointer(message + messageField.name, arena.base + this.#namesAt + index * socketAddressBytes)
      arena.setPointer(message + messageField.vectors, arena.base + vector)
      arena.view.setUint32(message + messageField.vectorCount, 1, true)
      arena.setPointer(message + messageField.control, arena.base + this.#controlsAt + index * datagramControlBytes)
      this.#resetMessage(message)
    }
    for (const [index, descriptor] of [device, socket, wake].entries()) {
      arena.view.setInt32(this.#pollAt + index * pollBytes, descriptor, true)
      arena.view.setUint16(this.#pollAt + index * pollBytes + 4, pollIn, true)
    }
    this.#sender = new DatagramSender(system, arena, counters, socket, isBundling)
    this.#writer = new DeviceWriter(system, arena, counters, device, { isTcp: isBundling, isUdp: isUdpBundled })
    this.#table = table
    this.usePeers(table)
  }

  /** From the next packet on this table is used. */
  usePeers(table: PeerTable): void {
    const bytes = new Uint8Array(Math.max(1, table.publicIps.length) * socketAddressBytes)
    const view = new DataView(bytes.buffer)
    table.publicIps.forEach((address, peer) => {
      writeSocketAddress(view, peer * socketAddressBytes, address, table.ports[peer] ?? 0)
    })
    this.#table = table
    this.#peerAddresses = bytes
    this.#sender.usePeers(this.#system.addressOf(this.#peerAddresses))
  }

  /** Moves packets until it is told to stop. Throws when the device is gone. */
  run(control: Control): void {
    const { view, base } = this.#arena
    // Wishes may have come before we began.
    let seen = 0
    let isDeviceReady = true
    let isSocketReady = true
    for (;;) {
      const generation = control.generation()
      if (generation !== seen) {
        seen = generation
        if (control.isStopped()) return
        this.usePeers(control.table())
      }
      const isDeviceLeft: boolean = isDeviceReady && this.readDevice()
      const isSocketLeft: boolean = isSocketReady && this.readSocket()
      if (isDeviceLeft && isSocketLeft) continue
      const found = this.#system.poll(base + this.#pollAt, 3, isDeviceLeft || isSocketLeft ? 0 : -1)
      if (found < 0 && this.#system.errno() !== EINTR) throw new Error(`poll: error ${this.#system.errno()}`)
      const events = (index: number): number =>
        found > 0 ? view.getUint16(this.#pollAt + index * pollBytes + 6, true) : 0
      if ((events(0) & pollFailed) !== 0) throw new Error('the device is gone')
      isDeviceReady = isDeviceLeft || events(0) !== 0
      isSocketReady = isSocketLeft || events(1) !== 0
      if (events(2) !== 0) this.#system.read(this.#options.wake, base + this.#answerAt, 8)
    }
  }

  /** One burst from the device to the peers. @returns whether there may be more */
  readDevice(): boolean {
    const { base } = this.#arena
    const areaEnd = this.#readAt + readAreaBytes
    // Two bytes on, so that what follows the ten bytes of the offload header lies at a multiple of four.
    let at = this.#readAt + 2
    for (let reads = 0; reads < this.#readsMax && at + readBytesMax <= areaEnd; reads += 1) {
      const bytes = this.#system.read(this.#options.device, base + at, readBytesMax)
      if (bytes < 0) {
        const errno = this.#system.errno()
        if (errno === EINTR) continue
        this.#sender.flush()
        if (errno === EAGAIN) return false
        throw new Error(`reading the device: error ${errno}`)
      }
      this.#counters.add('deviceReads', 1)
      this.#send(at, bytes)
      if (this.#sender.pending >= pendingMax) {
        this.#sender.flush()
        at = this.#readAt + 2
      } else at += (bytes + 3) & ~3
    }
    this.#sender.flush()
    return true
  }

  /** One burst from the peers to the device. @returns whether there may be more */
  readSocket(): boolean {
    const { view, base } = this.#arena
    const { socket } = this.#options
    const wanted = this.#datagramsMax
    const count = this.#system.recvmmsg(socket, base + this.#messagesAt, wanted, doNotWait, 0)
    if (count <= 0) return false
    this.#counters.add('socketReads', 1)
    for (let index = 0; index < count; index += 1) {
      const message = this.#messagesAt + index * messageBytes
      const at = this.#datagramsAt + index * datagramBytesMax
      const bytes = view.getUint32(message + messageField.moved, true)
      if ((view.getUint32(message + messageField.flags, true) & messageTruncated) !== 0) {
        this.#counters.drop('truncated')
      } else {
        const sender = view.getUint32(this.#namesAt + index * socketAddressBytes + 4)
        const size = this.#gatheredSize(index, message) || bytes
        // Gathered datagrams are of one size, the last may be shorter. An empty one is a datagram, too.
        let offset = 0
        do {
          this.#receive(at + offset, Math.min(size, bytes - offset), sender)
          offset += size
        } while (offset < bytes)
      }
      this.#resetMessage(message)
    }
    this.#writer.flush()
    return count === wanted
  }

  #send(offloadAt: number, readBytes: number): void {
    const { view } = this.#arena
    const at = offloadAt + offloadBytes
    const problem = packetProblem(view, at, readBytes - offloadBytes)
    if (problem !== undefined) {
      this.#counters.drop(problem)
      return
    }
    const peer = lookUpPeer(this.#table, destinationOf(view, at))
    if (peer < 0) {
      this.#answerUnreachable(at)
      return
    }
    if (!decrementTimeToLive(view, at)) {
      this.#counters.drop('ttl-expired')
      return
    }
    const kind = bundleKindOf(view, offloadAt)
    if (kind === bundleKind.none) {
      if (
        isChecksumOpen(view, offloadAt) &&
        !completeChecksum(view, at, checksumStartOf(view, offloadAt), checksumOffsetOf(view, offloadAt))
      ) {
        this.#counters.drop('truncated')
        return
      }
      this.#sender.add(peer, at, totalBytesOf(view, at), 0, 0)
      return
    }
    const headerBytes = bundleHeaderBytes(view, at)
    const segmentBytes = segmentBytesOf(view, offloadAt)
    if (headerBytes === 0 || segmentBytes === 0 || (kind !== bundleKind.tcp && kind !== bundleKind.udp)) {
      this.#counters.drop('not-ipv4')
      return
    }
    const payloadBytes = totalBytesOf(view, at) - headerBytes
    for (let payloadAt = 0; payloadAt < payloadBytes; payloadAt += segmentBytes) {
      const slot = this.#sender.headerSlot()
      const size = writeSegmentHeader(view, slot, view, at, headerBytes, segmentBytes, payloadAt)
      this.#sender.add(peer, slot, headerBytes, at + headerBytes + payloadAt, size)
    }
  }

  #receive(at: number, bytes: number, sender: number): void {
    const { view } = this.#arena
    const problem = packetProblem(view, at, bytes)
    if (problem !== undefined) {
      this.#counters.drop(problem)
      return
    }
    if (this.#options.isSenderChecked) {
      const peer = lookUpPeer(this.#table, sourceOf(view, at))
      if (peer < 0 || this.#table.publicIps[peer] !== sender) {
        this.#counters.drop(isSender(this.#table, sender) ? 'foreign-source' : 'unknown-sender')
        return
      }
    }
    if (decrementTimeToLive(view, at)) this.#writer.add(at)
    else this.#counters.drop('ttl-expired')
  }

  #answerUnreachable(at: number): void {
    const { view } = this.#arena
    this.#counters.drop('no-route')
    const bytes = writeUnreachable(view, this.#answerAt, view, at, this.#options.address)
    if (bytes > 0 && this.#writer.writeAlone(this.#answerAt, bytes)) this.#counters.add('unreachableAnswers', 1)
  }

  /** The size of each datagram when the kernel gathered several into this message, else 0. */
  #gatheredSize(index: number, message: number): number {
    const { view } = this.#arena
    if (view.getUint32(message + messageField.controlBytes, true) < 20) return 0
    const control = this.#controlsAt + index * datagramControlBytes
    const isSize = view.getUint32(control + 8, true) === levelUdp && view.getUint32(control + 12, true) === udpGro
    return isSize ? view.getUint32(control + 16, true) : 0
  }

  #resetMessage(message: number): void {
    const { view } = this.#arena
    view.setUint32(message + messageField.nameBytes, socketAddressBytes, true)
    view.setUint32(message + messageField.controlBytes, datagramControlBytes, true)
    view.setUint32(message + messageField.flags, 0, true)
  }
}
