import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageReceiver, MessageSender } from './records.ts'
import { createRingMemory, RingReader, RingWriter } from './ring.ts'
import type { Wake } from './wake.ts'

const countingWake = (): Wake & { calls: number } => {
  const wake = {
    calls: 0,
    signal: () => {
      wake.calls += 1
    },
  }
  return wake
}

const openRing = (capacityBytes = 4096) => {
  const memory = createRingMemory(capacityBytes, 'local')
  const [consumer, producer] = [countingWake(), countingWake()]
  const writer = new RingWriter(memory, consumer)
  const reader = new RingReader(memory, producer)
  return { memory, writer, reader, consumer, producer }
}

const fill = (seed: number, sizeBytes: number): Uint8Array =>
  Uint8Array.from({ length: sizeBytes }, (_, at) => (seed * 31 + at) & 0xff)

describe('a ring', () => {
  it('gives records in order, each in one piece, with kind and flags', () => {
    const { writer, reader } = openRing()
    for (const [at, kind] of [1, 2, 255].entries()) {
      const offset = writer.reserve(10)
      writer.bytes.fill(at, offset, offset + 10)
      writer.commit(10, kind, at)
    }
    writer.publish()
    for (const [at, kind] of [1, 2, 255].entries()) {
      expect(reader.next()).toBe(true)
      expect([reader.kind, reader.flags, [...reader.record()]]).toEqual([kind, at, new Array(10).fill(at)])
    }
    expect(reader.next()).toBe(false)
  })

  it('shows nothing before it is published, and wakes the consumer once for all of it', () => {
    const { writer, reader, consumer } = openRing()
    for (let count = 0; count < 3; count++) {
      writer.reserve(8)
      writer.commit(8, 1, 0)
    }
    expect(reader.next()).toBe(false)
    writer.publish()
    writer.publish()
    expect([reader.hasNext(), consumer.calls]).toEqual([true, 1])
  })

  it('refuses what does not fit, and calls the producer when there is room again', () => {
    const { writer, reader, producer } = openRing()
    while (writer.reserve(500) !== -1) writer.commit(500, 1, 0)
    writer.publish()
    expect(writer.hasRoomAgain()).toBe(false)
    reader.next()
    reader.release(reader.position)
    expect([producer.calls, writer.hasRoomAgain()]).toEqual([1, true])
    expect(writer.reserve(500)).not.toBe(-1)
  })

  it('takes no capacity that is not a power of two', () =>
    expect(() => createRingMemory(5000, 'local')).toThrow('a ring holds a power of two'))

  it('keeps every record whole and in order, whatever the sizes and whoever is faster', () => {
    const steps = fc.array(fc.oneof(fc.nat(1000), fc.constant('read' as const)), { maxLength: 300 })
    fc.assert(
      fc.property(steps, (all) => {
        const { writer, reader } = openRing()
        const expected: number[] = []
        let written = 0
        const readOne = (): void => {
          if (!reader.next()) return
          const sizeBytes = expected.shift() ?? -1
          const number = written - expected.length - 1
          expect([...reader.record()]).toEqual([...fill(number, sizeBytes)])
          reader.release(reader.position)
        }
        for (const step of all) {
          if (step === 'read') {
            readOne()
            continue
          }
          const offset = writer.reserve(step)
          if (offset === -1) continue
          writer.bytes.set(fill(written, step), offset)
          writer.commit(step, 1, 0)
          writer.publish()
          expected.push(step)
          written += 1
        }
        while (expected.length > 0) readOne()
        expect(reader.next()).toBe(false)
      }),
    )
  })

  it('goes on when its positions run over', () => {
    const { writer, reader } = openRing(2 ** 20)
    const sizeBytes = 200_000
    // Past 2^32 bytes.
    for (let count = 0; count < 22_000; count++) {
      const offset = writer.reserve(sizeBytes)
      if (offset === -1) throw new Error(`no room for record ${count}`)
      writer.bytes[offset] = count & 0xff
      writer.commit(sizeBytes, 1, 0)
      writer.publish()
      if (!reader.next() || reader.bytes[reader.offset] !== (count & 0xff)) throw new Error(`record ${count} is lost`)
      reader.release(reader.position)
    }
    expect(reader.next()).toBe(false)
  })
})

describe('messages', () => {
  it('come whole when they are larger than the ring, between small ones, in order', () => {
    const sizes = fc.array(fc.oneof(fc.nat(900), fc.integer({ min: 1000, max: 20_000 })), { maxLength: 12 })
    fc.assert(
      fc.property(sizes, (all) => {
        const { writer, reader } = openRing()
        const sender = new MessageSender(writer)
        const receiver = new MessageReceiver(reader)
        const got: Uint8Array[] = []
        const drain = (): void => {
          while (receiver.next()) got.push(receiver.content().slice())
          reader.release(reader.position)
        }
        for (const [at, sizeBytes] of all.entries()) {
          while (!sender.resume() || !sender.send(7, fill(at, sizeBytes))) drain()
          sender.publish()
        }
        while (!sender.resume()) drain()
        sender.publish()
        drain()
        expect(got.map((message, at) => Buffer.compare(message, fill(at, all[at] ?? 0)))).toEqual(all.map(() => 0))
      }),
    )
  })

  it('carry entries and runs', () => {
    const { writer, reader } = openRing()
    const sender = new MessageSender(writer)
    const receiver = new MessageReceiver(reader)
    sender.sendEntry(2 ** 40, 3, 255, Uint8Array.of(1, 2))
    sender.sendOwnRun(2 ** 41, 4, 2 ** 32 - 1, 9)
    sender.publish()
    expect(receiver.next()).toBe(true)
    expect(receiver.view.getFloat64(receiver.offset, true)).toBe(2 ** 40)
    expect([...receiver.content(24)]).toEqual([1, 2])
    expect(receiver.next()).toBe(true)
    expect(receiver.view.getUint32(receiver.offset + 16, true)).toBe(2 ** 32 - 1)
  })
})
