import fc from 'fast-check'
import { expect, it } from 'vitest'
import { makePacket, viewOf } from '../../test/packets.ts'
import { packetProblem } from './ip-packet.ts'

const packet = makePacket({ payload: new Uint8Array(100) })
const changed = (at: number, value: number): Uint8Array => {
  const bytes = packet.slice()
  bytes[at] = value
  return bytes
}

it.each([
  ['a whole packet', packet, undefined],
  ['one with more after it', Uint8Array.of(...packet, 0, 0), undefined],
  ['nothing', new Uint8Array(0), 'truncated'],
  ['19 bytes', packet.subarray(0, 19), 'truncated'],
  ['one that was cut off', packet.subarray(0, 120), 'truncated'],
  ['IPv6', changed(0, 0x60), 'not-ipv4'],
  ['a header of 16 bytes', changed(0, 0x44), 'not-ipv4'],
  ['a packet shorter than its header', changed(3, 19), 'not-ipv4'],
])('%s', (_, bytes, problem) => expect(packetProblem(viewOf(bytes), 0, bytes.length)).toBe(problem))

it('takes any bytes without a throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void packetProblem(viewOf(bytes), 0, bytes.length)),
  )
})
