import { BlockList, isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  contains4,
  contains6,
  formatIp4,
  formatIp6,
  formatNet4,
  formatNet6,
  net4,
  net6,
  overlap4,
  overlap6,
  parseIp4,
  parseIp6,
  parseNet4,
  parseNet6,
  sameNet4,
  sameNet6,
  toIp4,
  toIp6,
} from './ip-net.ts'

const ip4s = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(toIp4)
const ip6s = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => toIp6(groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)))

describe('IPv4 text', () => {
  it.each([
    ['10.5.34.0', '10.5.34.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::ffff:10.3.5.0', '10.3.5.0'],
    ['::ffff:a03:500', '10.3.5.0'],
    ['0:0:0:0:0:ffff:10.3.5.0', '10.3.5.0'],
  ])('%s is %s', (text, expected) => {
    const ip = parseIp4(text)
    expect(ip === undefined ? undefined : formatIp4(ip)).toBe(expected)
  })
  it.each([
    ['10.5.34'],
    ['10.5.34.256'],
    ['10.5.34.0.1'],
    ['10..34.0'],
    ['.10.5.34'],
    ['10.5.34.'],
    ['10.5.34.1000'],
    ['10.5.34.x'],
    ['10.05.34.0'],
    ['10.5.34.0 '],
    ['::10.3.5.0'],
    ['fc00::1'],
    [''],
  ])('%j is none', (text) => expect(parseIp4(text)).toBeUndefined())
  it('reads what it writes', () => fc.assert(fc.property(ip4s, (ip) => parseIp4(formatIp4(ip)) === ip)))
})

describe('IPv6 text', () => {
  it.each([
    ['fc00:42:0:3::', 'fc00:42:0:3::'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['::', '::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['64:ff9b::10.1.2.3', '64:ff9b::a01:203'],
    ['::ffff:10.1.2.3', '::ffff:10.1.2.3'],
  ])('%s is written %s', (text, expected) => {
    const ip = parseIp6(text)
    expect(ip === undefined ? undefined : formatIp6(ip)).toBe(expected)
  })
  it.each([
    ['1::2::3'],
    ['1:2:3'],
    ['1:2:3:4:5:6:7:8:9'],
    ['::12345'],
    ['fe80::1%eth0'],
    ['10.1.2.3'],
    ['::1.2.3.256'],
    [''],
  ])('%j is none', (text) => expect(parseIp6(text)).toBeUndefined())
  it('reads what it writes', () => fc.assert(fc.property(ip6s, (ip) => parseIp6(formatIp6(ip)) === ip)))
  it('agrees with the platform on what is an address', () =>
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,20}$/)), (text) => {
        expect(parseIp6(text) !== undefined).toBe(isIPv6(text))
        if (!text.includes(':')) expect(parseIp4(text) !== undefined).toBe(isIPv4(text))
      }),
    ))
  it('writes as URLs do', () =>
    fc.assert(
      fc.property(ip6s, (ip) => {
        fc.pre(ip >> 32n !== 0xffffn)
        expect(`[${formatIp6(ip)}]`).toBe(new URL(`http://[${formatIp6(ip)}]/`).hostname)
      }),
    ))
})

describe('networks', () => {
  it.each([
    ['10.5.34.1/24', '10.5.34.0/24'],
    ['10.1.2.3/016', '10.1.0.0/16'],
    ['255.255.255.255/0', '0.0.0.0/0'],
  ])('%s is %s: host bits are dropped', (text, expected) => {
    const net = parseNet4(text)
    expect(net === undefined ? undefined : formatNet4(net)).toBe(expected)
  })
  it('drops the host bits of IPv6', () => {
    const net = parseNet6('fc00:42:0:3::1/64')
    expect(net === undefined ? undefined : formatNet6(net)).toBe('fc00:42:0:3::/64')
  })
  it.each([['10.1.0.0/33'], ['10.1.0.0'], ['10.1.0.0/'], ['/16'], ['10.1.0.0/-1'], ['10.1.0.0/1 '], ['fc00::/48']])(
    '%j is no IPv4 network',
    (text) => expect(parseNet4(text)).toBeUndefined(),
  )
  it.each([['fc00::/129'], ['10.1.0.0/16'], ['fc00::']])('%j is no IPv6 network', (text) =>
    expect(parseNet6(text)).toBeUndefined(),
  )
  it('agrees with the platform on what a network holds', () =>
    fc.assert(
      fc.property(ip4s, ip4s, fc.integer({ min: 0, max: 32 }), (ip, other, length) => {
        const list = new BlockList()
        list.addSubnet(formatIp4(ip), length, 'ipv4')
        expect(contains4(net4(ip, length), other)).toBe(list.check(formatIp4(other), 'ipv4'))
      }),
    ))
  it('overlap when one holds the first address of the other', () =>
    fc.assert(
      fc.property(
        ip4s,
        ip4s,
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: 0, max: 8 }),
        (ip, other, length, otherLength) => {
          const [a, b] = [net4(ip, length), net4(other, otherLength)]
          expect(overlap4(a, b)).toBe(contains4(a, b.ip) || contains4(b, a.ip))
          expect(overlap4(a, b)).toBe(overlap4(b, a))
          const [a6, b6] = [net6(toIp6(BigInt(ip) << 96n), length), net6(toIp6(BigInt(other) << 96n), otherLength)]
          expect(overlap6(a6, b6)).toBe(overlap4(a, b))
          expect(contains6(a6, b6.ip)).toBe(contains4(a, b.ip))
        },
      ),
    ))
  it('are the same with the same address and length', () => {
    expect(sameNet4(parseNet4('10.1.0.0/16'), parseNet4('10.1.9.9/16'))).toBe(true)
    expect(sameNet4(parseNet4('10.1.0.0/16'), parseNet4('10.1.0.0/17'))).toBe(false)
    expect(sameNet6(parseNet6('fc00::/48'), undefined)).toBe(false)
    expect(sameNet6(undefined, undefined)).toBe(true)
  })
  it('wraps numbers around', () => {
    expect(formatIp4(toIp4(2 ** 32 + 1))).toBe('0.0.0.1')
    expect(formatIp4(toIp4(-1))).toBe('255.255.255.255')
    expect(formatIp6(toIp6(-1n))).toBe('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff')
  })
})
