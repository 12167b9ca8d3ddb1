/** What each backend puts into lease, kernel and subnet file; spec/flannel.md §7. */
import { createModelKernel } from '@cluster/linux-net/state'
import { isClusterError } from '@cluster/prelude'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createVolatileSubnetFile } from '../src/index.ts'
import {
  bareMachine,
  createTestNetwork,
  overlayRoutes,
  prefix,
  subnetOf,
  type TestMachine,
  type TestNetwork,
} from './test-overlay.ts'

let network: TestNetwork
beforeEach(() => {
  network = createTestNetwork()
})
afterEach(() => network.stopAll())

const config = (backend: object) => ({ Network: '10.5.0.0/16', Backend: backend })
const put = (third: number, value: object): Promise<unknown> =>
  network.kv.put(`${prefix}/subnets/10.5.${third}.0-24`, JSON.stringify(value))
const vxlanPeer = (publicIp: string, mac: string) => ({
  PublicIP: publicIp,
  BackendType: 'vxlan',
  BackendData: { VtepMAC: mac },
})
const errorOf = (machine: TestMachine) => {
  const end = machine.end()
  return typeof end === 'object' && isClusterError(end.error) ? { code: end.error.code, text: end.error.message } : end
}

it.each([
  [{ Type: 'udp' }, 1472],
  [{ Type: 'vxlan' }, 1450],
  [{ Type: 'VXLAN', DirectRouting: true }, 1450],
  [{ Type: 'vxlan', MTU: 1400 }, 1350],
  [{ Type: 'host-gw' }, 1500],
  [{ Type: 'alloc' }, 1500],
])('%j leaves %d bytes of 1500', async (backend, mtu) => {
  await network.setConfig(config(backend))
  const machine = network.start('10.78.0.11')
  await network.clock.advance(1000)
  expect(machine.flannel.status()).toMatchObject({ ready: true, mtu })
  expect(machine.file.text()).toContain(`FLANNEL_MTU=${mtu}\n`)
})

it.each([
  [{ Type: 'bogus' }, 'unknown backend type: bogus'],
  [{}, 'unknown backend type: (none given)'],
  [{ Type: 'aws-vpc' }, 'backend type aws-vpc is known to flanneld, but not offered here'],
  [{ Type: 'wireguard' }, 'backend type wireguard is known to flanneld, but not offered here'],
])('%j is refused by name', async (backend, text) => {
  await network.setConfig(config(backend))
  const machine = network.start('10.78.0.11')
  await network.clock.advance(1000)
  expect(errorOf(machine)).toEqual({ code: 'flannel/unknown-backend', text })
  expect(await network.leases()).toEqual({})
})

it('an absent Backend is udp', async () => {
  await network.setConfig({ Network: '10.5.0.0/16' })
  const machine = network.start('10.78.0.11')
  await network.clock.advance(1000)
  expect(machine.flannel.status()).toMatchObject({ backend: 'udp', device: 'flannel0' })
})

describe('vxlan', () => {
  it('makes its device before the lease, with the options of the configuration', async () => {
    await network.setConfig(config({ Type: 'vxlan', VNI: 7, Port: 4789, GBP: true }))
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    const link = machine.kernel.state().links.find(({ name }) => name === 'flannel.7')
    expect(link).toMatchObject({
      kind: 'vxlan',
      mtu: 1450,
      up: true,
      vxlan: { vni: 7, underlay: 'eth0', local: '10.78.0.11', port: 4789, learning: false, gbp: true },
    })
    expect(Object.values(await network.leases())).toEqual([vxlanPeer('10.78.0.11', link?.mac ?? '')])
    expect(link?.mac).toMatch(/^.[26ae]:/)
  })

  it('follows a peer whose device or address changed, and leaves nothing of the former', async () => {
    await network.setConfig(config({ Type: 'vxlan' }))
    const machine = network.start('10.78.0.11')
    await put(240, vxlanPeer('10.78.0.40', '02:00:00:00:00:40'))
    await network.clock.advance(1000)
    await put(240, vxlanPeer('10.78.0.50', '02:00:00:00:00:50'))
    await network.clock.advance(10)
    const { neighbours, forwarding } = machine.kernel.state()
    expect(neighbours).toMatchObject([{ ip: '10.5.240.0', mac: '02:00:00:00:00:50' }])
    expect(forwarding).toEqual([{ device: 'flannel.1', mac: '02:00:00:00:00:50', remote: '10.78.0.50' }])
    expect(overlayRoutes(machine.kernel)).toHaveLength(1)
  })

  it.each([
    ['no data', { PublicIP: '10.78.0.40', BackendType: 'vxlan' }, 'its BackendData has no VtepMAC'],
    ['a multicast address', vxlanPeer('10.78.0.40', '01:00:00:00:00:40'), 'its BackendData has no VtepMAC'],
    [
      'another VNI',
      { ...vxlanPeer('10.78.0.40', '02:00:00:00:00:40'), BackendData: { VNI: 2, VtepMAC: '02:00:00:00:00:40' } },
      'it uses VNI 2, this machine 1',
    ],
    ['no type', { PublicIP: '10.78.0.40' }, 'ignoring non-vxlan subnet: type='],
  ])('has no way to a lease with %s', async (_, value, reason) => {
    await network.setConfig(config({ Type: 'vxlan' }))
    const machine = network.start('10.78.0.11')
    await put(240, value)
    await network.clock.advance(1000)
    expect(machine.flannel.status().peers).toMatchObject([{ path: 'none', reason }])
    expect(overlayRoutes(machine.kernel)).toEqual([])
  })

  it('reads what later releases write', async () => {
    await network.setConfig(config({ Type: 'vxlan' }))
    const machine = network.start('10.78.0.11')
    const later = { PublicIP: '10.78.0.40', PublicIPv6: null, BackendType: 'vxlan' }
    await put(240, { ...later, BackendData: { VNI: 1, VtepMAC: '02:00:00:00:00:4A' } })
    await network.clock.advance(1000)
    expect(machine.kernel.state().neighbours).toMatchObject([{ mac: '02:00:00:00:00:4a' }])
  })

  it('with DirectRouting takes the plain way to machines on the own link, and changes it when the link changes', async () => {
    await network.setConfig(config({ Type: 'vxlan', DirectRouting: true }))
    const machine = network.start('10.78.0.11')
    await put(240, vxlanPeer('10.78.0.40', '02:00:00:00:00:40'))
    await put(241, vxlanPeer('10.79.0.41', '02:00:00:00:00:41'))
    await network.clock.advance(1000)
    const far = { destination: '10.5.241.0/24', gateway: '10.5.241.0', device: 'flannel.1', onlink: true }
    const near = { destination: '10.5.240.0/24', gateway: '10.78.0.40', device: 'eth0', onlink: false }
    expect(overlayRoutes(machine.kernel)).toEqual([near, far])
    expect(machine.kernel.state().forwarding).toHaveLength(1)
    expect(machine.flannel.status().peers.map(({ path }) => path)).toEqual(['direct', 'tunnel'])
    machine.kernel.disturb(
      { kind: 'add-link', link: { name: 'eth1', kind: '', mtu: 1500, up: true } },
      { kind: 'set-link', device: 'eth1', up: true },
      {
        kind: 'replace-route',
        route: { destination: '10.79.0.0/24', device: 'eth1', protocol: 'kernel', scope: 'link' },
      },
    )
    await network.clock.advance(2000)
    expect(overlayRoutes(machine.kernel)).toEqual([
      near,
      { ...near, destination: '10.5.241.0/24', gateway: '10.79.0.41', device: 'eth1' },
    ])
    expect(machine.kernel.state().forwarding).toEqual([])
    expect(machine.kernel.state().neighbours).toEqual([])
  })
})

describe('host-gw', () => {
  it('has a route for each machine of its kind', async () => {
    await network.setConfig(config({ Type: 'host-gw' }))
    const machine = network.start('10.78.0.11')
    await put(240, { PublicIP: '10.78.0.40', BackendType: 'host-gw' })
    await put(241, { PublicIP: '10.78.0.41' })
    await network.clock.advance(1000)
    const route = { destination: '10.5.240.0/24', gateway: '10.78.0.40', device: 'eth0', onlink: false }
    expect(overlayRoutes(machine.kernel)).toEqual([route])
    expect((await network.leases())[subnetOf(machine).replace('/', '-')]).toEqual({
      PublicIP: '10.78.0.11',
      BackendType: 'host-gw',
    })
    await put(240, { PublicIP: '10.78.0.50', BackendType: 'host-gw' })
    await network.clock.advance(10)
    expect(overlayRoutes(machine.kernel)).toEqual([{ ...route, gateway: '10.78.0.50' }])
  })

  it('is refused behind NAT', async () => {
    await network.setConfig(config({ Type: 'host-gw' }))
    const machine = network.start('10.78.0.11', { publicIp: '192.0.2.1' })
    await network.clock.advance(1000)
    expect(errorOf(machine)).toEqual({
      code: 'flannel/unusable-backend',
      text: "your PublicIP differs from interface IP, meaning that probably you're on a NAT, which is not supported by host-gw backend",
    })
  })

  it('takes over the routes of the original daemon, once, and leaves those of others', async () => {
    await network.setConfig(config({ Type: 'host-gw' }))
    const bare = bareMachine('10.78.0.11')
    const old = (third: number) =>
      ({ destination: `10.5.${third}.0/24`, gateway: `10.78.0.${third}`, device: 'eth0', protocol: 'boot' }) as const
    const kernel = createModelKernel({ initial: { ...bare, routes: [...bare.routes, old(40), old(41)] } })
    const file = createVolatileSubnetFile('FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.9.1/24\n')
    await put(40, { PublicIP: '10.78.0.40', BackendType: 'host-gw' })
    const machine = network.start('10.78.0.11', { kernel, file })
    await network.clock.advance(1000)
    expect(subnetOf(machine)).toBe('10.5.9.0/24')
    expect(overlayRoutes(kernel).map(({ destination }) => destination)).toEqual(['10.5.40.0/24'])
    kernel.disturb({ kind: 'replace-route', route: old(42) })
    await network.clock.advance(60_000)
    expect(overlayRoutes(kernel).map(({ destination }) => destination)).toEqual(['10.5.40.0/24', '10.5.42.0/24'])
  })
})

describe('udp', () => {
  beforeEach(() => network.setConfig(config({ Type: 'udp', Port: 9000 })))

  it('has one route, and a table with the machines of every backend', async () => {
    const machine = network.start('10.78.0.11')
    await put(240, vxlanPeer('10.78.0.40', '02:00:00:00:00:40'))
    await put(241, { PublicIP: '10.78.0.41' })
    await network.clock.advance(1000)
    const subnet = subnetOf(machine)
    expect(machine.tunnels.opened).toEqual([{ bind: { address: '10.78.0.11', port: 9000 } }])
    expect(machine.tunnels.peers()).toMatchObject([
      { subnet: '10.5.240.0/24', publicIp: '10.78.0.40' },
      { subnet: '10.5.241.0/24', publicIp: '10.78.0.41' },
    ])
    expect(overlayRoutes(machine.kernel)).toMatchObject([{ destination: '10.5.0.0/16', device: 'flannel0' }])
    const { links, addresses } = machine.kernel.state()
    expect(links.find(({ name }) => name === 'flannel0')).toMatchObject({ mtu: 1472, up: true })
    expect(addresses).toContainEqual({ device: 'flannel0', address: subnet.replace('/24', '/16') })
    expect((await network.leases())[subnet.replace('/', '-')]).toEqual({ PublicIP: '10.78.0.11' })
    await network.kv.delete(`${prefix}/subnets/10.5.240.0-24`)
    await network.clock.advance(10)
    expect(machine.tunnels.peers()).toHaveLength(1)
    await network.clock.advance(10_000)
    expect(machine.flannel.status().drops).toEqual({ truncated: 3 })
  })

  it('opens its tunnel again when it ends', async () => {
    const machine = network.start('10.78.0.11')
    await put(240, { PublicIP: '10.78.0.40' })
    await network.clock.advance(1000)
    machine.tunnels.fail(new Error('the device is gone'))
    await network.clock.advance(3000)
    expect(machine.tunnels.opened).toHaveLength(2)
    expect(machine.tunnels.peers()).toHaveLength(1)
    expect(overlayRoutes(machine.kernel)).toMatchObject([{ destination: '10.5.0.0/16', device: 'flannel0' }])
    expect(machine.messages()).toContain('the udp tunnel ended, opening it again')
  })

  it('listens on the new address when the machine gets one', async () => {
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    machine.external({ interfaceAddress: '10.78.0.21', publicIp: '10.78.0.21' })
    machine.kernel.disturb(
      { kind: 'delete-address', address: { device: 'eth0', address: '10.78.0.11/24' } },
      { kind: 'add-address', address: { device: 'eth0', address: '10.78.0.21/24' } },
    )
    await network.clock.advance(5000)
    expect(machine.tunnels.opened.map(({ bind }) => bind.address)).toEqual(['10.78.0.11', '10.78.0.21'])
    expect(Object.values(await network.leases())).toEqual([{ PublicIP: '10.78.0.21' }])
  })

  it('closes its tunnel with the service, and nothing else', async () => {
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    await machine.stop()
    expect(machine.kernel.state().links.map(({ name }) => name)).toEqual(['lo', 'eth0'])
    expect(machine.kernel.filters().size).toBe(1)
  })
})

it('alloc has a lease and a file, and moves nothing', async () => {
  await network.setConfig(config({ Type: 'alloc' }))
  const machine = network.start('10.78.0.11')
  await put(240, { PublicIP: '10.78.0.40' })
  await network.clock.advance(1000)
  expect(machine.kernel.applied).toEqual([])
  expect((await network.leases())[subnetOf(machine).replace('/', '-')]).toEqual({ PublicIP: '10.78.0.11' })
})

it.each([
  [{ Type: 'host-gw' }, []],
  [{ Type: 'udp' }, ['flannel0']],
  [{ Type: 'vxlan', VNI: 2 }, ['flannel.2']],
])('%j takes away the device of the vxlan of before, not that of others', async (backend, devices) => {
  await network.setConfig(config({ Type: 'vxlan' }))
  const before = network.start('10.78.0.11')
  await network.clock.advance(1000)
  await before.stop()
  const { kernel, file } = before
  kernel.disturb({
    kind: 'add-link',
    link: {
      name: 'vx9',
      kind: 'vxlan',
      mtu: 1450,
      up: true,
      vxlan: { vni: 9, underlay: 'eth0', port: 4789, learning: true, gbp: false },
    },
  })
  const tunnels = (): readonly string[] =>
    kernel
      .state()
      .links.filter(({ kind }) => kind === 'vxlan' || kind === 'tun')
      .map(({ name }) => name)
      .sort()
  expect(tunnels()).toEqual(['flannel.1', 'vx9'])
  await network.setConfig(config(backend))
  const after = network.start('10.78.0.11', { kernel, file })
  await network.clock.advance(1000)
  expect(tunnels()).toEqual([...devices, 'vx9'])
  expect(after.flannel.status()).toMatchObject({ ready: true })
  expect(subnetOf(after)).toBe(subnetOf(before))
})
