import { type Random, seededRandom } from '@cluster/prelude'
import { describe, expect, it } from 'vitest'
import {
  type Allocation,
  type AllocationAnswer,
  type AllocationPolicy,
  beginAllocation,
  carefulPolicy,
  continueAllocation,
  isFinished,
  originalPolicy,
} from './allocate.ts'
import { parseIp4, parseIp6, toIp4, toIp6 } from './ip-net.ts'
import { parseSubnetKey, readLease, type Subnet, subnetKey } from './lease.ts'
import { type NetworkConfig, parseNetworkConfig } from './network-config.ts'
import type { Applicant, ListedLease } from './plan-allocation.ts'

const configOf = (text: string): NetworkConfig => {
  const reading = parseNetworkConfig(text)
  if (!reading.ok) throw new Error(reading.error.text)
  return reading.value.config
}

const small = configOf('{"Network":"10.5.0.0/22"}')
const publicIp = parseIp4('192.0.2.1') ?? toIp4(0)
const subnet = (key: string): Subnet => parseSubnetKey(key) ?? {}

const mine = (key: string): ListedLease => lease(key, '192.0.2.1')
const theirs = (key: string): ListedLease => lease(key, '198.51.100.9')
const reservation = (key: string): ListedLease => {
  const { ttlSeconds: _, ...rest } = mine(key)
  return rest
}

function lease(key: string, owner: string): ListedLease {
  const reading = readLease({ key, value: JSON.stringify({ PublicIP: owner }), ttlSeconds: 80_000 })
  if (reading.kind !== 'lease') throw new Error(reading.reason)
  return reading.lease
}

const listed = (...leases: readonly ListedLease[]): AllocationAnswer => ({ kind: 'listed', listing: { leases } })
const done: AllocationAnswer = { kind: 'done' }
const conflict: AllocationAnswer = { kind: 'conflict' }
const lowest: Random = { next: () => 0 }

/** The steps that the answers lead to, the one that is left last. */
function play(
  applicant: Partial<Applicant>,
  answers: readonly AllocationAnswer[],
  policy: AllocationPolicy = { ...carefulPolicy, pauseMs: 0 },
): readonly string[] {
  let allocation: Allocation = beginAllocation({ config: small, publicIp, ...applicant }, policy)
  const steps = [shown(allocation)]
  for (const answer of answers) {
    allocation = continueAllocation(allocation, answer, lowest)
    steps.push(shown(allocation))
  }
  return steps
}

function shown({ step }: Allocation): string {
  switch (step.kind) {
    case 'delete':
      return `delete ${step.lease.key}`
    case 'adopt':
      return `adopt ${step.lease.key} ttl=${step.ttlSeconds ?? 'none'}`
    case 'create':
      return `create ${step.key} ttl=${step.ttlSeconds}`
    case 'acquired':
      return `${step.how} ${subnetKey(step.subnet)} as ${step.key} ttl=${step.ttlSeconds ?? 'none'}`
    case 'failed':
      return `${step.code}: ${step.text}`
    case 'pause':
      return `pause ${step.delayMs}`
    default:
      return step.kind
  }
}

describe('a machine without a subnet', () => {
  it('creates one and looks once more', () =>
    expect(play({}, [listed(), done, listed(mine('10.5.1.0-24'))])).toEqual([
      'list',
      'create 10.5.1.0-24 ttl=86400',
      'list',
      'created 10.5.1.0-24 as 10.5.1.0-24 ttl=86400',
    ]))
  it('gives way to a lease that overlaps, and does not come back to its subnet', () =>
    expect(
      play({ previous: subnet('10.5.1.0-24') }, [
        listed(),
        done,
        listed(theirs('10.5.1.128-25'), mine('10.5.1.0-24')),
        done,
        listed(),
        done,
      ]).slice(2),
    ).toEqual(['list', 'delete 10.5.1.0-24', 'list', 'create 10.5.1.0-24 ttl=86400', 'list']))
  it('begins anew when its lease is gone at the second look', () =>
    expect(play({}, [listed(), done, listed(), listed()]).slice(2)).toEqual([
      'list',
      'list',
      'create 10.5.1.0-24 ttl=86400',
    ]))
  it('draws again after a lost race', () =>
    expect(play({}, [listed(), conflict, listed(theirs('10.5.1.0-24'))])).toEqual([
      'list',
      'create 10.5.1.0-24 ttl=86400',
      'list',
      'create 10.5.2.0-24 ttl=86400',
    ]))
  it('does not insist on a previous subnet whose key cannot be read', () =>
    expect(play({ previous: subnet('10.5.3.0-24') }, [listed(), conflict, listed()]).slice(1)).toEqual([
      'create 10.5.3.0-24 ttl=86400',
      'list',
      'create 10.5.1.0-24 ttl=86400',
    ]))
  it('leaves alone what a key without an owner blocks', () => {
    const listing = { leases: [], blocked: [subnet('10.5.1.0-24')] }
    expect(play({}, [{ kind: 'listed', listing }])).toContain('create 10.5.2.0-24 ttl=86400')
  })
  it('does not heed a lease that is wider than the network', () =>
    expect(play({}, [listed(theirs('10.0.0.0-8'))])).toContain('create 10.5.1.0-24 ttl=86400'))
  it('is told when there is none', () =>
    expect(play({}, [listed(theirs('10.5.0.0-22'))])).toEqual(['list', 'subnet/out-of-subnets: out of subnets']))
})

describe('a machine with a lease', () => {
  it('adopts it', () =>
    expect(play({}, [listed(theirs('10.5.1.0-24'), mine('10.5.2.0-24')), done])).toEqual([
      'list',
      'adopt 10.5.2.0-24 ttl=86400',
      'adopted 10.5.2.0-24 as 10.5.2.0-24 ttl=86400',
    ]))
  it('keeps a reservation one', () =>
    expect(play({}, [listed(reservation('10.5.2.0-24')), done]).slice(1)).toEqual([
      'adopt 10.5.2.0-24 ttl=none',
      'adopted 10.5.2.0-24 as 10.5.2.0-24 ttl=none',
    ]))
  it('adopts it under the key that it has', () =>
    expect(play({}, [listed(mine('10.5.2.7-024')), done]).at(-1)).toBe('adopted 10.5.2.0-24 as 10.5.2.7-024 ttl=86400'))
  it('looks again when it changed meanwhile', () =>
    expect(play({}, [listed(mine('10.5.2.0-24')), conflict]).at(-1)).toBe('list'))
  it('gives it up when it overlaps that of another', () =>
    expect(play({}, [listed(mine('10.5.2.0-24'), theirs('10.5.2.0-25')), done]).slice(1)).toEqual([
      'delete 10.5.2.0-24',
      'create 10.5.1.0-24 ttl=86400',
    ]))
  it('deletes all that do not fit, and takes one that is gone for deleted', () =>
    expect(
      play({}, [listed(mine('10.5.2.0-25'), mine('10.9.0.0-24')), { kind: 'conflict', isGone: true }, done]).slice(1),
    ).toEqual(['delete 10.5.2.0-25', 'delete 10.9.0.0-24', 'create 10.5.1.0-24 ttl=86400']))
  it('does not delete what another has written there meanwhile', () =>
    expect(play({}, [listed(mine('10.5.2.0-25')), conflict]).at(-1)).toBe('list'))
})

describe('a previous subnet', () => {
  it.each([
    ['free', [], 'create 10.5.3.0-24 ttl=86400'],
    ["another's", [theirs('10.5.3.0-24')], 'create 10.5.1.0-24 ttl=86400'],
    ['overlapped', [theirs('10.5.3.128-25')], 'create 10.5.1.0-24 ttl=86400'],
  ])('that is %s', (_, leases, expected) =>
    expect(play({ previous: subnet('10.5.3.0-24') }, [listed(...leases)]).at(-1)).toBe(expected),
  )
  it.each([['10.5.3.0-25'], ['10.6.3.0-24'], ['10.5.0.0-24'], ['10.5.3.0-24&fc00::-64']])(
    '%s that the configuration does not give out is ignored',
    (key) => expect(play({ previous: subnet(key) }, [listed()]).at(-1)).toBe('create 10.5.1.0-24 ttl=86400'),
  )
})

describe('one subnet or none', () => {
  const only = subnet('10.5.3.0-24')
  it.each([
    ['free', [], 'create 10.5.3.0-24 ttl=86400'],
    ['still ours', [mine('10.5.2.0-24'), mine('10.5.3.0-24')], 'adopt 10.5.3.0-24 ttl=86400'],
    [
      'taken',
      [theirs('10.5.3.0-24'), mine('10.5.2.0-25')],
      'subnet/taken: subnet 10.5.3.0/24 is no longer free for 192.0.2.1',
    ],
  ])('that is %s', (_, leases, expected) => expect(play({ only }, [listed(...leases)]).at(-1)).toBe(expected))
})

describe('without IPv4', () => {
  it('machines are told apart by their IPv6 address', () => {
    const config = configOf('{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/48"}')
    const publicIpv6 = parseIp6('2001:db8::7') ?? toIp6(0n)
    const reading = readLease({
      key: '0.0.0.0-0&fc00:0:0:5::-64',
      value: '{"PublicIP":"0.0.0.0","PublicIPv6":"2001:db8::7"}',
      ttlSeconds: 5,
    })
    if (reading.kind !== 'lease') throw new Error(reading.reason)
    expect(play({ config, publicIpv6 }, [listed(reading.lease)]).at(-1)).toBe(
      'adopt 0.0.0.0-0&fc00:0:0:5::-64 ttl=86400',
    )
    expect(play({ config }, [listed(reading.lease)]).at(-1)).toBe('create 0.0.0.0-0&fc00:0:0:1::-64 ttl=86400')
  })
})

describe('policies', () => {
  it('of the original end after ten lost races', () => {
    const steps = play({}, Array.from({ length: 10 }, () => [listed(), conflict]).flat(), originalPolicy)
    expect(steps.filter((step) => step.startsWith('create')).length).toBe(10)
    expect(steps.at(-1)).toBe('subnet/max-retries: Max retries reached trying to acquire a subnet')
  })
  it('of the original end when nobody answers', () =>
    expect(play({}, [{ kind: 'no-answer', text: 'refused' }], originalPolicy).at(-1)).toBe('subnet/no-answer: refused'))
  it('of ours look again when nobody answers, whatever was asked', () =>
    expect(play({}, [listed(), { kind: 'no-answer', text: 'timeout' }, listed(mine('10.5.1.0-24'))]).at(-1)).toBe(
      'adopt 10.5.1.0-24 ttl=86400',
    ))
  it('of ours pause longer and longer, by chance, up to two seconds', () => {
    const random = seededRandom(2)
    let allocation: Allocation = beginAllocation({ config: small, publicIp })
    const pauses: number[] = []
    for (let round = 0; round < 40; round++) {
      for (const answer of [listed(), conflict]) allocation = continueAllocation(allocation, answer, random)
      expect(allocation.step.kind).toBe('pause')
      if (allocation.step.kind === 'pause') pauses.push(allocation.step.delayMs)
      allocation = continueAllocation(allocation, done, random)
    }
    pauses.forEach((pause, index) => {
      expect(pause).toBeLessThanOrEqual(Math.min(2_000, 20 * 2 ** index))
    })
    expect(Math.max(...pauses)).toBeGreaterThan(1_000)
  })
})

describe('the end', () => {
  it('stays the end', () => {
    let allocation: Allocation = beginAllocation({ config: small, publicIp })
    for (const answer of [listed(mine('10.5.2.0-24')), done])
      allocation = continueAllocation(allocation, answer, lowest)
    expect(isFinished(allocation)).toBe(true)
    expect(continueAllocation(allocation, listed(), lowest)).toBe(allocation)
  })
})
