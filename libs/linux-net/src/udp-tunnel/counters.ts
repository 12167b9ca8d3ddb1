/** The figures of a tunnel in memory that two threads see: one counts, the other reads. */
import type { UdpTunnelCounters, UdpTunnelDropReason } from './tunnel.ts'

const places = {
  sentPackets: 0,
  sentBytes: 1,
  receivedPackets: 2,
  receivedBytes: 3,
  unreachableAnswers: 4,
  deviceReads: 5,
  deviceWrites: 6,
  socketReads: 7,
  socketWrites: 8,
} as const

const dropPlaces: Readonly<Record<UdpTunnelDropReason, number>> = {
  truncated: 9,
  'not-ipv4': 10,
  'ttl-expired': 11,
  'no-route': 12,
  'unknown-sender': 13,
  'foreign-source': 14,
  'queue-full': 15,
  refused: 16,
}

/** Doubles: aligned, their eight bytes are written at once on every machine that we run on. */
export class CounterBlock {
  readonly memory: SharedArrayBuffer
  readonly #values: Float64Array

  constructor(memory = new SharedArrayBuffer(17 * 8)) {
    this.memory = memory
    this.#values = new Float64Array(memory)
  }

  add(name: keyof typeof places, count: number): void {
    this.#add(places[name], count)
  }

  drop(reason: UdpTunnelDropReason, count = 1): void {
    this.#add(dropPlaces[reason], count)
  }

  read(): UdpTunnelCounters {
    const at = (place: number): number => this.#values[place] ?? 0
    return {
      sentPackets: at(places.sentPackets),
      sentBytes: at(places.sentBytes),
      receivedPackets: at(places.receivedPackets),
      receivedBytes: at(places.receivedBytes),
      unreachableAnswers: at(places.unreachableAnswers),
      deviceReads: at(places.deviceReads),
      deviceWrites: at(places.deviceWrites),
      socketReads: at(places.socketReads),
      socketWrites: at(places.socketWrites),
      drops: {
        truncated: at(dropPlaces.truncated),
        'not-ipv4': at(dropPlaces['not-ipv4']),
        'ttl-expired': at(dropPlaces['ttl-expired']),
        'no-route': at(dropPlaces['no-route']),
        'unknown-sender': at(dropPlaces['unknown-sender']),
        'foreign-source': at(dropPlaces['foreign-source']),
        'queue-full': at(dropPlaces['queue-full']),
        refused: at(dropPlaces.refused),
      },
    }
  }

  #add(place: number, count: number): void {
    this.#values[place] = (this.#values[place] ?? 0) + count
  }
}
