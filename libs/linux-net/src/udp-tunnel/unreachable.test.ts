import { describe, expect, it } from 'vitest'
import { makePacket, type PacketFields, viewOf } from '../../test/packets.ts'
import { foldSum, sumWords } from './checksum.ts'
import { parseAddress } from './peer-table.ts'
import { unreachableBytesMax, writeUnreachable } from './unreachable.ts'

const answerTo = (fields: PacketFields): Uint8Array => {
  const target = new Uint8Array(unreachableBytesMax)
  const bytes = writeUnreachable(viewOf(target), 0, viewOf(makePacket(fields)), 0, parseAddress('10.5.1.0') ?? 0)
  return target.subarray(0, bytes)
}

describe('writeUnreachable', () => {
  const offender = { protocol: 'udp', payload: new Uint8Array(50).fill(9) } as const
  const answer = answerTo(offender)
  it('is "net unreachable" from our device to the sender, time to live 8', () => {
    expect([...answer.subarray(0, 10)]).toEqual([0x45, 0, 0, 56, 0, 0, 0, 0, 8, 1])
    expect([...answer.subarray(12, 22)]).toEqual([10, 5, 1, 0, 10, 5, 1, 2, 3, 0])
  })
  it('quotes the header and eight bytes', () =>
    expect(answer.subarray(28)).toEqual(makePacket(offender).subarray(0, 28)))
  it('has right checksums', () => {
    const view = viewOf(answer)
    expect([foldSum(sumWords(view, 0, 20)), foldSum(sumWords(view, 20, 56))]).toEqual([0xffff, 0xffff])
  })
  it('quotes the first fragment', () => expect(answerTo({ fragment: 0x2000 }).length).toBe(56))
  it.each<[string, PacketFields]>([
    ['ICMP', { protocol: 'icmp' }],
    ['a later fragment', { fragment: 0x2001 }],
    ['a header of 60 bytes', { ipOptions: Array.from({ length: 40 }, () => 1) }],
    ['a multicast', { destination: '224.0.0.22' }],
    ['nobody', { source: '0.0.0.0' }],
  ])('is not given to %s', (_, fields) => expect(answerTo(fields).length).toBe(0))
  it('fits the longest header that is answered', () => {
    expect(answerTo({ ipOptions: Array.from({ length: 36 }, () => 1) }).length).toBe(unreachableBytesMax)
  })
})
