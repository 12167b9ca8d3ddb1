import { describe, expect, it } from 'vitest'
import { foldSum, sumWords } from '../src/udp-tunnel/checksum.ts'
import { CounterBlock } from '../src/udp-tunnel/counters.ts'
import { DataPlane } from '../src/udp-tunnel/data-plane.ts'
import { offloadBytes, segmentBytesOf, writeBundleOffload } from '../src/udp-tunnel/offload.ts'
import { buildPeerTable, parseAddress } from '../src/udp-tunnel/peer-table.ts'
import { isTransportChecksumRight } from '../src/udp-tunnel/segment.ts'
import { FakeTunnelSystem } from './fake-tunnel-system.ts'
import { countedBytes, makePacket, type PacketFields, viewOf } from './packets.ts'

const address = (text: string): number => parseAddress(text) ?? 0
const table = buildPeerTable(
  [
    { subnet: '10.5.2.0/24', publicIp: '10.78.0.2' },
    { subnet: '10.5.3.0/24', publicIp: '10.78.0.3', port: 9000 },
  ],
  8285,
)

function makePlane(more: { isBundling?: boolean; isSenderChecked?: boolean } = {}) {
  const { isBundling = true, isSenderChecked = true } = more
  const system = new FakeTunnelSystem()
  const counters = new CounterBlock()
  const plane = new DataPlane(system, counters, table, {
    device: 3,
    socket: 4,
    wake: 5,
    address: address('10.5.1.0'),
    isSenderChecked,
    isBundling,
    isUdpBundled: isBundling,
  })
  return { system, counters, plane, drops: () => counters.read().drops }
}

/** A packet as it comes out of the device. */
const plain = (fields: PacketFields): Uint8Array =>
  Uint8Array.of(...new Uint8Array(offloadBytes), ...makePacket(fields))
/** A bundle as it comes out of the device. */
function bundleOf(payloadBytes: number, segmentBytes: number, fields: PacketFields = {}): Uint8Array {
  const packet = makePacket({ payload: countedBytes(payloadBytes), ...fields })
  const bytes = new Uint8Array(offloadBytes + packet.length)
  writeBundleOffload(viewOf(bytes), 0, 1, 40, segmentBytes, 20, 16)
  bytes.set(packet, offloadBytes)
  return bytes
}
const isSound = (packet: Uint8Array): boolean =>
  foldSum(sumWords(viewOf(packet), 0, 20)) === 0xffff && isTransportChecksumRight(viewOf(packet), 0)
const fromPeer = (sequence: number, more: PacketFields = {}): Uint8Array =>
  makePacket({ source: '10.5.2.2', destination: '10.5.1.2', sequence, payload: countedBytes(100), ...more })
const peer = address('10.78.0.2')

describe('from the device', () => {
  it('a packet goes to the peer that has its destination, one hop older', () => {
    const { system, plane, counters } = makePlane()
    system.deviceReads.push(plain({ destination: '10.5.3.9', payload: countedBytes(10) }))
    expect(plane.readDevice()).toBe(false)
    const [datagram] = system.datagrams
    expect([datagram?.address, datagram?.port, datagram?.bytes[8]]).toEqual([address('10.78.0.3'), 9000, 62])
    expect(isSound(datagram?.bytes ?? new Uint8Array(60))).toBe(true)
    expect(counters.read()).toMatchObject({ sentPackets: 1, sentBytes: 50, deviceReads: 1, socketWrites: 1 })
  })
  it('a bundle travels as plain packets that the kernel cuts out of one message', () => {
    const { system, plane } = makePlane()
    system.deviceReads.push(bundleOf(3500, 1000), plain({ payload: countedBytes(9) }))
    plane.readDevice()
    expect(system.datagrams.map(({ bytes }) => bytes.length)).toEqual([1040, 1040, 1040, 540, 49])
    expect(system.datagrams.every(({ bytes }) => isSound(bytes))).toBe(true)
    expect(system.sends).toEqual([[4, 1]])
  })
  it('a message holds no more packets than the kernel cuts', () => {
    const { system, plane } = makePlane()
    system.deviceReads.push(bundleOf(60_000, 500))
    plane.readDevice()
    expect(system.sends).toEqual([[64, 56]])
  })
  it('more headers than there is room for are sent in between', () => {
    const { system, plane } = makePlane()
    system.deviceReads.push(bundleOf(60_000, 20))
    plane.readDevice()
    expect(system.datagrams.length).toBe(3000)
    expect(system.datagrams.every(({ bytes }) => isSound(bytes))).toBe(true)
  })
  it('a message that the way does not take in one piece is sent packet by packet', () => {
    const { system, plane } = makePlane()
    system.sendFailures = ['EINVAL']
    system.deviceReads.push(bundleOf(3500, 1000))
    plane.readDevice()
    expect(system.datagrams.map(({ bytes }) => bytes.length)).toEqual([1040, 1040, 1040, 540])
    system.deviceReads.push(bundleOf(2000, 1000))
    plane.readDevice()
    expect(system.sends.at(-1)).toEqual([2])
  })
  it('where nothing cuts, nothing is left to be cut from then on', () => {
    const { system, plane } = makePlane()
    system.sendFailures = ['EIO']
    system.deviceReads.push(bundleOf(2000, 1000))
    plane.readDevice()
    system.deviceReads.push(bundleOf(2000, 1000))
    plane.readDevice()
    expect(system.sends).toEqual([[1], [1], [1, 1]])
  })
  it('a full queue is waited for a bounded time, then packets are dropped', () => {
    const { system, plane, drops } = makePlane()
    system.sendFailures = Array.from({ length: 100 }, () => 'EAGAIN')
    system.deviceReads.push(bundleOf(2000, 1000))
    plane.readDevice()
    expect([system.polls, drops()['queue-full'], system.datagrams.length]).toEqual([4, 2, 0])
  })
  it('a message that is refused does not hold up the next', () => {
    const { system, plane, drops } = makePlane()
    system.sendFailures = ['EPERM']
    system.deviceReads.push(plain({}), plain({ destination: '10.5.3.1' }))
    plane.readDevice()
    expect([drops().refused, system.datagrams.length]).toEqual([1, 1])
  })
  it('what is none of ours is dropped and counted, answered where that may be', () => {
    const { system, plane, counters } = makePlane()
    const sixth = plain({})
    sixth[offloadBytes] = 0x60
    system.deviceReads.push(sixth, plain({ timeToLive: 1 }), plain({ destination: '10.5.9.9' }), new Uint8Array(22))
    plane.readDevice()
    expect(counters.read()).toMatchObject({
      sentPackets: 0,
      unreachableAnswers: 1,
      drops: { 'not-ipv4': 1, 'ttl-expired': 1, 'no-route': 1, truncated: 1 },
    })
    expect([...(system.deviceWrites[0]?.subarray(offloadBytes + 20, offloadBytes + 22) ?? [])]).toEqual([3, 0])
  })
  it('an end of the device is thrown', () => {
    const { system, plane } = makePlane()
    system.deviceReads.push(new Uint8Array(0))
    expect(() => plane.readDevice()).toThrow('device')
  })
  it('without bundles each packet has a read and a message of its own', () => {
    const { system, plane } = makePlane({ isBundling: false })
    system.deviceReads.push(plain({}), plain({}))
    expect([plane.readDevice(), plane.readDevice(), plane.readDevice()]).toEqual([true, true, false])
    expect(system.sends).toEqual([[1], [1]])
  })
})

describe('from the socket', () => {
  it('packets that continue each other are written as one bundle', () => {
    const { system, plane, counters } = makePlane()
    const packets = [0, 1, 2].map((index) => fromPeer(index * 100, { identification: index }))
    const size = packets[0]?.length ?? 0
    const gathered = {
      from: peer,
      bytes: Uint8Array.from(packets.flatMap((packet) => [...packet])),
      gatheredSize: size,
    }
    system.arrivals.push(gathered, { from: peer, bytes: fromPeer(300, { identification: 3 }) })
    expect(plane.readSocket()).toBe(false)
    const [written = new Uint8Array(0)] = system.deviceWrites
    expect([system.deviceWrites.length, written.length, segmentBytesOf(viewOf(written), 0)]).toEqual([1, 450, 100])
    expect(written[offloadBytes + 8]).toBe(62)
    expect(counters.read()).toMatchObject({ receivedPackets: 4, receivedBytes: 560, deviceWrites: 1, socketReads: 1 })
  })
  it('a bundle that the kernel refuses is written packet by packet', () => {
    const { system, plane, counters } = makePlane()
    system.writeFailures = ['EINVAL']
    for (const index of [0, 1]) {
      system.arrivals.push({ from: peer, bytes: fromPeer(index * 100, { protocol: 'udp', identification: index }) })
    }
    plane.readSocket()
    expect(system.deviceWrites.map(({ length }) => length)).toEqual([138, 138])
    expect(counters.read().receivedPackets).toBe(2)
  })
  it('a full device is waited for a bounded time, then packets are dropped', () => {
    const { system, plane, drops } = makePlane()
    system.writeFailures = Array.from({ length: 100 }, () => 'EAGAIN')
    for (let index = 0; index < 32; index += 1) system.arrivals.push({ from: peer, bytes: fromPeer(0) })
    expect(plane.readSocket()).toBe(true)
    expect([system.polls, drops()['queue-full']]).toEqual([4, 32])
  })
  it.each<[string, keyof ReturnType<ReturnType<typeof makePlane>['drops']>, string, Uint8Array]>([
    ['a stranger', 'unknown-sender', '10.78.0.9', fromPeer(0)],
    ['a peer with the source of another', 'foreign-source', '10.78.0.3', fromPeer(0)],
    ['a peer with a source of nobody', 'foreign-source', '10.78.0.2', fromPeer(0, { source: '10.5.77.1' })],
    ['a peer, at its end of life', 'ttl-expired', '10.78.0.2', fromPeer(0, { timeToLive: 1 })],
    ['a peer, cut off', 'truncated', '10.78.0.2', fromPeer(0).subarray(0, 100)],
    ['a peer, without content', 'truncated', '10.78.0.2', new Uint8Array(0)],
  ])('a packet of %s is dropped: %s', (_, reason, from, bytes) => {
    const { system, plane, drops } = makePlane()
    system.arrivals.push({ from: address(from), bytes })
    plane.readSocket()
    expect([drops()[reason], system.deviceWrites.length]).toEqual([1, 0])
  })
  it('a datagram longer than our memory is dropped', () => {
    const { system, plane, drops } = makePlane()
    system.arrivals.push({ from: peer, bytes: fromPeer(0), isCut: true })
    plane.readSocket()
    expect(drops().truncated).toBe(1)
  })
  it('anybody may send when senders are not checked', () => {
    const { system, plane } = makePlane({ isSenderChecked: false })
    system.arrivals.push({ from: 1, bytes: fromPeer(0, { source: '10.5.77.1' }) })
    plane.readSocket()
    expect(system.deviceWrites.length).toBe(1)
  })
})

describe('run', () => {
  it('uses a new table although packets never end, and stops although they never end', () => {
    const { system, plane, drops } = makePlane()
    system.onPoll = () => {
      while (system.deviceReads.length < 200) system.deviceReads.push(plain({}))
      return [1, 0, 0]
    }
    let asked = 0
    plane.run({
      generation: () => {
        asked += 1
        return Math.floor(asked / 5)
      },
      isStopped: () => asked >= 20,
      table: () => buildPeerTable([], 8285),
    })
    expect([asked, system.datagrams.length > 0, drops()['no-route'] > 0]).toEqual([20, true, true])
  })
  it('sleeps without end when nothing moves, and wakes to look', () => {
    const { system, plane } = makePlane()
    const timeouts: number[] = []
    system.onPoll = (timeoutMs) => {
      timeouts.push(timeoutMs)
      return [0, 0, 1]
    }
    plane.run({ generation: () => timeouts.length, isStopped: () => timeouts.length === 3, table: () => table })
    expect(timeouts).toEqual([-1, -1, -1])
  })
  it('ends with an error when the device is gone', () => {
    const { system, plane } = makePlane()
    system.onPoll = () => [8, 0, 0]
    expect(() => plane.run({ generation: () => 0, isStopped: () => false, table: () => table })).toThrow('gone')
  })
})
