import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildPeerTable, findBadPeer, isSender, lookUpPeer, parseAddress, parsePrefix } from './peer-table.ts'

const address = (text: string): number => parseAddress(text) ?? Number.NaN

describe('lookUpPeer', () => {
  const table = buildPeerTable(
    [
      { subnet: '10.5.34.0/24', publicIp: '10.78.0.2' },
      { subnet: '10.5.0.0/16', publicIp: '10.78.0.3', port: 9000 },
      { subnet: '10.5.34.128/25', publicIp: '10.78.0.4' },
      { subnet: '255.255.255.0/24', publicIp: '10.78.0.5' },
    ],
    8285,
  )
  it.each([
    ['10.5.34.7', 0],
    ['10.5.34.128', 2],
    ['10.5.34.255', 2],
    ['10.5.35.0', 1],
    ['10.5.0.0', 1],
    ['10.4.255.255', -1],
    ['10.6.0.0', -1],
    ['0.0.0.0', -1],
    ['255.255.255.255', 3],
  ])('the longest subnet of %s is that of peer %s', (text, peer) => expect(lookUpPeer(table, address(text))).toBe(peer))
  it('has no peer in an empty table', () => expect(lookUpPeer(buildPeerTable([], 1), 5)).toBe(-1))
  it('keeps ports, the common one where none is said', () => expect([...table.ports]).toEqual([8285, 9000, 8285, 8285]))
  it('finds what a search through all finds', () => {
    const subnet = fc.record({ ip: fc.nat(255), length: fc.integer({ min: 24, max: 32 }) })
    fc.assert(
      fc.property(fc.array(subnet, { maxLength: 12 }), fc.nat(255), (subnets, last) => {
        const built = buildPeerTable(
          subnets.map(({ ip, length }) => ({ subnet: `10.0.0.${ip}/${length}`, publicIp: '10.78.0.2' })),
          1,
        )
        let best = -1
        for (const [peer, { ip, length }] of subnets.entries()) {
          const size = 2 ** (32 - length)
          const isInside = Math.floor(ip / size) === Math.floor(last / size)
          if (isInside && (best < 0 || length >= (subnets[best]?.length ?? 0))) best = peer
        }
        expect(lookUpPeer(built, address(`10.0.0.${last}`))).toBe(best)
      }),
    )
  })
})

describe('isSender', () => {
  const table = buildPeerTable(
    [
      { subnet: '10.5.1.0/24', publicIp: '200.0.0.9' },
      { subnet: '10.5.2.0/24', publicIp: '10.78.0.2' },
    ],
    1,
  )
  it.each([
    ['200.0.0.9', true],
    ['10.78.0.2', true],
    ['10.78.0.1', false],
    ['10.78.0.3', false],
    ['255.0.0.0', false],
  ])('%s sends: %s', (text, isKnown) => expect(isSender(table, address(text))).toBe(isKnown))
  it('is nobody in an empty table', () => expect(isSender(buildPeerTable([], 1), 0)).toBe(false))
})

it.each(['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '1.2.3.x', '::1'])('%j is no address', (text) =>
  expect(parseAddress(text)).toBeUndefined(),
)
it.each(['', '1.2.3.4', '1.2.3.4/', '1.2.3.4/33', '1.2.3/8', '1.2.3.4/-1'])('%j is no subnet', (text) =>
  expect(parsePrefix(text)).toBeUndefined(),
)
it('names the peer that is none', () => {
  const bad = { subnet: '10.5.1.0/24', publicIp: 'machine-2' }
  expect(findBadPeer([{ subnet: '10.5.0.0/24', publicIp: '10.78.0.2' }, bad])).toBe(bad)
})
