import { describe, expect, it } from 'vitest'
import { chooseExternalInterface, type InterfaceOptions } from './external-interface.ts'
import { emptyState, type NetworkState } from './network-state.ts'

const machine: NetworkState = {
  ...emptyState,
  links: [
    { name: 'lo', kind: '', mtu: 65536, up: true, index: 1 },
    { name: 'eth0', kind: '', mtu: 1500, up: true, index: 2 },
    { name: 'eth1', kind: '', mtu: 9000, up: true, index: 3 },
    { name: 'eth10', kind: '', mtu: 1400, up: true, index: 4 },
    { name: 'bare0', kind: '', mtu: 1500, up: true, index: 5 },
    { name: 'dead0', kind: '', mtu: 0, up: true, index: 6 },
    { name: 'll0', kind: '', mtu: 1500, up: true, index: 7 },
  ],
  addresses: [
    { device: 'lo', address: '127.0.0.1/8' },
    { device: 'eth0', address: '10.0.0.1/24' },
    { device: 'eth0', address: '10.0.0.2/24' },
    { device: 'eth0', address: 'fe80::1/64' },
    { device: 'eth0', address: 'fd00::1/64' },
    { device: 'eth1', address: '169.254.7.7/16' },
    { device: 'eth1', address: '192.168.1.1/24' },
    { device: 'eth10', address: '10.0.0.15/32' },
    { device: 'dead0', address: '10.3.0.1/24' },
    { device: 'll0', address: '169.254.3.3/16' },
  ],
  routes: [
    { destination: '0.0.0.0/0', gateway: '10.0.0.254', device: 'eth0' },
    { destination: '0.0.0.0/0', gateway: '192.168.1.254', device: 'eth1', metric: 100 },
  ],
}
const choose = (options: InterfaceOptions, state = machine): unknown => {
  const chosen = chooseExternalInterface(
    options,
    state,
    new Map([['8.8.8.8', { device: 'eth1', source: '192.168.1.1' }]]),
  )
  return chosen.ok ? `${chosen.value.device} ${chosen.value.address} ${chosen.value.mtu}` : chosen.error
}

describe('the external interface', () => {
  it.each<[string, InterfaceOptions, string]>([
    ['of the default route', {}, 'eth0 10.0.0.1 1500'],
    ['by name, not link-local', { interfaces: ['eth1'] }, 'eth1 192.168.1.1 9000'],
    ['by name, link-local when there is nothing else', { interfaces: ['ll0'] }, 'll0 169.254.3.3 1500'],
    ['by an address that is not the first: that address', { interfaces: ['10.0.0.2'] }, 'eth0 10.0.0.2 1500'],
    ['the second name when there is no first', { interfaces: ['nic9', 'eth10'] }, 'eth10 10.0.0.15 1400'],
    ['names before patterns', { patterns: ['eth0'], interfaces: ['eth1'] }, 'eth1 192.168.1.1 9000'],
    ['by pattern of the address', { patterns: ['192\\.168'] }, 'eth1 192.168.1.1 9000'],
    ['by pattern of the name', { patterns: ['^eth10$'] }, 'eth10 10.0.0.15 1400'],
    ['by pattern with flags', { patterns: ['(?i)ETH1'] }, 'eth1 192.168.1.1 9000'],
    ['the next pattern when one is bad', { patterns: ['(', 'eth1'] }, 'eth1 192.168.1.1 9000'],
    ['by an address to be reached', { canReach: ['8.8.8.8'] }, 'eth1 192.168.1.1 9000'],
  ])('%s', (_, options, found) => expect(choose(options)).toBe(found))

  const none = 'Failed to find interface to use that matches the interfaces and/or regexes provided'
  it.each<[InterfaceOptions, readonly unknown[]]>([
    [{ interfaces: ['nic9'] }, [expect.stringContaining('matching nic9: error looking up interface nic9')]],
    [
      { interfaces: ['10.9.9.9'] },
      ['Could not find valid interface matching 10.9.9.9: No interface with given IP found'],
    ],
    [{ interfaces: ['bare0'] }, [expect.stringContaining('failed to find IPv4 address for interface bare0')]],
    [{ interfaces: ['dead0'] }, [expect.stringContaining('failed to determine MTU for 10.3.0.1 interface')]],
    [
      { patterns: ['nic', '('] },
      [expect.stringContaining('Could not match pattern nic'), expect.stringContaining('regex')],
    ],
    [{ canReach: ['1.1.1.1'] }, [expect.stringContaining('no route to 1.1.1.1')]],
  ])('%j: none, and why', (options, tries) => expect(choose(options)).toEqual({ message: none, tries }))

  it('says what the default route lacks', () => {
    expect(choose({}, { ...machine, routes: [] })).toMatchObject({ message: /Unable to find default route/ })
    expect(choose({}, { ...machine, routes: [{ destination: '0.0.0.0/0' }] })).toMatchObject({
      message: /could not determine interface/,
    })
  })
  it('warns when a pattern means several links, and takes the first', () => {
    expect(chooseExternalInterface({ patterns: ['10.0.0.1'] }, machine)).toMatchObject({
      value: { device: 'eth0', warnings: [expect.stringContaining('eth0 (10.0.0.1), eth10 (10.0.0.15)')] },
    })
  })
  it('has the address of the other family, too', () => {
    expect(chooseExternalInterface({ interfaces: ['eth0'], family: 'both' }, machine)).toMatchObject({
      value: { address: '10.0.0.1', addressV6: 'fd00::1' },
    })
    expect(chooseExternalInterface({ interfaces: ['eth1'], family: 'both' }, machine)).toMatchObject({
      error: { tries: [expect.stringContaining('failed to find IPv6 address for interface eth1')] },
    })
  })
})
