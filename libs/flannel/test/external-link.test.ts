/** The link to the other machines comes late, changes, vanishes and returns. */
import { createModelKernel, type ModelKernel } from '@cluster/linux-net/state'
import { isClusterError } from '@cluster/prelude'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  bareMachine,
  createTestNetwork,
  overlayRoutes,
  prefix,
  subnetOf,
  type TestNetwork,
  vxlanConfig,
} from './test-overlay.ts'

let network: TestNetwork
beforeEach(async () => {
  network = createTestNetwork()
  await network.setConfig(vxlanConfig)
  const peer = { PublicIP: '10.78.0.40', BackendType: 'vxlan', BackendData: { VtepMAC: '02:00:00:00:00:40' } }
  await network.kv.put(`${prefix}/subnets/10.5.240.0-24`, JSON.stringify(peer))
})
afterEach(() => network.stopAll())

it('a link that comes late is waited for', async () => {
  const machine = network.start('10.78.0.11', { isLinkAway: true })
  await network.clock.advance(30_000)
  expect(machine.flannel.status().phase).toBe('waiting-for-interface')
  machine.external({})
  await network.clock.advance(6000)
  expect(machine.flannel.status().ready).toBe(true)
})

it('a link that never comes ends the service', async () => {
  const machine = network.start('10.78.0.11', { isLinkAway: true })
  await network.clock.advance(61_000)
  const end = machine.end()
  expect(typeof end === 'object' && isClusterError(end.error, 'flannel/no-external-interface')).toBe(true)
})

it('a changed address is followed: device, lease, and the subnet stays', async () => {
  const machine = network.start('10.78.0.11')
  await network.clock.advance(3000)
  const subnet = subnetOf(machine)
  const mac = machine.kernel.state().links.find(({ name }) => name === 'flannel.1')?.mac
  machine.external({ interfaceAddress: '10.78.0.21', publicIp: '10.78.0.21' })
  machine.kernel.disturb(
    { kind: 'delete-address', address: { device: 'eth0', address: '10.78.0.11/24' } },
    { kind: 'add-address', address: { device: 'eth0', address: '10.78.0.21/24' } },
  )
  await network.clock.advance(3000)
  const link = machine.kernel.state().links.find(({ name }) => name === 'flannel.1')
  expect(link).toMatchObject({ mac, vxlan: { local: '10.78.0.21' } })
  expect((await network.leases())[subnet.replace('/', '-')]).toMatchObject({
    PublicIP: '10.78.0.21',
    BackendData: { VtepMAC: mac },
  })
  expect(overlayRoutes(machine.kernel)).toHaveLength(1)
  expect(machine.kernel.state().forwarding).toHaveLength(1)
  expect(machine.flannel.status().publicIp).toBe('10.78.0.21')
})

it('a smaller MTU is followed: device and subnet file', async () => {
  const machine = network.start('10.78.0.11')
  await network.clock.advance(3000)
  machine.external({ mtu: 1400 })
  machine.kernel.disturb({ kind: 'set-link', device: 'eth0', mtu: 1400 })
  await network.clock.advance(3000)
  expect(machine.kernel.state().links.find(({ name }) => name === 'flannel.1')?.mtu).toBe(1350)
  expect(machine.file.text()).toContain('FLANNEL_MTU=1350\n')
  expect(machine.messages()).toContain('the external interface has changed, following it')
})

it('a link that vanishes takes the device along, and everything is back when it returns', async () => {
  // As the real kernel: no vxlan device over a link that is not there.
  const kernel: ModelKernel = createModelKernel({
    initial: bareMachine('10.78.0.11'),
    fail: ({ kind }) =>
      kind === 'add-link' && !kernel.state().links.some(({ name }) => name === 'eth0')
        ? { reason: 'no-device', text: 'Cannot find device "eth0"' }
        : undefined,
  })
  const machine = network.start('10.78.0.11', { kernel })
  await network.clock.advance(3000)
  const before = machine.kernel.state()
  machine.external('gone')
  machine.kernel.disturb({ kind: 'delete-link', device: 'flannel.1' }, { kind: 'delete-link', device: 'eth0' })
  await network.clock.advance(60_000)
  expect(machine.end()).toBeUndefined()
  expect(machine.flannel.status().ready).toBe(false)
  const told = machine.messages().filter((message) => message.startsWith('no external interface'))
  expect(told).toHaveLength(1)
  machine.external({})
  machine.kernel.disturb(
    { kind: 'add-link', link: { name: 'eth0', kind: '', mtu: 1500, up: true, mac: '52:54:00:00:00:01' } },
    { kind: 'set-link', device: 'eth0', up: true },
    ...before.addresses
      .filter(({ device }) => device === 'eth0')
      .map((address) => ({ kind: 'add-address', address }) as const),
  )
  await network.clock.advance(3000)
  expect(overlayRoutes(machine.kernel)).toHaveLength(1)
  expect(machine.kernel.state().links.find(({ name }) => name === 'flannel.1')?.up).toBe(true)
  expect(machine.flannel.status().ready).toBe(true)
})

it('an address that would lie in the overlay is not followed', async () => {
  const machine = network.start('10.78.0.11')
  await network.clock.advance(3000)
  const leases = await network.leases()
  machine.external({ interfaceAddress: '10.5.3.3', publicIp: '10.5.3.3' })
  machine.kernel.disturb({ kind: 'delete-address', address: { device: 'eth0', address: '10.78.0.11/24' } })
  await network.clock.advance(30_000)
  expect(await network.leases()).toEqual(leases)
  expect(machine.log.filter(({ fields }) => fields['code'] === 'flannel/unusable-backend')).toHaveLength(1)
})

it('a subnet file that cannot be written ends the service before anything is routed', async () => {
  const file = {
    text: () => undefined,
    read: async () => undefined,
    write: async () => {
      throw new Error('read-only file system')
    },
    remove: async () => undefined,
  }
  const machine = network.start('10.78.0.11', { file })
  await network.clock.advance(1000)
  const end = machine.end()
  expect(typeof end === 'object' && isClusterError(end.error, 'flannel/subnet-file')).toBe(true)
  expect(overlayRoutes(machine.kernel)).toEqual([])
})

it('a subnet file that cannot be read costs a warning', async () => {
  const file = {
    text: () => '',
    read: async () => {
      throw new Error('no permission')
    },
    write: async () => undefined,
    remove: async () => undefined,
  }
  const machine = network.start('10.78.0.11', { file })
  await network.clock.advance(1000)
  expect(machine.flannel.status().ready).toBe(true)
  expect(machine.messages()).toContain('the subnet file is not readable, going on without a previous subnet')
})
