import { describe, expect, it } from 'vitest'
import { net4, parseIp4, parseNet4, toIp4 } from './ip-net.ts'
import type { LeaseAttributes } from './lease.ts'
import { foreignWriter, networkConflicts } from './local-conflicts.ts'

const ip = (text: string) => parseIp4(text) ?? toIp4(0)
const net = (text: string) => parseNet4(text) ?? net4(toIp4(0), 0)

const conflicts = (network: string) =>
  networkConflicts({
    network: net(network),
    routes: [
      { destination: net('0.0.0.0/0'), device: 'eth0' },
      { destination: net('10.78.0.0/24'), device: 'eth0' },
      { destination: net('10.5.34.0/24'), device: 'docker0' },
      { destination: net('10.5.7.0/24'), device: 'flannel.1' },
    ],
    addresses: [
      { ip: ip('10.78.0.2'), device: 'eth0' },
      { ip: ip('10.5.34.1'), device: 'docker0' },
    ],
    stores: [ip('10.79.0.1')],
    ownDevices: ['flannel.1', 'docker0'],
  }).map(({ text }) => text)

describe('networkConflicts', () => {
  it('finds none where only our devices are', () => expect(conflicts('10.5.0.0/16')).toEqual([]))
  it('names the route, the address and the store', () =>
    expect(conflicts('10.76.0.0/14')).toEqual([
      'Network 10.76.0.0/14 overlaps the route to 10.78.0.0/24 on eth0',
      'Network 10.76.0.0/14 holds the address 10.78.0.2 of eth0',
      'Network 10.76.0.0/14 holds the address 10.79.0.1 of the store',
    ]))
  it('finds a network inside a link, too', () =>
    expect(conflicts('10.78.0.128/25')).toEqual(['Network 10.78.0.128/25 overlaps the route to 10.78.0.0/24 on eth0']))
  it('needs routes only', () => expect(networkConflicts({ network: net('10.5.0.0/16'), routes: [] })).toEqual([]))
})

describe('foreignWriter', () => {
  const own: LeaseAttributes = { publicIp: ip('192.0.2.1'), backendType: 'vxlan', backendData: { VtepMAC: 'aa' } }
  it('finds nothing in what we wrote', () => expect(foreignWriter(own, { ...own })).toBeUndefined())
  it('names the new owner', () =>
    expect(foreignWriter(own, { ...own, publicIp: ip('192.0.2.9') })).toBe('the lease now belongs to 192.0.2.9'))
  it('tells of a second machine with our address', () =>
    expect(foreignWriter(own, { ...own, backendData: { VtepMAC: 'bb' } })).toMatch(
      /another machine writes this lease as 192\.0\.2\.1 too: .*"bb".*"aa".*a public address of its own/,
    ))
})
