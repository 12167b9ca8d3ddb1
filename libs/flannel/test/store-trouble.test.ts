/** spec/flannel.md §12: scenarios 10 and 16, and how a service waits before there is anything. */
import { createModelKv } from '@cluster/kv'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestNetwork, overlayRoutes, prefix, subnetOf, type TestNetwork, vxlanConfig } from './test-overlay.ts'

let network: TestNetwork
beforeEach(async () => {
  network = createTestNetwork()
})
afterEach(() => network.stopAll())

const peer = (host: number, mac = host): string =>
  JSON.stringify({
    PublicIP: `10.78.0.${host}`,
    BackendType: 'vxlan',
    BackendData: { VtepMAC: `02:00:00:00:00:${mac.toString(16).padStart(2, '0')}` },
  })
const keyOf = (third: number): string => `${prefix}/subnets/10.5.${third}.0-24`

describe('before there is a configuration', () => {
  it('the service waits, says why once, and starts when it comes', async () => {
    const machine = network.start('10.78.0.11')
    await network.clock.advance(600_000)
    expect(machine.flannel.status()).toMatchObject({ phase: 'waiting-for-config', ready: false })
    await network.setConfig('{"Network":"nonsense"}')
    await network.clock.advance(600_000)
    expect(machine.messages()).toEqual([
      'no usable network configuration, waiting for one',
      'no usable network configuration, waiting for one',
    ])
    await network.setConfig(vxlanConfig)
    await network.clock.advance(100)
    expect(machine.flannel.status().ready).toBe(true)
  })

  it('a store that is away is waited for', async () => {
    await network.setConfig(vxlanConfig)
    const machine = network.start('10.78.0.11', { isStoreAway: true })
    await network.clock.advance(60_000)
    expect(machine.flannel.status()).toMatchObject({ phase: 'waiting-for-store', store: { reachable: false } })
    machine.kv.setUnavailable(false)
    await network.clock.advance(4000)
    expect(machine.flannel.status()).toMatchObject({ ready: true, store: { reachable: true } })
  })

  it('a configuration for IPv6 is refused and waited for', async () => {
    await network.setConfig({ ...vxlanConfig, EnableIPv6: true, IPv6Network: 'fc00::/48' })
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    expect(machine.log[0]?.fields['problem']).toContain('IPv4 only')
  })

  it('a stop ends it', async () => {
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    await machine.stop()
    expect(machine.end()).toBe('stopped')
  })
})

describe('a store that is away', () => {
  it('leaves the data plane as it is, and what happened meanwhile is there within two seconds', async () => {
    await network.setConfig(vxlanConfig)
    const machine = network.start('10.78.0.11')
    await network.kv.put(keyOf(240), peer(40))
    await network.clock.advance(1000)
    const routes = overlayRoutes(machine.kernel)
    expect(routes).toHaveLength(1)
    machine.kv.setUnavailable(true)
    await network.clock.advance(600_000)
    expect(overlayRoutes(machine.kernel)).toEqual(routes)
    expect(machine.flannel.status()).toMatchObject({
      ready: true,
      store: { reachable: false, unreachableSeconds: 600 },
    })
    await network.kv.put(keyOf(241), peer(41))
    await network.kv.delete(keyOf(240))
    machine.kv.setUnavailable(false)
    await network.clock.advance(2000)
    expect(overlayRoutes(machine.kernel).map(({ destination }) => destination)).toEqual(['10.5.241.0/24'])
  })

  it('for longer than the lease: the lease is made again', async () => {
    await network.setConfig(vxlanConfig)
    const config = { lookIntervalMs: 3_600_000, filterIntervalMs: 3_600_000 }
    const machine = network.start('10.78.0.11', { config })
    await network.clock.advance(1000)
    const before = await network.leases()
    await network.clock.advance(21 * 3_600_000)
    machine.kv.setUnavailable(true)
    await network.clock.advance(3.1 * 3_600_000)
    expect(await network.leases()).toEqual({})
    expect(machine.flannel.status().lease?.expiresInSeconds).toBeLessThan(0)
    machine.kv.setUnavailable(false)
    await network.clock.advance(2100)
    expect(await network.leases()).toEqual(before)
  })

  it('for longer than the lease, and another machine took the subnet: the service ends', async () => {
    await network.setConfig(vxlanConfig)
    const config = { lookIntervalMs: 3_600_000, filterIntervalMs: 3_600_000 }
    const machine = network.start('10.78.0.11', { config })
    await network.clock.advance(1000)
    const key = `${prefix}/subnets/${subnetOf(machine).replace('/', '-')}`
    await network.clock.advance(21 * 3_600_000)
    machine.kv.setUnavailable(true)
    await network.clock.advance(3.1 * 3_600_000)
    await network.kv.put(key, peer(99))
    machine.kv.setUnavailable(false)
    await network.clock.advance(2100)
    expect(machine.end()).toBe('lease-lost')
    expect((await network.kv.get(key))?.value).toBe(peer(99))
  })
})

it('lost history hides nothing: a changed payload, a new and a vanished lease', async () => {
  await network.setConfig(vxlanConfig)
  const machine = network.start('10.78.0.11')
  await network.kv.put(keyOf(241), peer(41))
  await network.kv.put(keyOf(242), peer(42))
  await network.clock.advance(1000)
  machine.kv.setUnavailable(true)
  await network.clock.advance(100)
  await network.kv.delete(keyOf(241))
  await network.kv.put(keyOf(242), peer(52, 53))
  await network.kv.put(keyOf(243), peer(43))
  network.kv.compact()
  machine.kv.setUnavailable(false)
  await network.clock.advance(2000)
  expect(overlayRoutes(machine.kernel).map(({ destination }) => destination)).toEqual([
    '10.5.242.0/24',
    '10.5.243.0/24',
  ])
  expect(machine.kernel.state().forwarding).toEqual([
    { device: 'flannel.1', mac: '02:00:00:00:00:35', remote: '10.78.0.52' },
    { device: 'flannel.1', mac: '02:00:00:00:00:2b', remote: '10.78.0.43' },
  ])
})

it('a store that was emptied gets our lease again, and peers that are gone go half a minute later', async () => {
  await network.setConfig(vxlanConfig)
  const machine = network.start('10.78.0.11')
  for (const number of [41, 42, 43]) await network.kv.put(keyOf(200 + number), peer(number))
  await network.clock.advance(1000)
  const subnet = subnetOf(machine)
  const routes = (): readonly string[] => overlayRoutes(machine.kernel).map(({ destination }) => destination)
  await network.kv.deletePrefix(prefix)
  await network.clock.advance(1000)
  expect(Object.keys(await network.leases())).toEqual([subnet.replace('/', '-')])
  expect(routes()).toEqual(['10.5.241.0/24', '10.5.242.0/24', '10.5.243.0/24'])
  expect(machine.messages()).toContain('the store has lost leases; their machines have a while to write them again')
  // one comes back as it was, one with another subnet, one not at all
  await network.kv.put(keyOf(241), peer(41))
  await network.kv.put(keyOf(250), peer(42))
  await network.clock.advance(1000)
  expect(routes().toSorted()).toEqual(['10.5.241.0/24', '10.5.243.0/24', '10.5.250.0/24'])
  await network.clock.advance(30_000)
  expect(routes().toSorted()).toEqual(['10.5.241.0/24', '10.5.250.0/24'])
  expect(machine.end()).toBeUndefined()
})

it('keys that are no leases are ignored, told once each, and block nothing', async () => {
  await network.setConfig(vxlanConfig)
  const machine = network.start('10.78.0.11')
  await network.clock.advance(1000)
  const junk: Readonly<Record<string, string>> = {
    foo: 'bar',
    '0.0.0.0-0': peer(60),
    '10.5.250.0-24': '{"PublicIP":"fc00::1","BackendType":"vxlan"}',
    '10.5.251.0-24': 'no JSON',
    '10.5.252.0-24': JSON.stringify({ PublicIP: '10.78.0.61', BackendData: 'x'.repeat(1024 * 1024) }),
    '10.5.253.0-33': peer(62),
  }
  for (const [name, value] of Object.entries(junk)) await network.kv.put(`${prefix}/subnets/${name}`, value)
  await network.kv.put(keyOf(240), peer(40))
  await network.clock.advance(60_000)
  expect(overlayRoutes(machine.kernel).map(({ destination }) => destination)).toEqual(['10.5.240.0/24'])
  const warnings = machine.log.filter(({ level }) => level === 'warn')
  expect(warnings.map(({ fields }) => fields['key']).toSorted()).toEqual(
    Object.keys(junk)
      .map((name) => `${prefix}/subnets/${name}`)
      .toSorted(),
  )
  expect(machine.flannel.status().problems).toHaveLength(6)
  for (const name of Object.keys(junk)) await network.kv.delete(`${prefix}/subnets/${name}`)
  await network.clock.advance(100)
  expect(machine.flannel.status().problems).toEqual([])
})

it('leases that would do harm are refused by name', async () => {
  await network.setConfig(vxlanConfig)
  const machine = network.start('10.78.0.11')
  await network.clock.advance(1000)
  machine.kernel.disturb(
    { kind: 'add-link', link: { name: 'docker0', kind: 'bridge', mtu: 1450, up: true } },
    { kind: 'set-link', device: 'docker0', up: true },
    { kind: 'add-address', address: { device: 'docker0', address: '10.5.230.1/24' } },
    {
      kind: 'replace-route',
      route: { destination: '10.5.230.0/24', device: 'docker0', protocol: 'kernel', scope: 'link' },
    },
  )
  await network.clock.advance(2000)
  const refused: Readonly<Record<string, string>> = {
    '10.5.230.0-24': peer(41),
    '10.6.0.0-24': peer(42),
    '10.0.0.0-8': peer(43),
    '10.5.231.0-24': JSON.stringify({ PublicIP: '10.5.9.9', BackendType: 'vxlan' }),
    '10.5.232.0-24': peer(11),
    '10.5.233.0-24': '{}',
  }
  for (const [name, value] of Object.entries(refused)) await network.kv.put(`${prefix}/subnets/${name}`, value)
  await network.kv.put(
    `${prefix}/subnets/10.5.234.0-24`,
    JSON.stringify({ PublicIP: '10.78.0.44', BackendType: 'host-gw' }),
  )
  await network.clock.advance(30_000)
  expect(overlayRoutes(machine.kernel).filter(({ device }) => device !== 'docker0')).toEqual([])
  const reasons = machine.flannel.status().peers.map(({ subnet, reason }) => `${subnet} ${reason}`)
  expect(reasons.toSorted()).toEqual([
    '10.0.0.0/8 it lies outside the network 10.5.0.0/16',
    '10.5.230.0/24 it lies over the route 10.5.230.0/24 dev docker0 of this machine',
    '10.5.231.0/24 its public address 10.5.9.9 lies in the overlay',
    '10.5.232.0/24 it has our own public address 10.78.0.11: a former lease of this machine, or a second machine',
    '10.5.233.0/24 it names no owner',
    '10.5.234.0/24 ignoring non-vxlan subnet: type=host-gw',
    '10.6.0.0/24 it lies outside the network 10.5.0.0/16',
  ])
  expect(machine.log.filter(({ message }) => message === 'lease refused')).toHaveLength(6)
})

it('a store that was replaced by an older one is read anew', async () => {
  // The model's revision only grows: another store behind the same connection stands for a restored one.
  const older = createModelKv({ clock: network.clock })
  await older.put(`${prefix}/config`, JSON.stringify(vxlanConfig))
  await older.put(keyOf(244), peer(44))
  await network.setConfig(vxlanConfig)
  for (let count = 0; count < 20; count++) await network.kv.put(keyOf(241), peer(41))
  const machine = network.start('10.78.0.11')
  await network.clock.advance(1000)
  let isReplaced = false
  const source = machine.kv
  for (const name of ['range', 'get', 'put', 'delete', 'watch'] as const) {
    const before = source[name].bind(source)
    const after = older[name].bind(older)
    Object.assign(source, {
      [name]: (...words: readonly unknown[]) => Reflect.apply(isReplaced ? after : before, undefined, words),
    })
  }
  source.setUnavailable(true)
  await network.clock.advance(10)
  isReplaced = true
  const routes = (): readonly string[] => overlayRoutes(machine.kernel).map(({ destination }) => destination)
  await network.clock.advance(3000)
  expect(routes()).toEqual(['10.5.241.0/24', '10.5.244.0/24'])
  await network.clock.advance(30_000)
  expect(routes()).toEqual(['10.5.244.0/24'])
  expect((await older.range(`${prefix}/subnets`)).entries).toHaveLength(2)
  await older[Symbol.asyncDispose]()
})
