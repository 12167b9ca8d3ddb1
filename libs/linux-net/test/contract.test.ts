/** What whoever is written against the port may rely on: the kernel in memory and the real one keep to it alike. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openKernel } from '../src/index.ts'
import {
  batchLine,
  createModelKernel,
  diff,
  emptyState,
  type Kernel,
  type NetworkCommand,
  type NetworkState,
  type Ownership,
  programOf,
} from '../src/state/index.ts'
import { type NetworkMachine, obstacle, openNetworkMachine, testClock } from './network-machine.ts'

const reason = obstacle()
const ownership: Ownership = {
  devices: [{ name: 'flannel.1', kind: 'vxlan' }],
  networks: ['10.5.0.0/16'],
  routeProtocol: '156',
  mark: 'cluster-overlay:10.5.0.0/16',
  underlay: 'eth0',
}
const desired: NetworkState = {
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
  routes: [
    { destination: '10.5.2.0/24', gateway: '10.5.2.0', device: 'flannel.1', onlink: true },
    { destination: '10.5.3.0/24', gateway: '10.78.0.3' },
  ],
  neighbours: [{ device: 'flannel.1', ip: '10.5.2.0', mac: '02:00:00:00:01:02' }],
  forwarding: [{ device: 'flannel.1', mac: '02:00:00:00:01:02', remote: '10.78.0.12' }],
}
const withoutDirect: NetworkState = { ...desired, routes: desired.routes.slice(0, 1) }
const overlay = { network: '10.5.0.0/16', subnet: '10.5.34.0/24', masquerade: true, forward: true }

type Subject = AsyncDisposable & {
  readonly kernel: Kernel
  /** Somebody else does something. */
  readonly disturb: (command: NetworkCommand) => void
}

/** One link with an address, and a default route. */
const host: NetworkState = {
  ...emptyState,
  links: [{ name: 'eth0', kind: 'veth', mtu: 1500, up: true, index: 2 }],
  addresses: [{ device: 'eth0', address: '10.78.0.2/24' }],
  routes: [
    { destination: '0.0.0.0/0', gateway: '10.78.0.1', device: 'eth0', protocol: 'boot' },
    { destination: '10.78.0.0/24', device: 'eth0', source: '10.78.0.2', protocol: 'kernel', scope: 'link' },
  ],
}

async function openModel(): Promise<Subject> {
  const kernel = createModelKernel({ initial: host })
  return { kernel, disturb: (command) => kernel.disturb(command), [Symbol.asyncDispose]: async () => undefined }
}

async function openReal(): Promise<Subject> {
  const machine: NetworkMachine = openNetworkMachine()
  const kernel = await openKernel({ prefix: machine.prefix, clock: testClock, filterMode: 'nft' })
  return {
    kernel,
    disturb: (command) => void machine.run(`${programOf(command)} ${batchLine(command)}`),
    [Symbol.asyncDispose]: async () => {
      await kernel[Symbol.asyncDispose]()
      machine[Symbol.dispose]()
    },
  }
}

describe.each([
  ['in memory', openModel, undefined],
  [reason === undefined ? 'of Linux' : `of Linux (${reason})`, openReal, reason],
] as const)('a kernel %s', (_, open, missing) => {
  describe.skipIf(missing !== undefined)('by the port', () => {
    let subject: Subject
    let kernel: Kernel
    beforeEach(async () => {
      subject = await open()
      kernel = subject.kernel
    })
    afterEach(() => subject[Symbol.asyncDispose]())

    const become = async (state: NetworkState): Promise<void> => {
      expect(await kernel.apply(diff(state, await kernel.observe(ownership), ownership).commands)).toEqual([])
      expect(diff(state, await kernel.observe(ownership), ownership)).toEqual({ commands: [], refusals: [] })
    }

    it('nothing is known before the first look', () => expect(kernel.known()).toBeUndefined())

    it('a look after a plan finds what was planned, with a MAC that was not asked for', async () => {
      await become(desired)
      const { links } = await kernel.observe(ownership)
      expect(links.find(({ name }) => name === 'flannel.1')?.mac).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)
    })

    it('what was applied since the look is known', async () => {
      await become(desired)
      await kernel.apply(diff(withoutDirect, kernel.known() ?? emptyState, ownership).commands)
      expect(diff(withoutDirect, kernel.known() ?? emptyState, ownership).commands).toEqual([])
    })

    it('a command that fails is told with its reason, the others are done, and a look is due', async () => {
      await become(withoutDirect)
      const lost: NetworkCommand = {
        kind: 'replace-neighbour',
        neighbour: { device: 'gone0', ip: '10.5.9.0', mac: '02:00:00:00:01:09' },
      }
      const direct = diff(desired, kernel.known() ?? emptyState, ownership).commands
      expect(await kernel.apply([lost, ...direct])).toMatchObject([{ command: lost, reason: 'no-device' }])
      expect(kernel.known()).toBeUndefined()
      expect(diff(desired, await kernel.observe(ownership), ownership).commands).toEqual([])
    })

    it('a vxlan device needs the link below it, and a VNI of its own', async () => {
      await become(withoutDirect)
      const [link] = desired.links
      if (link?.vxlan === undefined) return expect.unreachable()
      const lost: NetworkCommand = {
        kind: 'add-link',
        link: { ...link, name: 'flannel.2', vxlan: { ...link.vxlan, vni: 2, underlay: 'gone0' } },
      }
      const twin: NetworkCommand = { kind: 'add-link', link: { ...link, name: 'flannel.3' } }
      expect(await kernel.apply([lost])).toMatchObject([{ command: lost, reason: 'no-device' }])
      expect(await kernel.apply([twin])).toMatchObject([{ command: twin, reason: 'exists' }])
      await kernel.observe(ownership)
      expect(await kernel.apply([{ kind: 'delete-link', device: 'eth0' }])).toEqual([])
      expect((await kernel.observe(ownership)).links.map(({ name }) => name)).not.toContain('flannel.1')
    })

    it('a change by somebody else is told, and a look is due', async () => {
      const stop = new AbortController()
      const changes = kernel.changes(stop.signal)[Symbol.asyncIterator]()
      const first = changes.next()
      await become(desired)
      subject.disturb({ kind: 'delete-route', route: { destination: '10.5.3.0/24', gateway: '10.78.0.3' } })
      // what comes first may be that the watch begins, or the making of the device
      for (let { value } = await first; value?.kind !== 'route'; { value } = await changes.next()) {
        expect(value).toBeDefined()
      }
      expect(kernel.known()).toBeUndefined()
      stop.abort()
      expect(await changes.next()).toMatchObject({ done: true })
    })

    it('ways are those of the longest prefix', async () => {
      await become(desired)
      expect(await kernel.routeTo('10.78.0.9')).toEqual({ device: 'eth0', source: '10.78.0.2' })
      expect(await kernel.routeTo('10.5.3.7')).toMatchObject({ gateway: '10.78.0.3' })
      expect(await kernel.routeTo('192.0.2.1')).toMatchObject({ device: 'eth0', gateway: '10.78.0.1' })
    })

    it('rules are set once, and removed with all the rest', async () => {
      await become(desired)
      expect(await kernel.filter.sync(overlay)).not.toEqual([])
      expect(await kernel.filter.sync(overlay)).toEqual([])
      expect((await kernel.filter.observe('10.5.0.0/16')).lines).not.toEqual([])
      expect(await kernel.removeAll(ownership)).toEqual([])
      expect((await kernel.filter.observe('10.5.0.0/16')).lines).toEqual([])
      expect(diff(emptyState, await kernel.observe(ownership), ownership).commands).toEqual([])
      expect((await kernel.observe(ownership)).links.some(({ name }) => name === 'flannel.1')).toBe(false)
    })
  })
})
