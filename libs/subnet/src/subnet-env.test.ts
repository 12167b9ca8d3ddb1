import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { net4, net6, toIp4, toIp6 } from './ip-net.ts'
import { describeSubnet } from './lease.ts'
import { parseSubnetEnv, parseVariables, previousSubnet, renderSubnetEnv, type SubnetEnv } from './subnet-env.ts'

const nets4 = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: 30 }))
  .map(([ip, length]) => net4(toIp4(ip), length))
const nets6 = fc
  .tuple(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.integer({ min: 1, max: 126 }))
  .map(([ip, length]) => net6(toIp6(ip), length))
const common = { mtu: fc.integer({ min: 1, max: 65_535 }), ipMasq: fc.boolean() }
const envs: fc.Arbitrary<SubnetEnv> = fc.oneof(
  fc.record({ network: nets4, subnet: nets4, ...common }),
  fc.record({ ipv6Network: nets6, ipv6Subnet: nets6, ...common }),
  fc.record({ network: nets4, subnet: nets4, ipv6Network: nets6, ipv6Subnet: nets6, ...common }),
)

const previous = (text: string) => {
  const reading = previousSubnet(text)
  if (!reading.ok) return reading.error.text
  return reading.value === undefined ? undefined : describeSubnet(reading.value)
}

describe('the subnet file', () => {
  it('is that of the original, byte for byte', () =>
    expect(
      renderSubnetEnv({
        network: net4(toIp4(0x0a05_0000), 16),
        subnet: net4(toIp4(0x0a05_2200), 24),
        mtu: 1450,
        ipMasq: true,
      }),
    ).toBe('FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.34.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n'))
  it('has the IPv6 pair behind the other', () =>
    expect(
      renderSubnetEnv({
        network: net4(toIp4(0x0a05_0000), 16),
        subnet: net4(toIp4(0x0a05_2200), 24),
        ipv6Network: net6(toIp6(0xfc00n << 112n), 48),
        ipv6Subnet: net6(toIp6((0xfc00n << 112n) | (3n << 64n)), 64),
        mtu: 1430,
        ipMasq: false,
      }).split('\n'),
    ).toEqual([
      'FLANNEL_NETWORK=10.5.0.0/16',
      'FLANNEL_SUBNET=10.5.34.1/24',
      'FLANNEL_IPV6_NETWORK=fc00::/48',
      'FLANNEL_IPV6_SUBNET=fc00:0:0:3::1/64',
      'FLANNEL_MTU=1430',
      'FLANNEL_IPMASQ=false',
      '',
    ]))
  it('reads what it writes', () =>
    fc.assert(
      fc.property(envs, (env) => {
        expect(parseSubnetEnv(renderSubnetEnv(env))).toEqual({ ok: true, value: env })
      }),
    ))
  it.each([
    ['', 'FLANNEL_SUBNET of the subnet file: it is not there'],
    ['FLANNEL_SUBNET=10.5.1.1/24\nFLANNEL_MTU=x', 'FLANNEL_MTU of the subnet file: it must be a whole number above 0'],
    ['FLANNEL_SUBNET=10.5.1.1/24\nFLANNEL_MTU=1', 'FLANNEL_IPMASQ of the subnet file: it must be true or false'],
    ['FLANNEL_NETWORK=x', 'FLANNEL_NETWORK of the subnet file: an address and a length are expected, found "x"'],
    [
      'FLANNEL_IPV6_NETWORK=x',
      'FLANNEL_IPV6_NETWORK of the subnet file: an address and a length are expected, found "x"',
    ],
    ['FLANNEL_SUBNET=x', 'FLANNEL_SUBNET of the subnet file: an address and a length are expected, found "x"'],
  ])('%j is refused', (text, expected) => expect(parseSubnetEnv(text)).toMatchObject({ error: { text: expected } }))
})

describe('the previous subnet', () => {
  it.each([
    ['FLANNEL_SUBNET=10.5.34.1/24', '10.5.34.0/24'],
    ['# a comment\n\nexport FLANNEL_SUBNET="10.5.34.1/24" # more', '10.5.34.0/24'],
    ["FLANNEL_SUBNET = '10.5.34.1/24'\r\n", '10.5.34.0/24'],
    ['FLANNEL_SUBNET: 10.5.34.1/24   # yaml', '10.5.34.0/24'],
    ['FLANNEL_SUBNET=10.5.1.1/24\nFLANNEL_SUBNET=10.5.2.1/24', '10.5.2.0/24'],
    ['FLANNEL_SUBNET=10.5.34.1/24\nFLANNEL_IPV6_SUBNET=fc00:0:0:3::1/64', '10.5.34.0/24 and fc00:0:0:3::/64'],
    ['FLANNEL_SUBNET=', undefined],
    ['nonsense', undefined],
    ['', undefined],
    [
      'FLANNEL_SUBNET=10.5.1.1/24,10.5.2.1/24',
      'FLANNEL_SUBNET of the subnet file: one subnet is expected, found "10.5.1.1/24,10.5.2.1/24"',
    ],
    [
      'FLANNEL_IPV6_SUBNET=x',
      'FLANNEL_IPV6_SUBNET of the subnet file: an address and a length are expected, found "x"',
    ],
  ])('of %j', (text, expected) => expect(previous(text)).toBe(expected))
  it('of any text is one, none or a complaint', () =>
    fc.assert(fc.property(fc.string(), (text) => void previous(text))))
})

describe('variables', () => {
  it('have quotes and escapes undone', () =>
    expect([...parseVariables('A="x\\n\\"y"\nB=\'a\\n\'\nC=a#b\nD=#x\nE=a #b')]).toEqual([
      ['A', 'x\n"y'],
      ['B', 'a\\n'],
      ['C', 'a#b'],
      ['D', ''],
      ['E', 'a'],
    ]))
})
