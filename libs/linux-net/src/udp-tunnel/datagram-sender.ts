/**
 * From packets to datagrams: collects packets for peers and sends them with one system call. Packets of equal length to
 * the same peer travel to the kernel as one message that it cuts itself (UDP_SEGMENT); on the wire each is a datagram.
 */
import { type Arena, vectorAt } from './arena.ts'
import type { CounterBlock } from './counters.ts'
import {
  controlBytes,
  EAGAIN,
  EINTR,
  EINVAL,
  EIO,
  EMSGSIZE,
  EOPNOTSUPP,
  levelUdp,
  messageBytes,
  messageField,
  pollBytes,
  pollOut,
  type System,
  socketAddressBytes,
  udpSegment,
} from './system.ts'

/** As many packets as the kernel cuts out of one message (UDP_MAX_SEGMENTS before Linux 6.9). */
const segmentsMax = 64
/** What fits a UDP datagram, less what IP options may take. */
const messageTotalMax = 65_000
const messagesMax = 128
const vectorsMax = 2048
const slotBytes = 128
const slotsMax = 1024
/** A full queue is waited for this often in one flush, this long each time; then what is left is dropped. */
const waitsMax = 4
const waitMs = 2

export class DatagramSender {
  readonly #system: System
  readonly #arena: Arena
  readonly #counters: CounterBlock
  readonly #socket: number
  readonly #messagesAt: number
  readonly #vectorsAt: number
  readonly #controlsAt: number
  readonly #slotsAt: number
  readonly #pollAt: number
  readonly #segments = new Int32Array(messagesMax)
  readonly #bytes = new Int32Array(messagesMax)
  #isCutting: boolean
  #peerAddresses = 0
  #messages = 0
  #vectors = 0
  #slots = 0
  #openPeer = -1
  #openSize = 0

  constructor(system: System, arena: Arena, counters: CounterBlock, socket: number, isCutting: boolean) {
    this.#system = system
    this.#arena = arena
    this.#counters = counters
    this.#socket = socket
    this.#isCutting = isCutting
    this.#messagesAt = arena.take(messagesMax * messageBytes)
    this.#vectorsAt = arena.take(vectorsMax * 16)
    this.#controlsAt = arena.take(messagesMax * controlBytes)
    this.#slotsAt = arena.take(slotsMax * slotBytes)
    this.#pollAt = arena.take(pollBytes)
    arena.view.setInt32(this.#pollAt, socket, true)
    arena.view.setUint16(this.#pollAt + 4, pollOut, true)
    for (let index = 0; index < messagesMax; index += 1) {
      const control = this.#controlsAt + index * controlBytes
      arena.view.setUint32(control, 18, true)
      arena.view.setUint32(control + 8, levelUdp, true)
      arena.view.setUint32(control + 12, udpSegment, true)
      arena.setPointer(this.#messagesAt + index * messageBytes + messageField.control, arena.base + control)
    }
  }

  /** How many messages wait to be sent. */
  get pending(): number {
    return this.#messages
  }

  /** Where the peers' socket addresses begin, as an address of memory. Nothing may be pending. */
  usePeers(address: number): void {
    this.#peerAddresses = address
  }

  /** A place for headers; whatever must be sent first to have one is sent. */
  headerSlot(): number {
    if (this.#slots === slotsMax || this.#vectors + 2 > vectorsMax) this.flush()
    const slot = this.#slotsAt + this.#slots * slotBytes
    this.#slots += 1
    return slot
  }

  /** Adds a packet made of two pieces of the arena, the second of which may be empty. Both must stay until `flush`. */
  add(peer: number, headerAt: number, headerBytes: number, payloadAt: number, payloadBytes: number): void {
    const size = headerBytes + payloadBytes
    const last = this.#messages - 1
    const canJoin =
      this.#isCutting &&
      peer === this.#openPeer &&
      size <= this.#openSize &&
      (this.#segments[last] ?? 0) < segmentsMax &&
      (this.#bytes[last] ?? 0) + size <= messageTotalMax &&
      this.#vectors + 2 <= vectorsMax
    if (!canJoin) this.#begin(peer, size)
    const message = this.#messages - 1
    this.#push(headerAt, headerBytes)
    if (payloadBytes > 0) this.#push(payloadAt, payloadBytes)
    this.#segments[message] = (this.#segments[message] ?? 0) + 1
    this.#bytes[message] = (this.#bytes[message] ?? 0) + size
    // A shorter one is the last of its message.
    if (size < this.#openSize) this.#openPeer = -1
  }

  /** Sends all that was added. Waits for a full queue a few milliseconds at most, then drops. */
  flush(): void {
    const { view, base } = this.#arena
    const count = this.#messages
    if (count === 0) {
      this.#slots = 0
      return
    }
    for (let index = 0; index < count; index += 1) this.#finish(index)
    let waits = 0
    let next = 0
    while (next < count) {
      const sent = this.#system.sendmmsg(this.#socket, base + this.#messagesAt + next * messageBytes, count - next, 0)
      this.#counters.add('socketWrites', 1)
      if (sent > 0) {
        for (const end = next + sent; next < end; next += 1)
          this.#countSent(this.#segments[next] ?? 0, this.#bytes[next] ?? 0)
        continue
      }
      const errno = this.#system.errno()
      if (errno === EINTR) continue
      if (errno === EAGAIN && waits < waitsMax) {
        waits += 1
        this.#system.poll(base + this.#pollAt, 1, waitMs)
        continue
      }
      if (errno === EAGAIN) {
        for (; next < count; next += 1) this.#counters.drop('queue-full', this.#segments[next] ?? 0)
        break
      }
      const isCut = view.getUint32(this.#messagesAt + next * messageBytes + messageField.controlBytes, true) > 0
      if (isCut && isAboutCutting(errno)) {
        // No offload on the way out: from now on we send datagram by datagram. Too long for the path: only these.
        if (errno === EIO || errno === EOPNOTSUPP) this.#isCutting = false
        this.#sendSingly(next)
      } else this.#counters.drop('refused', this.#segments[next] ?? 0)
      next += 1
    }
    this.#messages = 0
    this.#vectors = 0
    this.#slots = 0
    this.#openPeer = -1
  }

  #begin(peer: number, size: number): void {
    if (this.#messages === messagesMax || this.#vectors + 2 > vectorsMax) this.#flushKeepingSlots()
    const arena = this.#arena
    const index = this.#messages
    const at = this.#messagesAt + index * messageBytes
    arena.setPointer(at + messageField.name, this.#peerAddresses + peer * socketAddressBytes)
    arena.view.setUint32(at + messageField.nameBytes, socketAddressBytes, true)
    arena.setPointer(at + messageField.vectors, arena.base + vectorAt(this.#vectorsAt, this.#vectors))
    arena.view.setUint32(at + messageField.vectorCount, 0, true)
    this.#segments[index] = 0
    this.#bytes[index] = 0
    this.#messages = index + 1
    this.#openPeer = peer
    this.#openSize = size
    // The size of the message's packets, for the moment it turns out to have more than one.
    arena.view.setUint16(this.#controlsAt + index * controlBytes + 16, size, true)
  }

  /** The slot that was just given out holds the headers of the packet that is being added. */
  #flushKeepingSlots(): void {
    const slots = this.#slots
    this.flush()
    this.#slots = slots
  }

  #push(at: number, bytes: number): void {
    this.#arena.setVector(vectorAt(this.#vectorsAt, this.#vectors), at, bytes)
    this.#vectors += 1
    const count = this.#messagesAt + (this.#messages - 1) * messageBytes + messageField.vectorCount
    this.#arena.view.setUint32(count, this.#arena.view.getUint32(count, true) + 1, true)
  }

  #finish(index: number): void {
    const at = this.#messagesAt + index * messageBytes
    this.#arena.view.setUint32(
      at + messageField.controlBytes,
      (this.#segments[index] ?? 0) > 1 ? controlBytes : 0,
      true,
    )
  }

  /** Sends the packets of one message one by one, by narrowing the message to each of them in turn. */
  #sendSingly(index: number): void {
    const { view, base } = this.#arena
    const at = this.#messagesAt + index * messageBytes
    const size = view.getUint16(this.#controlsAt + index * controlBytes + 16, true)
    const vectors = view.getUint32(at + messageField.vectorCount, true)
    const firstVector = (view.getUint32(at + messageField.vectors, true) - ((base + this.#vectorsAt) >>> 0)) >>> 4
    view.setUint32(at + messageField.controlBytes, 0, true)
    for (let vector = 0; vector < vectors; ) {
      const start = vectorAt(this.#vectorsAt, firstVector + vector)
      let bytes = 0
      let taken = 0
      while (bytes < size && vector + taken < vectors) {
        bytes += this.#arena.vectorLength(start + taken * 16)
        taken += 1
      }
      this.#arena.setPointer(at + messageField.vectors, base + start)
      view.setUint32(at + messageField.vectorCount, taken, true)
      const sent = this.#system.sendmmsg(this.#socket, base + at, 1, 0)
      this.#counters.add('socketWrites', 1)
      if (sent > 0) this.#countSent(1, bytes)
      else this.#counters.drop(this.#system.errno() === EAGAIN ? 'queue-full' : 'refused')
      vector += taken
    }
  }

  #countSent(packets: number, bytes: number): void {
    this.#counters.add('sentPackets', packets)
    this.#counters.add('sentBytes', bytes)
  }
}

const isAboutCutting = (errno: number): boolean =>
  errno === EINVAL || errno === EMSGSIZE || errno === EIO || errno === EOPNOTSUPP
