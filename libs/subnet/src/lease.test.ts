import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { net4, net6, parseIp4, parseIp6, toIp4, toIp6 } from './ip-net.ts'
import {
  describeSubnet,
  encodeAttributes,
  type LeaseAttributes,
  leaseValueLengthMax,
  parseAttributes,
  parseSubnetKey,
  readLease,
  type Subnet,
  sameSubnet,
  subnetKey,
  subnetsOverlap,
} from './lease.ts'

const nets4 = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: 31 }))
  .map(([ip, length]) => net4(toIp4(ip), length))
const nets6 = fc
  .tuple(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.integer({ min: 1, max: 127 }))
  .map(([ip, length]) => net6(toIp6(ip), length))
const subnets: fc.Arbitrary<Subnet> = fc.oneof(
  nets4.map((v4) => ({ v4 })),
  nets6.map((v6) => ({ v6 })),
  fc.tuple(nets4, nets6).map(([v4, v6]) => ({ v4, v6 })),
)

const ip = (text: string) => parseIp4(text) ?? toIp4(0)

describe('keys', () => {
  it('read what they say', () =>
    fc.assert(
      fc.property(subnets, (subnet) => {
        expect(parseSubnetKey(subnetKey(subnet))).toEqual(subnet)
      }),
    ))
  it.each([
    ['10.5.34.0-24', '10.5.34.0/24'],
    ['10.5.34.7-24', '10.5.34.0/24'],
    ['10.5.34.0-024', '10.5.34.0/24'],
    ['10.42.3.0-24&fc00:42:0:3::-64', '10.42.3.0/24 and fc00:42:0:3::/64'],
    ['0.0.0.0-0&fc00:42:0:3::-64', 'fc00:42:0:3::/64'],
  ])('%s is %s', (key, expected) => {
    const subnet = parseSubnetKey(key)
    expect(subnet === undefined ? undefined : describeSubnet(subnet)).toBe(expected)
  })
  it.each([
    ...[
      '0.0.0.0-0',
      '10.5.34.0-0',
      '10.5.34.0-32',
      'x10.5.34.0-24',
      '10.5.34.0-24.bak',
      '10a5b34.0-24',
      '10.5.256.0-24',
    ],
    ...[
      '10.5.34.0',
      '10.5.34.0-',
      '10.5.34.0-24&',
      '10.5.34.0-24&fc00::-0',
      '10.5.34.0-24&fc00::-128',
      '1.0.0.0-0&fc00::-64',
    ],
    ...['10.5.34.0-99999999999999999999', 'config', '', '\n10.5.34.0-24', '10.5.34.0-24\n', '10.5.34.0-24&10.1.0.0-24'],
  ])('%j is no subnet', (key) => expect(parseSubnetKey(key)).toBeUndefined())
  it('take any text', () => fc.assert(fc.property(fc.string(), (text) => void parseSubnetKey(text))))
})

describe('values', () => {
  const attributes: fc.Arbitrary<LeaseAttributes> = fc
    .record({ ip: fc.integer({ min: 0, max: 2 ** 32 - 1 }), type: fc.string(), data: fc.option(fc.jsonValue()) })
    .map(({ ip: number, type, data }) => ({
      publicIp: toIp4(number),
      backendType: type,
      // What JSON cannot say differently: no minus zero.
      ...(data === null ? {} : { backendData: JSON.parse(JSON.stringify(data)) }),
    }))
  it('read what they say', () =>
    fc.assert(
      fc.property(attributes, (one) => {
        expect(parseAttributes(encodeAttributes(one))).toEqual(one)
      }),
    ))
  it('have the members and the order of the original', () =>
    expect(
      encodeAttributes({
        publicIp: ip('192.0.2.7'),
        publicIpv6: parseIp6('2001:db8::7') ?? toIp6(0n),
        backendType: 'vxlan',
        backendData: { VNI: 1, VtepMAC: '0a:58:0a:05:22:00' },
        backendV6Data: null,
      }),
    ).toBe(
      '{"PublicIP":"192.0.2.7","PublicIPv6":"2001:db8::7","BackendType":"vxlan",' +
        '"BackendData":{"VNI":1,"VtepMAC":"0a:58:0a:05:22:00"},"BackendV6Data":null}',
    ))
  it.each([
    ['not JSON', '192.0.2.7'],
    ['a list', '[]'],
    ['an owner by IPv6 only', '{"PublicIP":"2001:db8::7"}'],
    ['an owner that is null', '{"PublicIP":null}'],
    ['an escaped address', '{"PublicIP":"192.0.2\\u002e7"}'],
    ['a bad IPv6 owner', '{"PublicIP":"192.0.2.7","PublicIPv6":"x"}'],
    ['a type that is a number', '{"PublicIP":"192.0.2.7","BackendType":1}'],
    ['too long a value', `{"PublicIP":"192.0.2.7","BackendData":"${'x'.repeat(leaseValueLengthMax)}"}`],
  ])('%s: no attributes', (_, text) => expect(parseAttributes(text)).toBeUndefined())
  it('say the same however they are spelled', () =>
    fc.assert(
      fc.property(attributes, (one) => {
        const text = encodeAttributes(one)
        // An unknown member with an escape in it takes the careful way.
        expect(parseAttributes(`{"x":"\\u0061",${text.slice(1)}`)).toEqual(parseAttributes(text))
      }),
    ))
  it('heed the last of two members, and every bad address', () => {
    expect(parseAttributes('{"PublicIP":"192.0.2.7","publicip":"192.0.2.8"}')?.publicIp).toBe(ip('192.0.2.8'))
    expect(parseAttributes('{"PublicIP":"x","PublicIP":"192.0.2.8"}')).toBeUndefined()
  })
  it('name nobody without PublicIP', () => expect(parseAttributes('null')).toEqual({ publicIp: 0, backendType: '' }))
  it('take any text', () => fc.assert(fc.property(fc.string(), (text) => void parseAttributes(text))))
})

describe('readLease', () => {
  it('keeps the key as it stands in the store', () =>
    expect(readLease({ key: '10.5.34.0-024', value: '{"PublicIP":"192.0.2.7"}', ttlSeconds: 5 })).toEqual({
      kind: 'lease',
      lease: {
        key: '10.5.34.0-024',
        subnet: { v4: net4(ip('10.5.34.0'), 24) },
        attributes: { publicIp: ip('192.0.2.7'), backendType: '' },
        ttlSeconds: 5,
      },
    }))
  it('blocks a subnet whose value names no owner', () =>
    expect(readLease({ key: '10.5.34.0-24', value: 'x' }).kind).toBe('blocked'))
  it('calls other keys junk', () => expect(readLease({ key: 'foo', value: '{}' }).kind).toBe('junk'))
})

describe('subnets', () => {
  it('overlap in either family', () => {
    const dual = parseSubnetKey('10.42.3.0-24&fc00:42:0:3::-64')
    const other = parseSubnetKey('10.42.4.0-24&fc00:42::-48')
    const third = parseSubnetKey('10.42.5.0-24')
    expect(dual && other && subnetsOverlap(dual, other)).toBe(true)
    expect(dual && third && subnetsOverlap(dual, third)).toBe(false)
  })
  it('are the same in both families only', () => {
    const v4 = net4(ip('10.42.3.0'), 24)
    expect(sameSubnet({ v4 }, { v4 })).toBe(true)
    expect(sameSubnet({ v4 }, { v4, v6: net6(toIp6(1n << 127n), 64) })).toBe(false)
  })
})
