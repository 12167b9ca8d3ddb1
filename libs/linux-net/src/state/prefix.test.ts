import fc from 'fast-check'
import { expect, it } from 'vitest'
import { containsText, isAddress, parsePrefix, wholeDestination } from './prefix.ts'

it.each([
  ['10.5.0.0/16', '10.5.34.0/24', true],
  ['10.5.0.0/16', '10.5.0.0/16', true],
  ['10.5.0.0/16', '10.5.255.255', true],
  ['10.5.0.0/16', '10.6.0.0/24', false],
  ['10.5.34.0/24', '10.5.0.0/16', false],
  ['0.0.0.0/0', '10.5.0.0/16', true],
  ['0.0.0.0/0', '::1', false],
  ['fd00::/8', 'fd12:3456::1/128', true],
  ['fe80::/10', 'febf::1', true],
  ['fe80::/10', 'fec0::1', false],
  ['::ffff:0:0/96', '::ffff:10.5.0.1', true],
  ['10.5.0.0/33', '10.5.0.0', false],
  ['nonsense', '10.5.0.0', false],
])('%s contains %s: %s', (outer, inner, contained) => expect(containsText(outer, inner)).toBe(contained))

it.each([
  ['10.5.0.0', true],
  ['10.5.0.256', false],
  ['10.5.0', false],
  ['10.5.0.0/32', false],
  ['fd00::1', true],
  ['1:2:3:4:5:6:7:8', true],
  ['1:2:3:4:5:6:7', false],
  ['1::2::3', false],
  ['eth0', false],
])('%s is an address: %s', (text, is) => expect(isAddress(text)).toBe(is))

it.each([
  ['default', 4, '0.0.0.0/0'],
  ['default', 6, '::/0'],
  ['10.5.0.7', 4, '10.5.0.7/32'],
  ['fd00::7', 6, 'fd00::7/128'],
  ['10.5.0.0/24', 4, '10.5.0.0/24'],
] as const)('%s of IPv%s is %s', (text, family, whole) => expect(wholeDestination(text, family)).toBe(whole))

it('any text is a prefix or none', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6()), (text) => void parsePrefix(text)))
  fc.assert(fc.property(fc.ipV6(), isAddress))
})
