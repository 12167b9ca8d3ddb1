import { crc32 as zlibCrc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { crc32, crc32ByTables } from './crc32.ts'
import { parseSegmentName, parseSnapshotName, segmentName, snapshotName } from './layout.ts'
import {
  decodeHardState,
  decodeSegmentInfo,
  decodeSnapshotPosition,
  encodeHardState,
  encodeSegmentInfo,
  encodeSnapshotPosition,
  viewOf,
} from './payload.ts'
import { findHeader, headerBytes, markBatchEnd, payloadHolds, readHeader, recordBytes, writeHeader } from './record.ts'

const safe = fc.maxSafeNat()
const hex = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const text = fc.string({ unit: 'grapheme', maxLength: 40 })

it('gives the checksum that every CRC-32 gives', () => {
  const bytes = Buffer.from('123456789')
  expect(crc32(bytes, 0, 9, 0)).toBe(0xcbf43926)
})
it('gives the same checksum by table as by zlib, for any part and seed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(40), fc.nat(0xffffffff), (bytes, from, seed) => {
      const start = Math.min(from, bytes.length)
      // zlib forgets the seed when there are no bytes.
      const expected = start === bytes.length ? seed : zlibCrc32(bytes.subarray(start), seed)
      expect(crc32ByTables(bytes, start, bytes.length, seed)).toBe(expected)
      expect(crc32(bytes, start, bytes.length, seed)).toBe(expected)
    }),
  )
})
it('reads back every record, with no other seed, and none with a flipped bit', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.record({
        type: fc.nat(255),
        kind: fc.nat(255),
        seed: fc.nat(0xffffffff),
        sequence: safe,
        place: fc.nat(1000),
      }),
      fc.boolean(),
      fc.nat(),
      (payload, { type, kind, seed, sequence, place }, endsBatch, flipped) => {
        const bytes = new Uint8Array(recordBytes(payload.length)).fill(255)
        const view = viewOf(bytes)
        bytes.set(payload, headerBytes)
        writeHeader(bytes, view, 0, type, kind, payload.length, seed, sequence, place)
        if (endsBatch) markBatchEnd(bytes, view, 0, seed)
        const header = readHeader(bytes, view, 0, seed)
        const { length: payloadBytes } = payload
        expect(header).toMatchObject({ type, kind, sequence, place, endsBatch, payloadBytes })
        expect(header !== undefined && payloadHolds(bytes, 0, header, seed)).toBe(true)
        expect(readHeader(bytes, view, 0, (seed + 1) >>> 0)).toBeUndefined()
        expect(
          findHeader(
            Buffer.concat([new Uint8Array(16), bytes]),
            viewOf(Buffer.concat([new Uint8Array(16), bytes])),
            0,
            seed,
          )?.at,
        ).toBe(16)
        const bit = flipped % ((headerBytes + payload.length) * 8)
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const damaged = readHeader(bytes, view, 0, seed)
        expect(damaged !== undefined && payloadHolds(bytes, 0, damaged, seed)).toBe(false)
      },
    ),
  )
})
it('reads back what a segment says of itself', () => {
  const info = fc.record({
    id: hex,
    previousId: hex,
    number: safe,
    firstIndex: safe,
    previousTerm: safe,
    sizeBytes: safe,
    isRecycled: fc.boolean(),
    identity: fc.record({ clusterId: text, memberId: text, extra: text }),
  })
  fc.assert(fc.property(info, (value) => void expect(decodeSegmentInfo(encodeSegmentInfo(value))).toEqual(value)))
})
it('reads back hard states and snapshot positions', () => {
  const state = fc.record({ term: safe, commit: safe, votedFor: fc.option(text, { nil: undefined }) })
  fc.assert(fc.property(state, (value) => void expect(decodeHardState(encodeHardState(value))).toEqual(value)))
  const at = fc.record({ index: safe, term: safe })
  fc.assert(
    fc.property(at, (value) => void expect(decodeSnapshotPosition(encodeSnapshotPosition(value))).toEqual(value)),
  )
})
it('takes no bytes for a payload that they are not, and never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      for (const decode of [decodeSegmentInfo, decodeHardState, decodeSnapshotPosition]) decode(bytes)
    }),
  )
  expect(decodeHardState(new Uint8Array(17).fill(255))).toBeUndefined()
})
it('reads back names', () => {
  fc.assert(
    fc.property(safe, safe, (one, other) => {
      expect(parseSegmentName(segmentName(one, other))).toEqual({ number: one, firstIndex: other })
      expect(parseSnapshotName(snapshotName({ index: one, term: other }))).toEqual({ index: one, term: other })
    }),
  )
})
