/** The real kernel, in network namespaces of the test's own. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findExternalInterface, openKernel } from '../src/index.ts'
import {
  diff,
  emptyState,
  type FilterMode,
  type Kernel,
  type NetworkCommand,
  type NetworkState,
  type Ownership,
} from '../src/state/index.ts'
import { hasProgram, type NetworkMachine, obstacle, openNetworkMachine, testClock } from './network-machine.ts'

const reason = obstacle()
const ownership: Ownership = {
  devices: [{ name: 'flannel.1', kind: 'vxlan' }],
  networks: ['10.5.0.0/16'],
  routeProtocol: '156',
  mark: 'cluster-overlay:10.5.0.0/16',
  underlay: 'eth0',
}
const own: NetworkState = {
  ...emptyState,
  links: [
    {
      name: 'flannel.1',
      kind: 'vxlan',
      mtu: 1450,
      up: true,
      vxlan: { vni: 1, underlay: 'eth0', local: '10.78.0.2', port: 8472, learning: false, gbp: false },
    },
  ],
  addresses: [{ device: 'flannel.1', address: '10.5.34.0/32' }],
}
const withPeers = (...numbers: readonly number[]): NetworkState => ({
  ...own,
  routes: numbers.map((n) => ({
    destination: `10.5.${n}.0/24`,
    gateway: `10.5.${n}.0`,
    device: 'flannel.1',
    onlink: true,
  })),
  neighbours: numbers.map((n) => ({ device: 'flannel.1', ip: `10.5.${n}.0`, mac: `02:00:00:00:01:0${n}` })),
  forwarding: numbers.map((n) => ({ device: 'flannel.1', mac: `02:00:00:00:01:0${n}`, remote: `10.78.0.1${n}` })),
})
const route = (destination: string, gateway: string, device?: string): NetworkCommand => ({
  kind: 'replace-route',
  route: { destination, gateway, protocol: '156', ...(device === undefined ? {} : { device }) },
})
const neighbour = (kind: 'replace-neighbour' | 'delete-neighbour', device: string, ip: string): NetworkCommand => ({
  kind,
  neighbour: { device, ip, mac: '02:00:00:00:01:01' },
})

describe.skipIf(reason !== undefined)(`a machine${reason === undefined ? '' : ` (${reason})`}`, () => {
  let machine: NetworkMachine
  let kernel: Kernel

  beforeEach(async () => {
    machine = openNetworkMachine()
    kernel = await openKernel({ prefix: machine.prefix, clock: testClock })
  })
  afterEach(async () => {
    await kernel[Symbol.asyncDispose]()
    machine[Symbol.dispose]()
  })

  /** Makes the machine's network as desired, and looks whether it is. */
  const become = async (desired: NetworkState, owner = ownership): Promise<NetworkState> => {
    const { commands, refusals } = diff(desired, await kernel.observe(owner), owner)
    expect(refusals).toEqual([])
    expect(await kernel.apply(commands)).toEqual([])
    const after = await kernel.observe(owner)
    expect(diff(desired, after, owner)).toEqual({ commands: [], refusals: [] })
    return after
  }

  it('gets a vxlan device and peers, which are known without another look', async () => {
    await become(own)
    const { commands } = diff(withPeers(2, 3), kernel.known() ?? emptyState, ownership)
    expect(await kernel.apply(commands)).toEqual([])
    expect(diff(withPeers(2, 3), kernel.known() ?? emptyState, ownership).commands).toEqual([])
    expect(machine.run('ip route show proto 156').trim().split(/\s*\n/)).toEqual([
      '10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink',
      '10.5.3.0/24 via 10.5.3.0 dev flannel.1 onlink',
    ])
    expect(machine.run('ip neighbour show dev flannel.1')).toContain('10.5.2.0 lladdr 02:00:00:00:01:02 PERMANENT')
    expect(machine.run('bridge fdb show dev flannel.1')).toContain('02:00:00:00:01:03 dst 10.78.0.13 self permanent')
    expect(machine.run('ip -d link show flannel.1')).toMatch(
      /mtu 1450 .*vxlan id 1 local 10.78.0.2 dev eth0 .*dstport 8472 nolearning.*alias cluster-overlay:10.5.0.0\/16/s,
    )
  })

  it('is left as it was', async () => {
    const look = (): readonly string[] =>
      ['ip -o link', 'ip -4 -o address', 'ip -4 route show table all', 'nft list ruleset'].map((line) =>
        machine.run(line),
      )
    const before = look()
    await become(withPeers(2, 3))
    await kernel.filter.sync({ network: '10.5.0.0/16', subnet: '10.5.34.0/24', masquerade: true, forward: true })
    expect(look()).not.toEqual(before)
    expect(await kernel.removeAll(ownership)).toEqual([])
    expect(look()).toEqual(before)
  })

  it('gets routes over its own link, and says which next hop is not on it', async () => {
    const owner: Ownership = { ...ownership, devices: [] }
    await become(
      { ...emptyState, routes: [{ destination: '10.5.2.0/24', gateway: '10.78.0.12', device: 'eth0' }] },
      owner,
    )
    expect(
      await kernel.apply([route('10.5.3.0/24', '192.0.2.1', 'eth0'), route('10.5.4.0/24', '10.78.0.14')]),
    ).toMatchObject([
      { command: { route: { destination: '10.5.3.0/24' } }, reason: 'unreachable', hint: /on a link of this machine/ },
    ])
    expect(machine.run('ip route show 10.5.4.0/24')).toContain('via 10.78.0.14 dev eth0')
  })

  it('moves a peer between direct and tunnelled ways', async () => {
    await become(withPeers(2))
    await become({ ...own, routes: [{ destination: '10.5.2.0/24', gateway: '10.78.0.12' }] })
    expect(machine.run('ip route show 10.5.2.0/24')).toContain('via 10.78.0.12 dev eth0')
    expect(machine.run('ip neighbour show dev flannel.1')).toBe('')
    await become(withPeers(2))
  })

  it('takes the rest of a batch when neighbours in it cannot be set', async () => {
    await become(own)
    const failures = await kernel.apply([
      neighbour('replace-neighbour', 'flannel.1', '10.5.2.0'),
      neighbour('replace-neighbour', 'gone0', '10.5.3.0'),
      route('10.5.2.0/24', '10.78.0.12'),
      neighbour('replace-neighbour', 'gone0', '10.5.4.0'),
      neighbour('delete-neighbour', 'flannel.1', '10.5.9.0'),
      neighbour('replace-neighbour', 'flannel.1', '10.5.5.0'),
    ])
    expect(failures.map(({ command, reason: why }) => [command, why])).toEqual([
      [neighbour('replace-neighbour', 'gone0', '10.5.3.0'), 'no-device'],
      [neighbour('replace-neighbour', 'gone0', '10.5.4.0'), 'no-device'],
    ])
    expect(machine.run('ip neighbour show dev flannel.1')).toMatch(
      /10\.5\.2\.0 .*\n.*10\.5\.5\.0 |10\.5\.5\.0 .*\n.*10\.5\.2\.0 /,
    )
    expect(machine.run('ip route show 10.5.2.0/24')).toContain('via 10.78.0.12')
  })

  it('takes away what is not there without complaint', async () => {
    await become(own)
    expect(
      await kernel.apply([
        { kind: 'delete-route', route: { destination: '10.5.2.0/24', gateway: '10.78.0.12', protocol: '156' } },
        { kind: 'delete-address', address: { device: 'flannel.1', address: '10.5.99.0/32' } },
        neighbour('delete-neighbour', 'flannel.1', '10.5.2.0'),
        {
          kind: 'delete-forwarding-entry',
          entry: { device: 'flannel.1', mac: '02:00:00:00:01:01', remote: '10.78.0.12' },
        },
        { kind: 'delete-link', device: 'gone0' },
      ]),
    ).toEqual([])
  })

  it('is programmed after somebody has made the device anew', async () => {
    await become(withPeers(2))
    machine.run('ip link delete flannel.1')
    machine.run('ip link add flannel.1 type vxlan id 1 dev eth0 local 10.78.0.2 dstport 8472 nolearning')
    machine.run('ip link set flannel.1 up')
    await become(withPeers(2, 3))
  })

  it('says that the VNI is taken, and tries nothing on the device that is not there', async () => {
    machine.run('ip link add other type vxlan id 1 dev eth0 dstport 8472')
    const { commands } = diff(withPeers(2), await kernel.observe(ownership), ownership)
    const failures = await kernel.apply(commands)
    expect(failures).toMatchObject([
      { command: { kind: 'add-link' }, reason: 'exists', hint: /same name, VNI or port/ },
      ...commands.slice(1).map(() => ({ reason: 'skipped' })),
    ])
    expect(kernel.known()).toBeUndefined()
  })

  it('tells of changes by others, and not of its own', async () => {
    const stop = new AbortController()
    const changes = kernel.changes(stop.signal)[Symbol.asyncIterator]()
    expect((await changes.next()).value).toMatchObject({ kind: 'unknown' })
    await become(withPeers(2, 3))
    expect(await kernel.apply(diff(withPeers(3, 4), kernel.known() ?? emptyState, ownership).commands)).toEqual([])
    /** The first change of a kind; the making of the device may be told, too. */
    const next = async (kind: string): Promise<string> => {
      for (;;) {
        const { value } = await changes.next()
        if (value?.kind === kind) return value.text
      }
    }
    machine.run('ip route delete 10.5.3.0/24')
    expect(await next('route')).toMatch(/^Deleted 10\.5\.3\.0\/24 /)
    expect(kernel.known()).toBeUndefined()
    await become(withPeers(3, 4))
    machine.run('bridge fdb delete 02:00:00:00:01:04 dev flannel.1 dst 10.78.0.14')
    expect(await next('forwarding')).toMatch(/^Deleted 10\.78\.0\.14 /)
    await become(withPeers(3, 4))
    machine.run('ip link set flannel.1 mtu 1400')
    expect(await next('link')).toContain('mtu 1400')
    await become(withPeers(3, 4))
    stop.abort()
    expect(await changes.next()).toMatchObject({ done: true })
  })

  it('finds ways, and finds them anew after a change', async () => {
    const stop = new AbortController()
    const changes = kernel.changes(stop.signal)[Symbol.asyncIterator]()
    await changes.next()
    await kernel.observe(ownership)
    expect(
      await Promise.all(['10.78.0.9', '192.0.2.1', '10.78.0.2'].map((address) => kernel.routeTo(address))),
    ).toEqual([
      { device: 'eth0', source: '10.78.0.2' },
      { device: 'eth0', gateway: '10.78.0.1', source: '10.78.0.2' },
      { device: 'lo', source: '10.78.0.2' },
    ])
    machine.run('ip route delete default')
    await changes.next()
    expect(await kernel.routeTo('192.0.2.1')).toBeUndefined()
    await expect(kernel.routeTo('eth0')).rejects.toMatchObject({ code: 'linux-net/observation' })
    stop.abort()
  })

  it('has an external interface once it has a default route', async () => {
    machine.run('ip route delete default')
    const host = { prefix: machine.prefix, clock: testClock }
    await expect(findExternalInterface(host)).rejects.toMatchObject({
      code: 'linux-net/no-interface',
      message: 'Failed to find any valid interface to use: Unable to find default route',
    })
    const found = { device: 'eth0', address: '10.78.0.2', mtu: 1500, warnings: [] }
    const clock = { ...testClock, sleep: async () => void machine.run('ip route add default via 10.78.0.1') }
    // the second look comes right after the first: the clock's pause is when the route appears
    let pauses = 0
    const patient = {
      ...clock,
      sleep: (ms: number, signal?: AbortSignal): Promise<void> => {
        if (ms !== 1000) return testClock.sleep(ms, signal)
        pauses += 1
        return clock.sleep()
      },
    }
    expect(await findExternalInterface({ ...host, clock: patient, waitMs: 60_000 })).toMatchObject(found)
    expect(pauses).toBe(1)
    expect(await findExternalInterface({ ...host, canReach: ['10.78.0.77'] })).toMatchObject(found)
  })

  it('says that the right is missing', async () => {
    const prefix = [
      ...machine.prefix,
      'setpriv',
      '--reuid=65534',
      '--clear-groups',
      '--inh-caps=-all',
      '--bounding-set=-all',
    ]
    await using weak = await openKernel({ prefix, clock: testClock })
    const failures = await weak.apply([
      neighbour('replace-neighbour', 'eth0', '10.78.0.9'),
      neighbour('replace-neighbour', 'eth0', '10.78.0.8'),
    ])
    expect(failures).toMatchObject([
      { reason: 'no-permission', hint: /CAP_NET_ADMIN/ },
      { reason: 'no-permission', hint: /CAP_NET_ADMIN/ },
    ])
  })

  it('says that a program is not there', async () => {
    await expect(openKernel({ prefix: ['/nowhere/ip'], clock: testClock })).rejects.toMatchObject({
      code: 'linux-net/program-missing',
    })
  })

  describe.each<FilterMode>(['nft', 'iptables'])('with rules in %s', (filterMode) => {
    const program = filterMode === 'nft' ? 'nft' : 'iptables'
    const missing = !hasProgram(program)
    const overlay = { network: '10.5.0.0/16', subnet: '10.5.34.0/24', masquerade: true, forward: true }
    const rules = (): string => machine.run(filterMode === 'nft' ? 'nft list ruleset' : 'iptables-save')
    const open = (): Promise<Kernel> => openKernel({ prefix: machine.prefix, clock: testClock, filterMode })

    it.skipIf(missing)(`they are set once, come back, change, and go${missing ? ` (no ${program})` : ''}`, async () => {
      await using filtering = await open()
      const { filter } = filtering
      expect((await filter.sync(overlay)).length).toBeGreaterThan(4)
      expect(rules()).toMatch(/10\.5\.0\.0\/16.*\n.*10\.5\.0\.0\/16 .*224\.0\.0\.0\/4.*masquerade/i)
      expect(await filter.sync(overlay)).toEqual([])
      await using another = await open()
      expect(await another.filter.sync(overlay)).toEqual([])

      if (filterMode === 'nft') machine.run('nft flush chain ip cluster-overlay-10.5.0.0-16 forward')
      else machine.run('iptables -D FORWARD -j CLU-FWD-10.5.0.0-16')
      const missingLines =
        filterMode === 'nft'
          ? ['+ ip saddr 10.5.0.0/16 accept', '+ ip daddr 10.5.0.0/16 accept']
          : ['+ filter -A FORWARD -j CLU-FWD-10.5.0.0-16']
      expect(await filter.sync(overlay)).toEqual(missingLines)
      expect(await filter.sync(overlay)).toEqual([])

      expect(await filter.sync({ ...overlay, subnet: '10.5.35.0/24' })).toHaveLength(2)
      expect(rules()).not.toContain('10.5.34.0')
      const { lines } = await filter.observe('10.5.0.0/16')
      expect(await filter.sync({ ...overlay, masquerade: false })).not.toEqual([])
      expect((await filter.observe('10.5.0.0/16')).lines.length).toBeLessThan(lines.length)
      expect(rules().toLowerCase()).not.toContain('masquerade')

      await filter.sync({ ...overlay, network: '10.6.0.0/16', subnet: '10.6.1.0/24' })
      await filter.remove('10.5.0.0/16')
      expect(rules()).not.toContain('10.5.')
      expect(rules()).toContain('10.6.0.0')
      await filter.remove('10.6.0.0/16')
      expect(rules()).not.toContain('10.6.')
    })
  })

  it.skipIf(!hasProgram('iptables'))(
    'has its rules in iptables where others filter with iptables, and leaves theirs',
    async () => {
      machine.run('iptables -P FORWARD DROP')
      machine.run('iptables -A FORWARD -s 10.5.9.0/24 -j DROP')
      expect(await kernel.filter.mode()).toBe('iptables')
      await kernel.filter.sync({ network: '10.5.0.0/16', subnet: '10.5.34.0/24', masquerade: true, forward: true })
      expect(machine.run('iptables -S FORWARD').trim().split('\n')).toEqual([
        '-P FORWARD DROP',
        '-A FORWARD -s 10.5.9.0/24 -j DROP',
        '-A FORWARD -j CLU-FWD-10.5.0.0-16',
      ])
      await kernel.removeAll(ownership)
      expect(machine.run('iptables -S FORWARD').trim().split('\n')).toEqual([
        '-P FORWARD DROP',
        '-A FORWARD -s 10.5.9.0/24 -j DROP',
      ])
    },
  )

  it.skipIf(!hasProgram('iptables'))('loses the rules of the other packet filter when it changes over', async () => {
    const overlay = { network: '10.5.0.0/16', subnet: '10.5.34.0/24', masquerade: true, forward: true }
    const open = (filterMode: FilterMode): Promise<Kernel> =>
      openKernel({ prefix: machine.prefix, clock: testClock, filterMode })
    await using before = await open('nft')
    await before.filter.sync(overlay)
    await using after = await open('iptables')
    await after.filter.sync(overlay)
    expect(machine.run('nft list tables')).not.toContain('cluster-overlay')
    expect(machine.run('iptables-save')).toContain('CLU-NAT-10.5.0.0-16')
  })
})
