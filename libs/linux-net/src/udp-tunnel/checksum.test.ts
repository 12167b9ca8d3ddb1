import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makePacket, viewOf } from '../../test/packets.ts'
import { checksumOf, decrementTimeToLive, foldSum, sumWords } from './checksum.ts'

/** RFC 1071, read literally. */
function plainSum(bytes: Uint8Array): number {
  let sum = 0
  for (let index = 0; index < bytes.length; index += 2) {
    sum += (bytes[index] ?? 0) * 256 + (bytes[index + 1] ?? 0)
    if (sum > 0xffff) sum -= 0xffff
  }
  return sum
}

describe('sumWords', () => {
  it('is the sum of RFC 1071, at any place and of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(7), (bytes, place) => {
        const around = new Uint8Array(place + bytes.length + 3).fill(0xaa)
        around.set(bytes, place)
        expect(foldSum(sumWords(viewOf(around), place, place + bytes.length)) % 0xffff).toBe(plainSum(bytes) % 0xffff)
      }),
    )
  })
  it('is exact for the largest packet', () => {
    const bytes = new Uint8Array(65_535).fill(0xff)
    expect(foldSum(sumWords(viewOf(bytes), 0, bytes.length))).toBe(plainSum(bytes))
  })
  it('is what the header of an example has', () => {
    const header = Uint8Array.of(0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0, 192, 168, 0, 1, 192, 168, 0, 199)
    expect(checksumOf(sumWords(viewOf(header), 0, 20))).toBe(0xb861)
  })
})

describe('decrementTimeToLive', () => {
  it('leaves a header whose checksum is right', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 255 }), fc.nat(0xffff), (timeToLive, identification) => {
        const packet = viewOf(makePacket({ timeToLive, identification }))
        expect(decrementTimeToLive(packet, 0)).toBe(true)
        expect([packet.getUint8(8), foldSum(sumWords(packet, 0, 20))]).toEqual([timeToLive - 1, 0xffff])
      }),
    )
  })
  it.each([0, 1])('ends the life of a packet with %s left, and leaves it as it is', (timeToLive) => {
    const packet = makePacket({ timeToLive })
    const before = packet.slice()
    expect(decrementTimeToLive(viewOf(packet), 0)).toBe(false)
    expect(packet).toEqual(before)
  })
})
