/** States that nobody makes on purpose: keys spelled in another way, links below the overlay, refusals by the thousand. */
import { createModelKernel, type NetworkCommand } from '@cluster/linux-net/state'
import { ClusterError, isClusterError } from '@cluster/prelude'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  bareMachine,
  createTestNetwork,
  prefix,
  subnetOf,
  type TestMachine,
  type TestNetwork,
  vxlanConfig,
} from './test-overlay.ts'

let network: TestNetwork
beforeEach(async () => {
  network = createTestNetwork()
  await network.setConfig(vxlanConfig)
})
afterEach(() => network.stopAll())

class MissingProgram extends ClusterError<'linux-net/program-missing'> {}

const never = new AbortController().signal
const peer = (number: number): string =>
  JSON.stringify({
    PublicIP: `10.78.1.${number}`,
    BackendType: 'vxlan',
    BackendData: { VtepMAC: `02:00:00:00:00:${number.toString(16).padStart(2, '0')}` },
  })
const refusals = (machine: TestMachine): number =>
  machine.messages().filter((message) => message === 'the kernel refused a command, it is tried again').length

describe('a lease of ours whose key has host bits', () => {
  it.each(['10.5.70.9-24', '10.5.70.0-024'])('%s is nobody’s: neither adopted nor given away', async (key) => {
    await network.kv.put(`${prefix}/subnets/${key}`, JSON.stringify({ PublicIP: '10.78.0.11' }))
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    const before = await network.leases()
    expect(subnetOf(machine)).not.toBe('10.5.70.0/24')
    await network.kv.put(`${prefix}/subnets/10.5.240.0-24`, peer(40))
    await network.clock.advance(60_000)
    expect(machine.messages()).not.toContain('our lease had vanished from the store and was made again')
    expect(await network.leases()).toMatchObject(before)
  })
})

describe('check', () => {
  const below: readonly (readonly [string, NetworkCommand, string, string])[] = [
    ['the link below is down', { kind: 'set-link', device: 'eth0', up: false }, 'link', 'eth0 is down'],
    [
      'a blackhole is in the way',
      { kind: 'replace-route', route: { type: 'blackhole', destination: '10.5.240.0/24' } },
      'route',
      'blackhole 10.5.240.0/24, wanted 10.5.240.0/24 via 10.5.240.0 dev flannel.1',
    ],
  ]
  it.each(below)('tells that %s', async (_, command, broken, found) => {
    await network.kv.put(`${prefix}/subnets/10.5.240.0-24`, peer(40))
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    machine.kernel.disturb(command)
    const report = await machine.flannel.check('10.5.240.2', never)
    expect(report.broken).toBe(broken)
    expect(report.hops.find(({ name }) => name === broken)?.found).toBe(found)
  })
})

describe('the log', () => {
  it('tells once that a device cannot be made, and not of what hangs on it', async () => {
    let isRefusing = false
    const kernel = createModelKernel({
      initial: bareMachine('10.78.0.11'),
      fail: ({ kind }) => {
        if (!isRefusing) return undefined
        if (kind === 'add-link') return { reason: 'unsupported', text: 'Error: Unknown device type.' }
        return { reason: 'skipped', text: 'its device could not be made' }
      },
    })
    for (let number = 1; number <= 100; number++) {
      await network.kv.put(`${prefix}/subnets/10.5.${100 + number}.0-24`, peer(number))
    }
    const machine = network.start('10.78.0.11', { kernel })
    await network.clock.advance(1000)
    isRefusing = true
    kernel.disturb({ kind: 'delete-link', device: 'flannel.1' })
    await network.clock.advance(60_000)
    expect(refusals(machine)).toBe(1)
    expect(machine.flannel.status().kernel.repairs).toBe(0)
    expect(machine.flannel.status().kernel.failures).toHaveLength(1)
  })

  it('is not filled by a kernel that refuses everything', async () => {
    let isRefusing = false
    const kernel = createModelKernel({
      initial: bareMachine('10.78.0.11'),
      fail: ({ kind }) =>
        isRefusing && kind !== 'add-link' ? { reason: 'no-permission', text: 'Operation not permitted' } : undefined,
    })
    const machine = network.start('10.78.0.11', { kernel })
    await network.clock.advance(1000)
    isRefusing = true
    machine.kv.setUnavailable(true)
    for (let number = 1; number <= 100; number++) {
      await network.kv.put(`${prefix}/subnets/10.5.${100 + number}.0-24`, peer(number))
    }
    machine.kv.setUnavailable(false)
    await network.clock.advance(60_000)
    expect(refusals(machine)).toBe(11)
    expect(machine.flannel.status().kernel.failures).toHaveLength(300)
  })
})

describe('without rights', () => {
  it.each(['vxlan', 'host-gw', 'udp'])('%s does not even take a lease, whatever device is there', async (type) => {
    await network.setConfig({ Network: '10.5.0.0/16', Backend: { Type: type } })
    const vxlan = { vni: 1, underlay: 'eth0', local: '10.78.0.11', port: 8472, learning: false, gbp: false }
    const left = { name: 'flannel.1', kind: 'vxlan', mtu: 1450, up: true, mac: '02:00:00:00:00:aa', vxlan }
    const bare = bareMachine('10.78.0.11')
    const kernel = createModelKernel({
      initial: { ...bare, links: [...bare.links, { ...left, alias: `cluster-overlay:${prefix}` }] },
      fail: () => ({ reason: 'no-permission', text: 'RTNETLINK answers: Operation not permitted' }),
    })
    const machine = network.start('10.78.0.11', { kernel })
    await network.clock.advance(1000)
    const end = machine.end()
    expect(typeof end === 'object' && isClusterError(end.error, 'flannel/kernel-refused')).toBe(true)
    expect(await network.leases()).toEqual({})
    expect(kernel.state().links).toHaveLength(3)
  })
})

it.each([
  ['at the start ends the service', 1, 'linux-net/program-missing'],
  ['later is waited for', 3, undefined],
])('a program that is missing %s', async (_, looks, code) => {
  let looked = 0
  const kernel = createModelKernel({
    initial: bareMachine('10.78.0.11'),
    failObserve: () => {
      looked += 1
      return looked > looks
        ? new MissingProgram('linux-net/program-missing', 'the program bridge is not there')
        : undefined
    },
  })
  const machine = network.start('10.78.0.11', { kernel })
  await network.clock.advance(60_000)
  const end = machine.end()
  expect(typeof end === 'object' && isClusterError(end.error) ? end.error.code : undefined).toBe(code)
})
