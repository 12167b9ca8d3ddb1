import { seededRandom } from '@cluster/prelude'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { candidatesMax, drawFreeSubnet } from './free-subnets.ts'
import { formatNet4, formatNet6, net4, parseNet4, parseNet6, toIp4 } from './ip-net.ts'
import { describeSubnet, type Subnet, subnetsOverlap } from './lease.ts'
import { type NetworkConfig, parseNetworkConfig } from './network-config.ts'

const configOf = (members: Readonly<Record<string, unknown>>): NetworkConfig => {
  const reading = parseNetworkConfig(JSON.stringify(members))
  if (!reading.ok) throw new Error(reading.error.text)
  return reading.value.config
}

/** All that can be drawn, by drawing at every point of the scale. */
const drawable = (config: NetworkConfig, taken: readonly Subnet[]): readonly string[] => {
  const points = Array.from({ length: 2 * candidatesMax }, (_, index) => index / (2 * candidatesMax))
  const drawn = points.flatMap((point) => drawFreeSubnet(config, taken, { next: () => point }) ?? [])
  return [...new Set(drawn.map(({ subnet }) => describeSubnet(subnet)))]
}

/** The rule as it is told, step by step. */
function naive({ subnetMin, subnetMax, subnetLength }: NetworkConfig, taken: readonly Subnet[]): readonly string[] {
  const free: string[] = []
  for (let ip: number = subnetMin; ip <= subnetMax && free.length < candidatesMax; ip += 2 ** (32 - subnetLength)) {
    const v4 = net4(toIp4(ip), subnetLength)
    if (!taken.some((other) => subnetsOverlap({ v4 }, other))) free.push(formatNet4(v4))
  }
  return free
}

const leases = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 2 ** 11 - 1 }), fc.integer({ min: 20, max: 30 }))
    .map(([offset, length]) => ({ v4: net4(toIp4(0x0a05_0000 + offset * 4), length) })),
  { maxLength: 60 },
)

describe('drawFreeSubnet', () => {
  it('gives what the rule gives, read naively', () =>
    fc.assert(
      fc.property(leases, fc.integer({ min: 22, max: 28 }), (taken, length) => {
        const config = configOf({ Network: '10.5.0.0/19', SubnetLen: length })
        expect([...drawable(config, taken)].sort()).toEqual([...naive(config, taken)].sort())
      }),
    ))
  it('gives each family by itself', () => {
    const config = configOf({
      Network: '10.5.0.0/22',
      EnableIPv6: true,
      IPv6Network: 'fc00::/62',
      IPv6SubnetMin: 'fc00:0:0:2::',
    })
    const taken = [{ v4: parseNet4('10.5.2.0/24') ?? net4(toIp4(0), 0) }]
    const random = seededRandom(3)
    const drawn = Array.from({ length: 200 }, () => drawFreeSubnet(config, taken, random)?.subnet)
    expect(new Set(drawn.map((subnet) => subnet?.v4 && formatNet4(subnet.v4)))).toEqual(
      new Set(['10.5.1.0/24', '10.5.3.0/24']),
    )
    expect(new Set(drawn.map((subnet) => subnet?.v6 && formatNet6(subnet.v6)))).toEqual(
      new Set(['fc00:0:0:2::/64', 'fc00:0:0:3::/64']),
    )
  })
  it('gives none when one family is full', () => {
    const config = configOf({ Network: '10.5.0.0/22', EnableIPv6: true, IPv6Network: 'fc00::/62' })
    const v6 = parseNet6('fc00::/60')
    expect(v6 && drawFreeSubnet(config, [{ v6 }], seededRandom(1))).toBeUndefined()
  })
  it('gives none without any family', () =>
    expect(drawFreeSubnet(configOf({ EnableIPv4: false }), [], seededRandom(1))).toBeUndefined())
  it('reaches the last subnet of the address space', () => {
    const config = configOf({ Network: '255.255.255.0/24', SubnetLen: 26, SubnetMin: '255.255.255.192' })
    expect(drawable(config, [])).toEqual(['255.255.255.192/26'])
  })
})
