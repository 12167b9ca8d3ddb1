/** What people ask: status, plan, check, with a daemon and without; and how a machine leaves. */
import { createModelKernel, type NetworkCommand } from '@cluster/linux-net/state'
import { seededRandom } from '@cluster/prelude'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  checkPeer,
  cleanup,
  createVolatileSubnetFile,
  FlannelError,
  foreseeStart,
  planOf,
  readOverlay,
  readStatus,
  runNetworks,
} from '../src/index.ts'
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
  await network.kv.put(`${prefix}/subnets/10.5.240.0-24`, JSON.stringify(peer), { ttlSeconds: 600 })
})
afterEach(() => network.stopAll())

const mac = '02:00:00:00:00:40'
const peer = { PublicIP: '10.78.0.40', BackendType: 'vxlan', BackendData: { VtepMAC: mac } }
const never = new AbortController().signal

/** What a command sees that reads the store and the kernel by itself. */
const readingOf = (machine: TestMachine) => ({
  kv: network.kv,
  prefix,
  kernel: machine.kernel,
  findExternal: async () => ({ device: 'eth0', mtu: 1500, interfaceAddress: '10.78.0.11', publicIp: '10.78.0.11' }),
  config: { masquerade: true },
  clock: network.clock,
})

it('status tells lease, link, peers and what is wrong', async () => {
  const machine = network.start('10.78.0.11')
  await network.kv.put(`${prefix}/subnets/junk`, 'x')
  await network.clock.advance(60_000)
  const subnet = subnetOf(machine)
  expect(machine.flannel.status()).toEqual({
    phase: 'running',
    ready: true,
    network: '10.5.0.0/16',
    backend: 'vxlan',
    device: 'flannel.1',
    external: { device: 'eth0', mtu: 1500, interfaceAddress: '10.78.0.11' },
    publicIp: '10.78.0.11',
    mtu: 1450,
    lease: {
      subnet,
      key: `${prefix}/subnets/${subnet.replace('/', '-')}`,
      expiresInSeconds: 86_340,
      renewsInSeconds: expect.any(Number),
    },
    store: { reachable: true },
    kernel: { lastLookSeconds: expect.any(Number), repairs: 0, failures: [] },
    peers: [
      {
        subnet: '10.5.240.0/24',
        publicIp: '10.78.0.40',
        backendType: 'vxlan',
        path: 'tunnel',
        lastSeenSeconds: 60,
        expiresInSeconds: 540,
      },
    ],
    problems: [`${prefix}/subnets/junk is ignored: the key is no subnet`],
  })
})

describe('check names the first broken hop', () => {
  const route = { destination: '10.5.240.0/24', gateway: '10.5.240.0', device: 'flannel.1' }
  it.each<readonly [string, readonly NetworkCommand[], string | undefined, string]>([
    ['nothing broken', [], undefined, ''],
    ['the device deleted', [{ kind: 'delete-link', device: 'flannel.1' }], 'link', 'flannel.1 is not there'],
    ['the device down', [{ kind: 'set-link', device: 'flannel.1', up: false }], 'link', 'flannel.1 is down'],
    [
      'the route deleted',
      [{ kind: 'delete-route', route: { ...route, protocol: '156' } }],
      'route',
      '0.0.0.0/0 via 10.78.0.254 dev eth0, wanted 10.5.240.0/24 via 10.5.240.0 dev flannel.1',
    ],
    [
      'a part of the subnet routed elsewhere',
      [{ kind: 'replace-route', route: { destination: '10.5.240.128/25', gateway: '10.78.0.9', device: 'eth0' } }],
      'route',
      '10.5.240.128/25 via 10.78.0.9 dev eth0 takes a part of 10.5.240.0/24',
    ],
    [
      'the neighbour deleted',
      [{ kind: 'delete-neighbour', neighbour: { device: 'flannel.1', ip: '10.5.240.0', mac } }],
      'neighbour',
      `10.5.240.0 is unknown, its lease tells ${mac}`,
    ],
    [
      'the forwarding entry deleted',
      [{ kind: 'delete-forwarding-entry', entry: { device: 'flannel.1', mac, remote: '10.78.0.40' } }],
      'forwarding',
      `${mac} is at nowhere, its lease tells 10.78.0.40`,
    ],
    ['a small MTU', [{ kind: 'set-link', device: 'eth0', mtu: 1400 }], 'mtu', 'eth0 carries 1400 bytes'],
  ])('%s', async (_, commands, broken, found) => {
    const machine = network.start('10.78.0.11', { config: { masquerade: true } })
    await network.clock.advance(1000)
    machine.kernel.disturb(...commands)
    const report = await machine.flannel.check('10.5.240.7')
    expect(report).toMatchObject({ subnet: '10.5.240.0/24', publicIp: '10.78.0.40' })
    expect(report.broken).toBe(broken)
    const hop = report.hops.find(({ state }) => state === 'broken')
    expect(hop?.found ?? '').toContain(found)
    expect(hop?.remedy === undefined).toBe(broken === undefined)
    expect(report.hops.map(({ name }) => name)).toEqual([
      ...['lease', 'link', 'route', 'neighbour', 'forwarding', 'firewall', 'mtu'],
    ])
    // The same without the daemon.
    await machine.stop()
    expect(checkPeer(await readOverlay(readingOf(machine), never), '10.78.0.40').broken).toBe(broken)
  })

  it('the rules removed', async () => {
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    machine.kernel.dropFilter('10.5.0.0/16')
    expect((await machine.flannel.check('10.5.240.0/24')).broken).toBe('firewall')
  })

  it('a lease of another backend', async () => {
    await network.kv.put(`${prefix}/subnets/10.5.241.0-24`, JSON.stringify({ PublicIP: '10.78.0.41' }))
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    expect(await machine.flannel.check('10.78.0.41')).toMatchObject({ broken: 'lease' })
  })

  it('and nothing for a machine that is none', async () => {
    const machine = network.start('10.78.0.11')
    await expect(machine.flannel.check('10.5.240.0/24')).rejects.toMatchObject({ code: 'flannel/not-running' })
    await network.clock.advance(1000)
    await expect(machine.flannel.check('10.99.0.1')).rejects.toMatchObject({ code: 'flannel/unknown-peer' })
  })
})

it('plan tells what would be changed, and changes nothing', async () => {
  const machine = network.start('10.78.0.11', { config: { masquerade: true } })
  await network.clock.advance(1000)
  expect((await machine.flannel.plan()).lines).toEqual([])
  await machine.stop()
  await network.kv.put(`${prefix}/subnets/10.5.241.0-24`, JSON.stringify({ PublicIP: '10.78.0.41' }))
  machine.kernel.disturb({
    kind: 'delete-route',
    route: { destination: '10.5.240.0/24', gateway: '10.5.240.0', device: 'flannel.1', protocol: '156' },
  })
  machine.kernel.dropFilter('10.5.0.0/16')
  const applied = machine.kernel.applied.length
  const { lines, notes } = planOf(await readOverlay(readingOf(machine), never))
  expect(lines[0]).toBe('ip route replace 10.5.240.0/24 via 10.5.240.0 dev flannel.1 proto 156 onlink')
  expect(lines.slice(1).every((line) => line.startsWith('nft + '))).toBe(true)
  expect(notes).toEqual(['10.5.241.0/24 of 10.78.0.41: ignoring non-vxlan subnet: type='])
  expect(machine.kernel.applied).toHaveLength(applied)
})

describe('without a daemon', () => {
  const bare = (text?: string) => {
    const kernel = createModelKernel({ initial: bareMachine('10.78.0.11') })
    return {
      kernel,
      random: seededRandom(3),
      options: {
        kv: network.kv,
        prefix,
        kernel,
        findExternal: async () => ({
          ...{ device: 'eth0', mtu: 1500, interfaceAddress: '10.78.0.11', publicIp: '10.78.0.11' },
        }),
        clock: network.clock,
        ...(text === undefined ? {} : { subnetFile: createVolatileSubnetFile(text) }),
      },
    }
  }

  it('foresees what the first start changes, and takes nothing', async () => {
    const { kernel, options, random } = bare('FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.34.1/24\n')
    const leases = await network.leases()
    const { lines, notes } = await foreseeStart({ ...options, random }, never)
    expect(notes).toEqual(['10.78.0.11 has no lease; a start would ask for 10.5.34.0/24, that of the last run'])
    expect([await network.leases(), kernel.applied]).toEqual([leases, []])
    expect(lines.filter((line) => !line.startsWith('nft '))).toMatchInlineSnapshot(`
      [
        "ip link add flannel.1 mtu 1450 type vxlan id 1 dev eth0 local 10.78.0.11 dstport 8472 nolearning",
        "ip link set dev flannel.1 alias cluster-overlay:/coreos.com/network up",
        "ip address replace 10.5.34.0/32 dev flannel.1",
        "bridge fdb replace 02:00:00:00:00:40 dev flannel.1 dst 10.78.0.40 self permanent",
        "ip neighbour replace 10.5.240.0 lladdr 02:00:00:00:00:40 dev flannel.1 nud permanent",
        "ip route replace 10.5.240.0/24 via 10.5.240.0 dev flannel.1 proto 156 onlink",
      ]
    `)
    expect(lines.join()).toContain('nft + ip saddr 10.5.0.0/16 accept')
  })

  it('foresees exactly that, but for the hardware address', async () => {
    const { kernel, options, random } = bare('FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.34.1/24\n')
    const { lines } = await foreseeStart({ ...options, random }, never)
    network.start('10.78.0.11', { kernel, file: createVolatileSubnetFile('FLANNEL_SUBNET=10.5.34.1/24\n') })
    await network.clock.advance(1000)
    const foreseen = lines.flatMap((line) => /^(?:ip|bridge) (.*)$/.exec(line)?.[1] ?? [])
    const done = kernel.applied.map((line) => line.replace(/ address [0-9a-f:]{17}/, ''))
    expect(done.toSorted()).toEqual(foreseen.toSorted())
    expect(await foreseeStart({ ...options, random }, never)).toEqual({ lines: [], notes: [] })
  })

  it('draws where there was no last run, and says so', async () => {
    const { options, random } = bare()
    const { lines, notes } = await foreseeStart({ ...options, random }, never)
    expect(notes).toEqual([expect.stringMatching(/would ask for 10\.5\.\d+\.0\/24, drawn now/)])
    expect(lines.join()).toContain('addr')
  })

  it('foresees why a start fails', async () => {
    const { options, random } = bare()
    const notes = async (config: object): Promise<readonly string[]> => {
      await network.setConfig(config)
      const plan = await foreseeStart({ ...options, random }, never)
      expect(plan.lines).toEqual([])
      return plan.notes
    }
    expect(await notes({ Network: '10.78.0.0/16' })).toEqual([expect.stringContaining('would fail: ')])
    expect(
      await notes({ Network: '10.5.240.0/22', SubnetLen: 24, SubnetMin: '10.5.240.0', SubnetMax: '10.5.240.0' }),
    ).toEqual([expect.stringContaining('is free of the')])
    const natted = { ...(await options.findExternal()), publicIp: '192.0.2.1' }
    await network.setConfig({ Network: '10.5.0.0/16', Backend: { Type: 'host-gw' } })
    expect((await foreseeStart({ ...options, random, findExternal: async () => natted }, never)).notes).toEqual([
      expect.stringContaining('on a NAT'),
    ])
    await network.setConfig('{')
    await expect(foreseeStart({ ...options, random }, never)).rejects.toMatchObject({ code: 'flannel/not-running' })
  })

  it('foresees that udp opens a device', async () => {
    const { options, random } = bare()
    await network.setConfig({ Network: '10.5.0.0/16', Backend: { Type: 'udp' } })
    expect((await foreseeStart({ ...options, random }, never)).notes[1]).toBe(
      'a start would open a tunnel device for 10.5.0.0/16, which ends with it',
    )
  })

  it('takes over what flannel left, and routes of a network of before', async () => {
    const { kernel, options, random } = bare('FLANNEL_NETWORK=10.4.0.0/16\nFLANNEL_SUBNET=10.4.7.1/24\n')
    kernel.disturb(
      {
        kind: 'replace-route',
        route: { destination: '10.5.7.0/24', gateway: '10.78.0.9', device: 'eth0', protocol: 'boot' },
      },
      {
        kind: 'replace-route',
        route: { destination: '10.4.8.0/24', gateway: '10.78.0.9', device: 'eth0', protocol: 'boot' },
      },
    )
    const { lines } = await foreseeStart({ ...options, random }, never)
    expect(lines.filter((line) => line.startsWith('ip route del'))).toHaveLength(2)
  })

  it('tells the status of a machine whose service ended', async () => {
    const machine = network.start('10.78.0.11')
    await network.kv.put(`${prefix}/subnets/junk`, 'x')
    await network.clock.advance(1000)
    const running = machine.flannel.status()
    await machine.stop()
    const options = { ...readingOf(machine), config: {}, subnetFile: machine.file }
    const { renewsInSeconds: _, ...lease } = running.lease ?? {}
    expect(await readStatus(options, never)).toEqual({
      ...running,
      phase: 'stopped',
      ready: false,
      lease,
      kernel: { lastLookSeconds: 0, repairs: 0, failures: [] },
      peers: running.peers.map((one) => ({ ...one, lastSeenSeconds: 0 })),
    })
    machine.kernel.disturb({ kind: 'delete-link', device: 'flannel.1' })
    expect((await readStatus(options, never)).problems[0]).toMatch(/^the kernel is not as the leases ask for: \d/)
  })

  it('tells what is missing: a link, a lease, a configuration', async () => {
    const { options } = bare()
    const gone = async () => Promise.reject(new FlannelError('flannel/no-external-interface', 'no such interface'))
    expect((await readStatus({ ...options, findExternal: gone }, never)).problems).toEqual(['no such interface'])
    expect((await readStatus(options, never)).problems).toEqual(['no lease belongs to 10.78.0.11'])
    await network.kv.delete(`${prefix}/config`)
    expect(await readStatus({ ...options, name: 'red' }, never)).toMatchObject({
      name: 'red',
      problems: ['/coreos.com/network/red/config: the key does not exist'],
    })
  })
})

describe('cleanup', () => {
  it('takes away all that was made and nothing else, and the lease on request', async () => {
    const machine = network.start('10.78.0.11', { config: { masquerade: true } })
    await network.clock.advance(1000)
    await machine.stop()
    const { kernel, file } = machine
    const subnet = subnetOf(machine)
    const options = { kv: network.kv, prefix, kernel, subnetFile: file, releaseLease: true, publicIp: '10.78.0.11' }
    const report = await cleanup(options)
    expect(report.failures).toEqual([])
    expect(report.removed).toContain('ip link delete flannel.1')
    expect(report.removed).toContain('subnet file')
    expect(report.removed).toContain(`lease ${prefix}/subnets/${subnet.replace('/', '-')}`)
    expect(kernel.state()).toEqual(bareMachine('10.78.0.11'))
    expect(kernel.filters().size).toBe(0)
    expect(file.text()).toBeUndefined()
    expect(await network.leases()).toEqual({ '10.5.240.0-24': peer })
    await expect(cleanup({ ...options, kv: network.kv })).resolves.toEqual({ removed: [], failures: [] })
  })

  it('works from the subnet file while the store is away', async () => {
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    await machine.stop()
    machine.kv.setUnavailable(true)
    await cleanup({ kv: machine.kv, prefix, kernel: machine.kernel, subnetFile: machine.file })
    expect(machine.kernel.state()).toEqual(bareMachine('10.78.0.11'))
  })

  it('says so when nobody knows the network', async () => {
    const machine = network.start('10.78.0.11')
    await machine.stop()
    machine.kv.setUnavailable(true)
    const { kernel, file } = machine
    await expect(cleanup({ kv: machine.kv, prefix, kernel, subnetFile: file })).rejects.toMatchObject({
      code: 'flannel/unknown-network',
    })
  })
})

describe('several networks on one machine', () => {
  it('have devices, leases and files of their own', async () => {
    const config = (name: string, vni: number, third: number) =>
      network.kv.put(
        `${prefix}/${name}/config`,
        JSON.stringify({ Network: `10.${third}.0.0/16`, Backend: { Type: 'vxlan', VNI: vni } }),
      )
    await config('red', 2, 6)
    await config('blue', 3, 7)
    const red = network.start('10.78.0.11', { name: 'red' })
    const blue = network.start('10.78.0.11', { name: 'blue', kernel: red.kernel })
    await network.clock.advance(2000)
    expect(red.flannel.status()).toMatchObject({
      ready: true,
      name: 'red',
      network: '10.6.0.0/16',
      device: 'flannel.2',
    })
    expect(blue.flannel.status()).toMatchObject({
      ready: true,
      name: 'blue',
      network: '10.7.0.0/16',
      device: 'flannel.3',
    })
    expect((await network.kv.range(`${prefix}/red/subnets`)).entries).toHaveLength(1)
    expect(red.kernel.filters().size).toBe(2)
    await network.clock.advance(30_000)
    expect(red.flannel.status().kernel.repairs + blue.flannel.status().kernel.repairs).toBe(0)
  })

  it('end together', async () => {
    const stop = new AbortController()
    const fake = (work: (signal: AbortSignal) => Promise<'stopped' | 'lease-lost'>) => ({
      ...network.start('10.78.0.11').flannel,
      run: work,
    })
    const patient = fake(
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped'))),
    )
    const loser = fake(async () => 'lease-lost')
    expect(await runNetworks([patient, loser], stop.signal)).toBe('lease-lost')
    const failing = fake(async () => Promise.reject(new Error('no rights')))
    await expect(runNetworks([patient, failing], stop.signal)).rejects.toThrow('no rights')
    const both = runNetworks([patient, patient], stop.signal)
    stop.abort()
    expect(await both).toBe('stopped')
  })
})

it('a stopped service leaves everything as it is', async () => {
  const machine = network.start('10.78.0.11')
  await network.clock.advance(1000)
  const before = machine.kernel.state()
  await machine.stop()
  expect(machine.end()).toBe('stopped')
  expect(machine.kernel.state()).toEqual(before)
  expect(overlayRoutes(machine.kernel)).toHaveLength(1)
  expect(machine.flannel.status()).toMatchObject({ phase: 'stopped', ready: false })
})
