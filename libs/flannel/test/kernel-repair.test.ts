/** spec/flannel.md §12: scenarios 13, 14 and 15; what others do to the kernel, and what the kernel refuses. */
import { createModelKernel, type NetworkCommand } from '@cluster/linux-net/state'
import { isClusterError } from '@cluster/prelude'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  bareMachine,
  createTestNetwork,
  overlayRoutes,
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

const mac = '02:00:00:00:00:40'
const peer = JSON.stringify({ PublicIP: '10.78.0.40', BackendType: 'vxlan', BackendData: { VtepMAC: mac } })
const repaired = 'what is ours in the kernel was changed behind our back, repaired'

const codeOf = (machine: TestMachine): string | undefined => {
  const end = machine.end()
  return typeof end === 'object' && isClusterError(end.error) ? end.error.code : undefined
}

describe('what is ours comes back within ten seconds, and the log says so', () => {
  const route = { destination: '10.5.240.0/24', gateway: '10.5.240.0', device: 'flannel.1' }
  it.each<readonly [string, readonly NetworkCommand[]]>([
    ['a deleted route', [{ kind: 'delete-route', route: { ...route, protocol: '156' } }]],
    [
      'a hijacked route',
      [{ kind: 'replace-route', route: { ...route, gateway: '10.78.0.77', device: 'eth0', protocol: 'boot' } }],
    ],
    ['a deleted device', [{ kind: 'delete-link', device: 'flannel.1' }]],
    [
      'a device taken down and up',
      [
        { kind: 'set-link', device: 'flannel.1', up: false },
        { kind: 'set-link', device: 'flannel.1', up: true },
      ],
    ],
    ['a device taken down', [{ kind: 'set-link', device: 'flannel.1', up: false }]],
    ['another MTU', [{ kind: 'set-link', device: 'flannel.1', mtu: 1400 }]],
    ['another hardware address', [{ kind: 'set-link', device: 'flannel.1', mac: '02:00:00:00:00:77' }]],
    ['a flushed neighbour', [{ kind: 'delete-neighbour', neighbour: { device: 'flannel.1', ip: '10.5.240.0', mac } }]],
    [
      'a flushed forwarding entry',
      [{ kind: 'delete-forwarding-entry', entry: { device: 'flannel.1', mac, remote: '10.78.0.40' } }],
    ],
    [
      'a strange forwarding entry',
      [
        {
          kind: 'replace-forwarding-entry',
          entry: { device: 'flannel.1', mac: '02:00:00:00:00:66', remote: '10.78.0.66' },
        },
      ],
    ],
  ])('%s', async (_, commands) => {
    await network.kv.put(`${prefix}/subnets/10.5.240.0-24`, peer)
    const machine = network.start('10.78.0.11')
    await network.clock.advance(3000)
    const before = machine.kernel.state()
    machine.kernel.disturb(...commands)
    expect(machine.kernel.state()).not.toEqual(before)
    await network.clock.advance(2000)
    const sorted = (state: typeof before) => ({
      ...state,
      links: state.links.toSorted((one, other) => one.name.localeCompare(other.name)),
    })
    expect(sorted(machine.kernel.state())).toEqual(sorted(before))
    expect(machine.messages()).toContain(repaired)
    expect(machine.flannel.status().kernel.repairs).toBeGreaterThan(0)
  })

  it('the filter rules', async () => {
    const machine = network.start('10.78.0.11', { config: { masquerade: true } })
    await network.clock.advance(1000)
    const wanted = { network: '10.5.0.0/16', subnet: subnetOf(machine), masquerade: true, forward: true }
    expect(machine.kernel.filters().get('10.5.0.0/16')).toEqual(wanted)
    machine.kernel.dropFilter('10.5.0.0/16')
    await network.clock.advance(5000)
    expect(machine.kernel.filters().get('10.5.0.0/16')).toEqual(wanted)
    expect(machine.messages()).toContain('filter rules of ours were missing or changed, written again')
  })
})

it('nothing is done about what is not ours', async () => {
  const machine = network.start('10.78.0.11')
  await network.clock.advance(3000)
  const applied = machine.kernel.applied.length
  machine.kernel.disturb(
    { kind: 'replace-route', route: { destination: '192.168.7.0/24', gateway: '10.78.0.9', device: 'eth0' } },
    {
      kind: 'replace-route',
      route: { destination: '10.5.250.0/24', gateway: '10.78.0.9', device: 'eth0', protocol: '4' },
    },
    { kind: 'add-link', link: { name: 'flannel.7', kind: 'vxlan', mtu: 1450, up: true } },
  )
  await network.clock.advance(60_000)
  expect(machine.kernel.applied.slice(applied)).toEqual([])
  expect(machine.messages()).not.toContain(repaired)
})

it('what is left of machines that went while the service was down is taken away', async () => {
  const first = network.start('10.78.0.11')
  await network.kv.put(`${prefix}/subnets/10.5.240.0-24`, peer)
  await network.clock.advance(1000)
  await first.stop()
  await network.kv.delete(`${prefix}/subnets/10.5.240.0-24`)
  const { kernel, file } = first
  network.start('10.78.0.11', { kernel, file })
  await network.clock.advance(1000)
  expect(overlayRoutes(kernel)).toEqual([])
  expect(kernel.state().neighbours).toEqual([])
  expect(kernel.state().forwarding).toEqual([])
})

it('the device of the original daemon is taken over with its address', async () => {
  const bare = bareMachine('10.78.0.11')
  const vxlan = { vni: 1, underlay: 'eth0', local: '10.78.0.11', port: 8472, learning: false, gbp: false }
  const kernel = createModelKernel({
    initial: {
      ...bare,
      links: [...bare.links, { name: 'flannel.1', kind: 'vxlan', mtu: 1450, up: true, mac, vxlan }],
      addresses: [...bare.addresses, { device: 'flannel.1', address: '10.5.9.0/32' }],
      forwarding: [{ device: 'flannel.1', mac: '02:00:00:00:00:66', remote: '10.78.0.66' }],
      routes: [
        ...bare.routes,
        { destination: '10.5.66.0/24', gateway: '10.5.66.0', device: 'flannel.1', onlink: true, protocol: 'boot' },
      ],
    },
  })
  const value = { PublicIP: '10.78.0.11', BackendType: 'vxlan', BackendData: { VtepMAC: mac } }
  await network.kv.put(`${prefix}/subnets/10.5.9.0-24`, JSON.stringify(value), { ttlSeconds: 3600 })
  const machine = network.start('10.78.0.11', { kernel })
  await network.clock.advance(1000)
  expect(await network.leases()).toEqual({ '10.5.9.0-24': value })
  expect(kernel.applied.filter((line) => /^link (add|delete)/.test(line))).toEqual([])
  expect(overlayRoutes(kernel)).toEqual([])
  expect(kernel.state().forwarding).toEqual([])
  expect(machine.flannel.status().ready).toBe(true)
})

describe('at the start it is refused', () => {
  it('to lie over the own link', async () => {
    await network.setConfig({ ...vxlanConfig, Network: '10.78.0.0/16' })
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    expect(codeOf(machine)).toBe('flannel/network-overlaps')
    expect(machine.kernel.applied).toEqual([])
    expect(await network.leases()).toEqual({})
  })

  it('to lie over another network card', async () => {
    const bare = bareMachine('10.78.0.11')
    const kernel = createModelKernel({
      initial: {
        ...bare,
        links: [...bare.links, { name: 'eth1', kind: '', mtu: 1500, up: true }],
        routes: [...bare.routes, { destination: '10.5.7.0/24', device: 'eth1', protocol: 'kernel', scope: 'link' }],
      },
    })
    const machine = network.start('10.78.0.11', { kernel })
    await network.clock.advance(1000)
    const end = machine.end()
    expect(typeof end === 'object' && end.error).toMatchObject({
      code: 'flannel/network-overlaps',
      message: expect.stringContaining('10.5.7.0/24 on eth1'),
    })
  })

  it('to swallow the store', async () => {
    const machine = network.start('10.78.0.11', { storeAddresses: ['store.example', '10.5.3.4'] })
    await network.clock.advance(1000)
    expect(codeOf(machine)).toBe('flannel/network-overlaps')
  })

  it('to take a foreign device of our name', async () => {
    const bare = bareMachine('10.78.0.11')
    const initial = { ...bare, links: [...bare.links, { name: 'flannel.1', kind: 'bridge', mtu: 1500, up: true }] }
    const machine = network.start('10.78.0.11', { kernel: createModelKernel({ initial }) })
    await network.clock.advance(1000)
    expect(codeOf(machine)).toBe('flannel/foreign-device')
    expect(await network.leases()).toEqual({})
  })

  it('to take the device of another network with the same VNI', async () => {
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    await network.kv.put(`${prefix}/blue/config`, JSON.stringify({ ...vxlanConfig, Network: '10.6.0.0/16' }))
    const { kernel } = machine
    const blue = network.start('10.78.0.11', { kernel, name: 'blue' })
    await network.clock.advance(1000)
    expect(codeOf(blue)).toBe('flannel/foreign-device')
    expect(machine.flannel.status().ready).toBe(true)
  })

  it('to go on without rights, or without the kernel’s module', async () => {
    const kernel = createModelKernel({
      initial: bareMachine('10.78.0.11'),
      fail: () => ({ reason: 'no-permission', text: 'RTNETLINK answers: Operation not permitted' }),
    })
    const machine = network.start('10.78.0.11', { kernel })
    await network.clock.advance(1000)
    expect(codeOf(machine)).toBe('flannel/kernel-refused')
    expect(await network.leases()).toEqual({})
  })
})

it('a peer that the kernel refuses costs no other peer, and is told once', async () => {
  const kernel = createModelKernel({
    initial: bareMachine('10.78.0.11'),
    fail: (command) =>
      command.kind === 'replace-route' && command.route.destination === '10.5.240.0/24'
        ? { reason: 'unreachable', text: 'Nexthop has invalid gateway.' }
        : undefined,
  })
  await network.kv.put(`${prefix}/subnets/10.5.240.0-24`, peer)
  await network.kv.put(`${prefix}/subnets/10.5.241.0-24`, peer.replaceAll('40', '41'))
  const machine = network.start('10.78.0.11', { kernel })
  await network.clock.advance(60_000)
  expect(overlayRoutes(kernel).map(({ destination }) => destination)).toEqual(['10.5.241.0/24'])
  expect(machine.messages().filter((message) => message.startsWith('the kernel refused'))).toHaveLength(1)
  expect(machine.flannel.status()).toMatchObject({
    ready: true,
    kernel: { failures: [expect.stringContaining('invalid gateway')] },
  })
})

it('a kernel that cannot be looked at is changed by nobody', async () => {
  let blind = false
  const kernel = createModelKernel({
    initial: bareMachine('10.78.0.11'),
    failObserve: () => (blind ? new Error('ip: not found') : undefined),
  })
  const machine = network.start('10.78.0.11', { kernel })
  await network.clock.advance(1000)
  const applied = kernel.applied.length
  blind = true
  kernel.disturb({ kind: 'set-link', device: 'flannel.1', mtu: 1400 })
  await network.kv.put(`${prefix}/subnets/10.5.240.0-24`, peer)
  await network.clock.advance(60_000)
  expect(kernel.applied.slice(applied)).toEqual([])
  expect(machine.messages().filter((message) => message.startsWith('the kernel could not be looked at'))).toHaveLength(
    1,
  )
  blind = false
  await network.clock.advance(2000)
  expect(overlayRoutes(kernel)).toHaveLength(1)
})

it('the service is ready only when the first snapshot is in the kernel', async () => {
  let releases: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    releases = resolve
  })
  const model = createModelKernel({ initial: bareMachine('10.78.0.11') })
  const kernel = {
    ...model,
    apply: async (...words: Parameters<typeof model.apply>) => {
      if (words[0].some(({ kind }) => kind === 'replace-route')) await held
      return model.apply(...words)
    },
  }
  await network.kv.put(`${prefix}/subnets/10.5.240.0-24`, peer)
  const machine = network.start('10.78.0.11', { kernel })
  let isReady = false
  void machine.flannel.ready(new AbortController().signal).then((ready) => {
    isReady = ready
  })
  await network.clock.advance(5000)
  expect(subnetOf(machine)).not.toBe('none')
  expect(machine.flannel.status()).toMatchObject({ phase: 'programming', ready: false })
  expect(isReady).toBe(false)
  releases()
  await network.clock.advance(100)
  expect(isReady).toBe(true)
})
