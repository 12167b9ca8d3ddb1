/**
 * From what travelled to what the kernel takes in one go: packets that follow each other in one TCP connection or UDP flow
 * become a bundle of up to 64 KiB, which the kernel handles like one packet. Only what `segment.ts` would cut into the very
 * same packets is bundled; whatever is odd in any way stays by itself, in its order.
 */
import { checksumOf, foldSum, pseudoHeaderSum, sumWords } from './checksum.ts'
import { fragmentOf, headerBytesOf, protocolOf, protocolTcp, protocolUdp, totalBytesOf } from './ip-packet.ts'
import { bundleKind, writeBundleOffload } from './offload.ts'
import { bundleHeaderBytes, isTransportChecksumRight } from './segment.ts'

const tcpAcknowledge = 0x10
const tcpPush = 0x08
const doNotFragment = 0x4000
/** The kernel takes a UDP bundle of at most this many packets (UDP_MAX_SEGMENTS before Linux 6.9). */
export const bundlePacketsMax = 64
const totalBytesMax = 0xffff

/** A bundle in the making; one is made and used again, for a packet costs nothing to look at. */
export class Bundle {
  readonly #view: DataView
  #isUdpTaken: boolean
  #firstAt = 0
  #headerBytes = 0
  #protocol = 0
  #segmentBytes = 0
  #payloadBytes = 0
  #lastPayloadBytes = 0
  #isClosed = true
  #isFirstChecked = false
  #lastFlags = 0
  packets = 0

  /** @param isUdpTaken whether the kernel takes bundles of UDP (Linux 6.2) */
  constructor(view: DataView, isUdpTaken: boolean) {
    this.#view = view
    this.#isUdpTaken = isUdpTaken
  }

  get headerBytes(): number {
    return this.#headerBytes
  }

  /** From now on UDP stays by itself: the kernel refused a bundle of it. */
  refuseUdp(): void {
    this.#isUdpTaken = false
  }

  get isUdp(): boolean {
    return this.#protocol === protocolUdp
  }

  /** Begins anew with a whole packet; it may stand alone for ever. */
  begin(at: number): void {
    const view = this.#view
    this.packets = 1
    this.#firstAt = at
    this.#isFirstChecked = false
    this.#protocol = protocolOf(view, at)
    const isTaken = this.#protocol === protocolTcp || (this.#protocol === protocolUdp && this.#isUdpTaken)
    const isPlain = headerBytesOf(view, at) === 20 && (fragmentOf(view, at) & ~doNotFragment) === 0
    this.#headerBytes = isTaken && isPlain ? bundleHeaderBytes(view, at) : 0
    this.#segmentBytes = totalBytesOf(view, at) - this.#headerBytes
    this.#payloadBytes = this.#segmentBytes
    this.#lastPayloadBytes = this.#segmentBytes
    this.#isClosed = this.#headerBytes === 0 || this.#segmentBytes === 0 || !this.#hasPlainTransport(at)
    if (!this.#isClosed && this.#protocol === protocolTcp) this.#note(view.getUint8(at + 33))
  }

  /** Takes the packet as the bundle's next, or says that it does not belong. */
  append(at: number): boolean {
    const view = this.#view
    if (this.#isClosed || this.packets === bundlePacketsMax || !this.#continues(at)) return false
    // The kernel will not look at the checksums of a bundle, so a packet that was damaged on its way must stay outside.
    if (!this.#isFirstChecked) {
      this.#isFirstChecked = true
      if (!this.#isSound(this.#firstAt)) {
        this.#isClosed = true
        return false
      }
    }
    if (!this.#isSound(at)) return false
    const payloadBytes = totalBytesOf(view, at) - this.#headerBytes
    this.packets += 1
    this.#payloadBytes += payloadBytes
    this.#lastPayloadBytes = payloadBytes
    if (payloadBytes < this.#segmentBytes) this.#isClosed = true
    if (this.#protocol === protocolTcp) this.#note(view.getUint8(at + 33))
    return true
  }

  /** The payload bytes of the packet that was taken last. */
  get lastPayloadBytes(): number {
    return this.#lastPayloadBytes
  }

  /** Writes what precedes the payload of a bundle of two or more: the offload header, then `headerBytes` of headers. */
  writeHeader(target: DataView, targetAt: number): void {
    const view = this.#view
    const headerBytes = this.#headerBytes
    const at = targetAt + 10
    const isTcp = this.#protocol === protocolTcp
    writeBundleOffload(
      target,
      targetAt,
      isTcp ? bundleKind.tcp : bundleKind.udp,
      headerBytes,
      this.#segmentBytes,
      20,
      isTcp ? 16 : 6,
    )
    for (let offset = 0; offset < headerBytes; offset += 4) {
      target.setUint32(at + offset, view.getUint32(this.#firstAt + offset))
    }
    target.setUint16(at + 2, headerBytes + this.#payloadBytes)
    target.setUint16(at + 10, 0)
    target.setUint16(at + 10, checksumOf(sumWords(target, at, at + 20)))
    const transportBytes = headerBytes - 20 + this.#payloadBytes
    const openSum = foldSum(pseudoHeaderSum(target, at, this.#protocol, transportBytes))
    if (isTcp) {
      target.setUint8(at + 33, this.#lastFlags)
      target.setUint16(at + 36, openSum)
    } else {
      target.setUint16(at + 24, transportBytes)
      target.setUint16(at + 26, openSum)
    }
  }

  #note(flags: number): void {
    this.#lastFlags = flags
    if ((flags & tcpPush) !== 0) this.#isClosed = true
  }

  #hasPlainTransport(at: number): boolean {
    if (this.#protocol === protocolUdp) return this.#view.getUint16(at + 24) === totalBytesOf(this.#view, at) - 20
    return (this.#view.getUint8(at + 33) & ~tcpPush) === tcpAcknowledge && (this.#view.getUint8(at + 32) & 0x0f) === 0
  }

  #continues(at: number): boolean {
    const view = this.#view
    const first = this.#firstAt
    // Version, header length and type of service; do not fragment; time to live and protocol; addresses; ports.
    if (view.getUint16(at) !== view.getUint16(first)) return false
    if (view.getUint16(at + 6) !== view.getUint16(first + 6)) return false
    if (view.getUint16(at + 8) !== view.getUint16(first + 8)) return false
    if (view.getUint32(at + 12) !== view.getUint32(first + 12)) return false
    if (view.getUint32(at + 16) !== view.getUint32(first + 16)) return false
    if (bundleHeaderBytes(view, at) !== this.#headerBytes || !this.#hasPlainTransport(at)) return false
    if (view.getUint32(at + 20) !== view.getUint32(first + 20)) return false
    const payloadBytes = totalBytesOf(view, at) - this.#headerBytes
    if (payloadBytes === 0 || payloadBytes > this.#segmentBytes) return false
    if (this.#headerBytes + this.#payloadBytes + payloadBytes > totalBytesMax) return false
    if (view.getUint16(at + 4) !== ((view.getUint16(first + 4) + this.packets) & 0xffff)) return false
    if (this.#protocol === protocolUdp) return true
    if (view.getUint32(at + 24) !== (view.getUint32(first + 24) + this.#payloadBytes) >>> 0) return false
    // Acknowledgement; header length, then window; urgent pointer and options.
    if (view.getUint32(at + 28) !== view.getUint32(first + 28)) return false
    if (view.getUint8(at + 32) !== view.getUint8(first + 32)) return false
    if (view.getUint16(at + 34) !== view.getUint16(first + 34)) return false
    if (view.getUint16(at + 38) !== view.getUint16(first + 38)) return false
    for (let offset = 40; offset < this.#headerBytes; offset += 4) {
      if (view.getUint32(at + offset) !== view.getUint32(first + offset)) return false
    }
    return true
  }

  #isSound(at: number): boolean {
    return foldSum(sumWords(this.#view, at, at + 20)) === 0xffff && isTransportChecksumRight(this.#view, at)
  }
}
