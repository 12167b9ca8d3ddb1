import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countedBytes, layOut, makePacket, type PacketFields, viewOf } from '../../test/packets.ts'
import { Bundle } from './bundle.ts'
import { checksumOf, foldSum, pseudoHeaderSum, sumWords } from './checksum.ts'
import { bundleKindOf, isChecksumOpen, offloadBytes, segmentBytesOf } from './offload.ts'
import { bundleHeaderBytes, completeChecksum, isTransportChecksumRight, writeSegmentHeader } from './segment.ts'

/** What a bundle cut into packets gives, each as bytes of its own. */
function cut(view: DataView, at: number, segmentBytes: number): Uint8Array[] {
  const headerBytes = bundleHeaderBytes(view, at)
  const payloadBytes = view.getUint16(at + 2) - headerBytes
  const packets: Uint8Array[] = []
  for (let payloadAt = 0; payloadAt < payloadBytes; payloadAt += segmentBytes) {
    const packet = new Uint8Array(headerBytes + Math.min(segmentBytes, payloadBytes - payloadAt))
    const from = view.byteOffset + at + headerBytes + payloadAt
    writeSegmentHeader(viewOf(packet), 0, view, at, headerBytes, segmentBytes, payloadAt)
    packet.set(new Uint8Array(view.buffer, from, packet.length - headerBytes), headerBytes)
    packets.push(packet)
  }
  return packets
}

/** Packets through a bundle: those it took as the one packet that the kernel would get, and how many it took. */
function join(packets: readonly Uint8Array[]): { taken: number; bundle: Uint8Array } {
  const { view, places } = layOut(packets)
  const bundle = new Bundle(view, true)
  const [first = 0, ...rest] = places
  bundle.begin(first)
  for (const place of rest) if (!bundle.append(place)) break
  const header = new Uint8Array(offloadBytes + bundle.headerBytes)
  if (bundle.packets > 1) bundle.writeHeader(viewOf(header), 0)
  const payloads = packets.slice(0, bundle.packets).map((packet) => packet.subarray(bundle.headerBytes))
  return { taken: bundle.packets, bundle: Uint8Array.from(Buffer.concat([header, ...payloads])) }
}

const flow = (count: number, size: number, lastSize: number, fields: PacketFields): Uint8Array[] =>
  Array.from({ length: count }, (_, index) =>
    makePacket({
      ...fields,
      identification: (0xfffe + index) & 0xffff,
      sequence: (0xffff_f000 + index * size) >>> 0,
      flags: 0x10 + (index === count - 1 ? 8 : 0),
      payload: countedBytes(index === count - 1 ? lastSize : size, index),
    }),
  )

const someFlow = fc
  .record({
    count: fc.integer({ min: 2, max: 40 }),
    size: fc.integer({ min: 1, max: 1400 }),
    last: fc.nat(1400),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    options: fc.constantFrom([], [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8]),
  })
  .map(({ count, size, last, protocol, options }) =>
    flow(count, size, 1 + (last % size), { protocol, tcpOptions: options }),
  )

describe('a bundle', () => {
  it('cut again is the packets that it was made of', () => {
    fc.assert(
      fc.property(someFlow, (packets) => {
        const { taken, bundle } = join(packets)
        const view = viewOf(bundle)
        expect(taken).toBe(packets.length)
        const again = cut(view, offloadBytes, segmentBytesOf(view, 0))
        expect(again.map(({ length }) => length)).toEqual(packets.map(({ length }) => length))
        expect(Buffer.concat(again).equals(Buffer.concat(packets))).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
  it('has the header that the kernel asks for, its checksum open', () => {
    const view = viewOf(join(flow(3, 100, 40, { protocol: 'udp' })).bundle)
    expect([isChecksumOpen(view, 0), bundleKindOf(view, 0), segmentBytesOf(view, 0)]).toEqual([true, 5, 100])
    expect([view.getUint16(2, true), view.getUint16(6, true), view.getUint16(8, true)]).toEqual([28, 20, 6])
    expect(view.getUint16(offloadBytes + 2)).toBe(28 + 240)
    expect(foldSum(sumWords(view, offloadBytes, offloadBytes + 20))).toBe(0xffff)
    expect(view.getUint16(offloadBytes + 26)).toBe(foldSum(pseudoHeaderSum(view, offloadBytes, 17, 8 + 240)))
  })

  const two = (fields: PacketFields): Uint8Array[] => [
    makePacket({ identification: 1, sequence: 1000, payload: countedBytes(100) }),
    makePacket({ identification: 2, sequence: 1100, payload: countedBytes(100), ...fields }),
  ]
  it('takes the next of the same connection', () => expect(join(two({})).taken).toBe(2))
  it.each<[string, PacketFields]>([
    ['from elsewhere', { source: '10.5.1.3' }],
    ['to elsewhere', { destination: '10.5.2.3' }],
    ['of another protocol', { protocol: 'udp' }],
    ['that leaves a gap', { sequence: 1200 }],
    ['that comes again', { sequence: 1000 }],
    ['out of count', { identification: 4 }],
    ['that lives longer', { timeToLive: 64 }],
    ['that may be cut', { fragment: 0 }],
    ['that is a fragment', { fragment: 0x2000 }],
    ['longer than the first', { payload: countedBytes(101) }],
    ['without content', { payload: countedBytes(0) }],
    ['that ends the connection', { flags: 0x11 }],
    ['with other options', { tcpOptions: [1, 1, 1, 1] }],
    ['with options of IP', { ipOptions: [1, 1, 1, 1] }],
  ])('does not take one %s', (_, fields) => expect(join(two(fields)).taken).toBe(1))
  it('does not take a damaged one', () => {
    const [first = new Uint8Array(0), second = new Uint8Array(0)] = two({})
    second[60] = (second[60] ?? 0) ^ 1
    expect(join([first, second]).taken).toBe(1)
    expect(join([second, first]).taken).toBe(1)
  })
  it('ends with a shorter one, and with one that pushes', () => {
    expect(join([...flow(3, 100, 50, {}), makePacket({})]).taken).toBe(3)
    expect(join([...flow(2, 100, 100, {}), ...flow(1, 100, 100, {})]).taken).toBe(2)
  })
  it('begins with any packet, and then stays alone', () => {
    const odd = makePacket({ protocol: 'icmp', payload: countedBytes(30) })
    expect(join([odd, odd]).taken).toBe(1)
  })
  it('stays below 64 KiB', () => expect(join(flow(60, 1400, 1400, {})).taken).toBe(46))
})

describe('writeSegmentHeader', () => {
  it('tells of the end at the end and of a reduced window once, in right packets', () => {
    const whole = makePacket({ flags: 0x10 + 0x80 + 0x40 + 0x08 + 0x01, payload: countedBytes(250) })
    const packets = cut(viewOf(whole), 0, 100)
    expect(packets.map((packet) => packet[33])).toEqual([0xd0, 0x50, 0x59])
    expect(packets.map((packet) => isTransportChecksumRight(viewOf(packet), 0))).toEqual([true, true, true])
    expect(packets.map((packet) => foldSum(sumWords(viewOf(packet), 0, 20)))).toEqual([0xffff, 0xffff, 0xffff])
  })
})

describe('completeChecksum', () => {
  it.each(['tcp', 'udp'] as const)('makes what the kernel left open in %s', (protocol) => {
    const packet = makePacket({ protocol, payload: countedBytes(33) })
    const view = viewOf(packet)
    const [offset, transportBytes] = protocol === 'tcp' ? [16, 53] : [6, 41]
    const right = view.getUint16(20 + offset)
    view.setUint16(20 + offset, foldSum(pseudoHeaderSum(view, 0, protocol === 'tcp' ? 6 : 17, transportBytes)))
    expect(completeChecksum(view, 0, 20, offset)).toBe(true)
    expect(view.getUint16(20 + offset)).toBe(right)
  })
  it('touches nothing outside the packet', () => {
    expect(completeChecksum(viewOf(makePacket({})), 0, 30, 16)).toBe(false)
  })
  it('says 0xffff where UDP would have 0', () => {
    // Every checksum occurs for some two bytes; the one that would be 0 is found and made.
    const packet = makePacket({ protocol: 'udp', payload: Uint8Array.of(0, 0) })
    const view = viewOf(packet)
    view.setUint16(26, 0)
    view.setUint16(28, checksumOf(pseudoHeaderSum(view, 0, 17, 10) + sumWords(view, 20, 30)))
    view.setUint16(26, foldSum(pseudoHeaderSum(view, 0, 17, 10)))
    completeChecksum(view, 0, 20, 6)
    expect(view.getUint16(26)).toBe(0xffff)
  })
})
