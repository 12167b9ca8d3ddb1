/** A network of machines in memory: one store, a kernel each, and time that moves when it is told to. */
import { createManualClock, createModelKv, type ManualClock, type ModelKv } from '@cluster/kv'
import { createModelKernel, emptyState, type ModelKernel, type NetworkState } from '@cluster/linux-net/state'
import { type Clock, type LogFields, type Logger, seededRandom, silentMeter } from '@cluster/prelude'
import {
  createFlannel,
  createVolatileSubnetFile,
  type ExternalInterface,
  type Flannel,
  type FlannelConfig,
  type FlannelEnd,
  type OpenUdpTunnel,
  type UdpTunnelPeer,
} from '../src/index.ts'

export const prefix = '/coreos.com/network'

export type LogLine = { readonly level: string; readonly message: string; readonly fields: LogFields }

/** A network card with its address, a default route, and nothing else. */
export const bareMachine = (address: string, mtu = 1500): NetworkState => ({
  ...emptyState,
  links: [
    { name: 'lo', kind: '', mtu: 65_536, up: true, loopback: true },
    { name: 'eth0', kind: '', mtu, up: true, mac: '52:54:00:00:00:01' },
  ],
  addresses: [{ device: 'eth0', address: `${address}/24` }],
  routes: [
    { destination: '0.0.0.0/0', gateway: '10.78.0.254', device: 'eth0', protocol: 'boot' },
    {
      destination: `${address.split('.').slice(0, 3).join('.')}.0/24`,
      device: 'eth0',
      protocol: 'kernel',
      scope: 'link',
      source: address,
    },
  ],
})

/** The tunnel of the udp backend, in memory: its device stands in the machine's kernel while it is open. */
export function createTestTunnels(kernel: ModelKernel) {
  const opened: { readonly bind: { readonly address: string; readonly port: number } }[] = []
  let peers: readonly UdpTunnelPeer[] = []
  let fail: ((error: Error) => void) | undefined
  let refusal: Error | undefined
  const open: OpenUdpTunnel = async ({ bind }) => {
    if (refusal !== undefined) throw refusal
    opened.push({ bind })
    kernel.disturb({ kind: 'add-link', link: { name: 'flannel0', kind: 'tun', mtu: 1500, up: false } })
    const failed = new Promise<Error>((resolve) => {
      fail = resolve
    })
    return {
      device: 'flannel0',
      setPeers: (next) => {
        peers = next
      },
      counters: () => ({ sentPackets: 1, receivedPackets: 2, drops: { truncated: 3 } }),
      failed,
      async [Symbol.asyncDispose]() {
        kernel.disturb({ kind: 'delete-link', device: 'flannel0' })
      },
    }
  }
  return {
    open,
    opened,
    peers: () => peers,
    fail: (error: Error) => fail?.(error),
    refuse: (error: Error | undefined) => {
      refusal = error
    },
  }
}

export type TestMachine = {
  readonly flannel: Flannel
  readonly kernel: ModelKernel
  readonly file: ReturnType<typeof createVolatileSubnetFile>
  readonly kv: ModelKv
  readonly log: readonly LogLine[]
  readonly tunnels: ReturnType<typeof createTestTunnels>
  readonly external: (change: Partial<ExternalInterface> | 'gone') => void
  /** How the run ended, once it has. */
  readonly end: () => FlannelEnd | { readonly error: unknown } | undefined
  readonly stop: () => Promise<void>
  readonly messages: () => readonly string[]
}

export type MachineOptions = {
  readonly kernel?: ModelKernel
  readonly file?: ReturnType<typeof createVolatileSubnetFile>
  readonly config?: FlannelConfig
  readonly publicIp?: string
  readonly storeAddresses?: readonly string[]
  readonly clock?: Clock
  readonly seed?: number
  readonly name?: string
  readonly isStoreAway?: boolean
  readonly isLinkAway?: boolean
}

export type TestNetwork = {
  readonly clock: ManualClock
  readonly kv: ModelKv
  /** Starts a machine with this address on eth0. */
  readonly start: (address: string, options?: MachineOptions) => TestMachine
  readonly setConfig: (config: object | string) => Promise<void>
  /** Lease keys and values as they stand. */
  readonly leases: () => Promise<Readonly<Record<string, unknown>>>
  readonly stopAll: () => Promise<void>
}

export const vxlanConfig = { Network: '10.5.0.0/16', Backend: { Type: 'vxlan' } }

export function createTestNetwork(): TestNetwork {
  const clock = createManualClock()
  const kv = createModelKv({ clock })
  const machines: TestMachine[] = []
  let count = 0

  function start(address: string, options: MachineOptions = {}): TestMachine {
    const kernel = options.kernel ?? createModelKernel({ initial: bareMachine(address) })
    const file = options.file ?? createVolatileSubnetFile()
    const lines: LogLine[] = []
    const at =
      (level: string) =>
      (message: string, fields: LogFields = {}) =>
        void lines.push({ level, message, fields })
    const log: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
    const first: ExternalInterface = {
      device: 'eth0',
      mtu: kernel.state().links.find(({ name }) => name === 'eth0')?.mtu ?? 1500,
      interfaceAddress: address,
      publicIp: options.publicIp ?? address,
    }
    let external: ExternalInterface | 'gone' = options.isLinkAway === true ? 'gone' : first
    const tunnels = createTestTunnels(kernel)
    const connection = kv.connect()
    if (options.isStoreAway === true) connection.setUnavailable(true)
    const flannel = createFlannel({
      kv: connection,
      prefix,
      ...(options.name === undefined ? {} : { name: options.name }),
      kernel,
      openUdpTunnel: tunnels.open,
      subnetFile: file,
      findExternal: async () => {
        if (external === 'gone') throw new Error('no such interface')
        return external
      },
      ...(options.storeAddresses === undefined ? {} : { storeAddresses: options.storeAddresses }),
      ...(options.config === undefined ? {} : { config: options.config }),
      clock: options.clock ?? clock,
      random: seededRandom(options.seed ?? ++count),
      log,
      meter: silentMeter,
    })
    const stopping = new AbortController()
    let end: FlannelEnd | { readonly error: unknown } | undefined
    const running = flannel.run(stopping.signal).then(
      (value) => {
        end = value
      },
      (error: unknown) => {
        end = { error }
      },
    )
    let last = first
    const machine: TestMachine = {
      flannel,
      kernel,
      file,
      kv: connection,
      log: lines,
      tunnels,
      external: (change) => {
        if (change === 'gone') external = 'gone'
        else {
          last = { ...last, ...change }
          external = last
        }
      },
      end: () => end,
      stop: async () => {
        stopping.abort()
        await clock.advance(0)
        await running
      },
      messages: () => lines.map(({ message }) => message),
    }
    machines.push(machine)
    return machine
  }

  return {
    clock,
    kv,
    start,
    setConfig: async (config) => {
      await kv.put(`${prefix}/config`, typeof config === 'string' ? config : JSON.stringify(config))
    },
    leases: async () => {
      const { entries } = await kv.range(`${prefix}/subnets`)
      return Object.fromEntries(
        entries.map(({ key, value }) => [key.slice(`${prefix}/subnets/`.length), JSON.parse(value)]),
      )
    },
    stopAll: async () => {
      await Promise.all(machines.map((machine) => machine.stop()))
      await kv[Symbol.asyncDispose]()
    },
  }
}

/** Routes that are not the machine's own. */
export const overlayRoutes = (kernel: ModelKernel) =>
  kernel
    .state()
    .routes.filter(({ destination }) => destination.startsWith('10.5.'))
    .map(({ destination, gateway, device, onlink }) => ({ destination, gateway, device, onlink: onlink ?? false }))
    .toSorted((one, other) => one.destination.localeCompare(other.destination))

/** The subnet that the machine's file tells, `10.5.34.0/24`. */
export const subnetOf = (machine: TestMachine): string =>
  /^FLANNEL_SUBNET=(.*)\.1\/(\d+)$/m
    .exec(machine.file.text() ?? '')
    ?.slice(1)
    .join('.0/') ?? 'none'
