/**
 * What goes on while the lease is held: the kernel follows everybody's leases, the lease is renewed, the filter rules and
 * the external link are looked at. Ends with the signal or with the lease.
 */
import {
  type NetworkState,
  type ObservedFilter,
  type OverlayFilter,
  type OwnedDevice,
  type Ownership,
  routeProtocol,
} from '@cluster/linux-net/state'
import { createDoorbell, describeError } from '@cluster/prelude'
import {
  formatIp4,
  formatNet4,
  type LeaseAttributes,
  type Net4,
  type NetworkConfig,
  parseIp4,
  renderSubnetEnv,
  toIp4,
} from '@cluster/subnet'
import type { HeldLease } from './acquire-lease.ts'
import { checkExternal } from './await-start.ts'
import type { Backend, Peer, Surroundings } from './backends/backend.ts'
import { FlannelError } from './errors.ts'
import type { FlannelEvents } from './events.ts'
import type { ExternalInterface } from './external.ts'
import { createLeaseHolder, type LeaseHolder } from './hold-lease.ts'
import { type Judgement, judge, type Landscape, landscapeOf, networkProblem, type Standpoint } from './judge-peers.ts'
import { createKernelKeeper, type KernelKeeper } from './kernel-keeper.ts'
import type { Keyspace } from './keyspace.ts'
import type { KnownLease } from './known-lease.ts'
import type { NetworkView } from './network-view.ts'
import type { FlannelOptions } from './options.ts'
import { type Overlay, peersOf } from './overlay.ts'
import { addToScope, emptyScope, type Scope } from './scope.ts'
import type { Settings } from './settings.ts'
import { openUdpTunnelKeeper, type UdpTunnelKeeper } from './udp-tunnel-keeper.ts'

/** A network that this machine takes part in: what stays the same while the service runs. */
export type Membership = {
  readonly options: FlannelOptions
  readonly settings: Settings
  readonly keyspace: Keyspace
  readonly view: NetworkView
  readonly events: FlannelEvents
  readonly config: NetworkConfig
  readonly backend: Backend
  /** The tunnel device's hardware address, where it has one. */
  readonly mac?: string
  /** Networks of earlier runs whose remains are to go. */
  readonly formerNetworks: readonly string[]
  /** Devices of earlier runs, of another backend or VNI, that are to go. */
  readonly formerDevices: readonly string[]
  /** Routes of the original daemon are there, and to be taken over. */
  readonly takesOver: boolean
}

export type Service = AsyncDisposable & {
  readonly holder: LeaseHolder
  readonly keeper: KernelKeeper
  readonly tunnel: UdpTunnelKeeper | undefined
  readonly external: () => ExternalInterface
  readonly judgements: () => readonly Judgement[]
  /** Everything but single peers is in the kernel. */
  readonly isReady: () => boolean
  /** Why the filter rules are not what they should be. */
  readonly filterProblem: () => string | undefined
  readonly mtu: () => number
  /** The backend's device, where it has one. */
  readonly device: () => string | undefined
  readonly ownership: () => Ownership
  readonly filter: () => OverlayFilter
  /** The overlay with a look at the kernel just taken. */
  readonly overlay: (observed: NetworkState, filter: ObservedFilter) => Overlay
  /** Until the signal fires, or another machine has the lease; then the external interface as it is known. */
  readonly run: (onReady: () => void, signal: AbortSignal) => Promise<'stopped' | 'taken'>
}

/** IPv4 asks every link to carry this much. */
const mtuSmall = 576

/** What a machine of this network owns in its kernel. */
export function ownershipOf(
  {
    config,
    backend,
    keyspace,
    formerNetworks,
    formerDevices,
    takesOver,
  }: Omit<Membership, 'options' | 'settings' | 'view' | 'events'>,
  external: ExternalInterface,
  tunDevice: string | undefined,
): Ownership {
  const devices: OwnedDevice[] = []
  if (backend.device !== undefined) devices.push({ name: backend.device, kind: 'vxlan' })
  if (tunDevice !== undefined) devices.push({ name: tunDevice, kind: 'tun' })
  for (const name of formerDevices) devices.push({ name, kind: 'vxlan' })
  return {
    devices,
    networks: [formatNet4(config.network), ...formerNetworks],
    routeProtocol,
    ...(takesOver ? { adoptedProtocols: ['boot'] } : {}),
    mark: markOf(keyspace),
    underlay: external.device,
  }
}

/** What our devices carry as their alias, so that no two networks take each other's. */
export const markOf = ({ root }: Keyspace): string => `cluster-overlay:${root.replace(/[^A-Za-z0-9_.:/-]/g, '_')}`

/** Our devices that the backend has no use for: left by another backend, or by another VNI. */
export const formerDevicesIn = ({ links }: NetworkState, keyspace: Keyspace, backend: Backend): readonly string[] =>
  links
    .filter(({ name, kind, alias }) => kind === 'vxlan' && alias === markOf(keyspace) && name !== backend.device)
    .map(({ name }) => name)

/** What other machines must know of this one. */
export const attributesOf = (
  backend: Backend,
  external: ExternalInterface,
  mac: string | undefined,
): LeaseAttributes => {
  const backendData = backend.data(mac)
  return {
    publicIp: parseIp4(external.publicIp) ?? toIp4(0),
    backendType: backend.leaseType,
    ...(backendData === undefined ? {} : { backendData }),
  }
}

/** What is held together by one lease. Opens the udp tunnel, if the backend has one; all else happens in `run`. */
export async function createService(
  membership: Membership,
  lease: HeldLease,
  firstExternal: ExternalInterface,
): Promise<Service> {
  const { options, settings, keyspace, view, events, config, backend, mac } = membership
  const { kv, kernel, findExternal, subnetFile, clock, random } = options
  const own: Net4 = lease.subnet.v4 ?? config.network
  let external = firstExternal
  let landscape: Landscape = { connected: [], linkTo: () => undefined, fingerprint: '' }
  let standpoint: Standpoint | undefined
  let takesOver = membership.takesOver
  let isReady = false
  let fileText: string | undefined
  let filterProblem: string | undefined
  let isExternalStale = false
  let isExternalMissing = false
  const externalBell = createDoorbell(clock)
  /** By key; a lease that did not change keeps its judgement until the link or the machine's routes change. */
  const judged = new Map<string, { readonly lease: KnownLease; readonly judgement: Judgement | undefined }>()
  const told = new Map<string, string>()
  let judgements: readonly Judgement[] = []
  let peers: readonly Peer[] = []
  /** What changed since the kernel was last brought in line; absent: anything may have. */
  let scope: Scope | undefined

  const tunnel = backend.udpPort === undefined ? undefined : await openTunnel(backend.udpPort)

  function openTunnel(port: number): Promise<UdpTunnelKeeper> {
    if (options.openUdpTunnel === undefined) {
      throw new FlannelError('flannel/unusable-backend', 'this program was started without the udp backend', {
        hint: 'set Backend.Type to vxlan or host-gw',
      })
    }
    return openUdpTunnelKeeper({
      open: options.openUdpTunnel,
      address: formatIp4(own.ip),
      bind: { address: external.interfaceAddress, port },
      isSenderChecked: settings.checkSources,
      onChange: () => {
        rejudge()
        keeper.ring()
      },
      clock,
      random,
      events,
    })
  }

  const ownership = (): Ownership => ownershipOf({ ...membership, takesOver }, external, tunnel?.device())

  const standing = (): Standpoint => {
    standpoint ??= {
      backend,
      network: config.network,
      ownKey: lease.key.slice(keyspace.subnets.length + 1),
      own,
      external,
      devices: new Set(ownership().devices.map(({ name }) => name)),
    }
    return standpoint
  }

  const deviceName = (): string | undefined => backend.device ?? tunnel?.device()
  const surroundings = (): Surroundings => {
    const device = deviceName()
    return {
      external,
      network: config.network,
      own,
      ...(device === undefined ? {} : { device }),
      ...(mac === undefined ? {} : { mac }),
    }
  }

  /** Judges what has changed, tells what is new about it, and keeps the list of peers when it is the same. */
  function judgeAll(): void {
    const { leases } = view.book
    let changed = judged.size !== leases.size
    for (const [key, known] of leases) {
      const before = judged.get(key)
      if (before?.lease === known) continue
      const isSame = before !== undefined && before.lease.value === known.value
      const judgement = isSame ? withLease(before.judgement, known) : judge(known, standing(), landscape)
      judged.set(key, { lease: known, judgement })
      if (isSame) continue
      changed = true
      for (const one of [before?.judgement, judgement]) {
        if (scope !== undefined && one?.kind === 'peer') addToScope(scope, one.peer)
      }
      if (judgement !== undefined) tell(judgement)
    }
    if (!changed) return
    // Every lease is judged now; what there is more has vanished.
    for (const [key, { judgement }] of judged.size === leases.size ? [] : judged) {
      if (leases.has(key)) continue
      if (scope !== undefined && judgement?.kind === 'peer') addToScope(scope, judgement.peer)
      judged.delete(key)
      told.delete(key)
    }
    const all: Judgement[] = []
    for (const { judgement } of judged.values()) if (judgement !== undefined) all.push(judgement)
    judgements = all
    peers = peersOf(judgements)
    tunnel?.setPeers(peers)
    events.peers({ usable: peers.length, known: judgements.length })
  }

  function tell(judgement: Judgement): void {
    const { key, subnetText: subnet, publicIpText: publicIp } = judgement.lease
    if (judgement.kind === 'peer') {
      told.delete(key)
    } else if (told.get(key) !== judgement.reason) {
      told.set(key, judgement.reason)
      const fields = { subnet, publicIp, reason: judgement.reason }
      if (judgement.kind === 'refused') events.peerRefused(fields)
      else if (backend.type !== 'alloc') events.peerIgnored(fields)
    }
  }

  function rejudge(): void {
    standpoint = undefined
    scope = undefined
    judged.clear()
  }

  function onLook(state: NetworkState): void {
    const next = landscapeOf(state, standing())
    const isSame = next.fingerprint === landscape.fingerprint
    landscape = next
    if (!isSame) rejudge()
    const link = state.links.find(({ name }) => name === external.device)
    const hasAddress = state.addresses.some(
      ({ device, address }) => device === external.device && address.split('/')[0] === external.interfaceAddress,
    )
    if (link !== undefined && link.mtu === external.mtu && hasAddress && !isExternalMissing) return
    isExternalStale = true
    externalBell.ring()
  }

  const keeper = createKernelKeeper({
    kernel,
    ownership,
    desired: () => {
      judgeAll()
      const state = backend.desired(surroundings(), peers)
      const answer = scope === undefined ? { state } : { state, scope }
      scope = emptyScope()
      return answer
    },
    onLook,
    lookIntervalMs: settings.lookIntervalMs,
    clock,
    events,
  })

  const holder = createLeaseHolder({
    kv,
    keyspace,
    view,
    config,
    lease,
    marginSeconds: settings.renewMarginMinutes * 60,
    clock,
    random,
    events,
  })

  const filter = (): OverlayFilter => ({
    network: formatNet4(config.network),
    subnet: formatNet4(own),
    masquerade: settings.masquerade,
    forward: settings.forward,
  })

  const mtu = (): number => backend.mtu(external.mtu)

  /** Looks for the link again after it changed, and follows it as far as that does no harm. */
  async function followExternal(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await externalBell.wait(settings.lookIntervalMs, signal)
      if (!isExternalStale || signal.aborted) continue
      isExternalStale = false
      try {
        const found = checkExternal(await findExternal(signal))
        if (!sameExternal(found, external)) await useExternal(found, signal)
        isExternalMissing = false
      } catch (error) {
        if (!isExternalMissing && !signal.aborted) events.externalMissing(error)
        isExternalMissing = true
      }
    }
  }

  async function useExternal(found: ExternalInterface, signal: AbortSignal): Promise<void> {
    const devices = standing().devices
    const state = kernel.known() ?? (await kernel.observe(ownership(), signal))
    const problem =
      backend.problemWith(found) ??
      networkProblem(state, { network: config.network, external: found, devices }, options.storeAddresses ?? [])
    if (problem !== undefined) {
      throw new FlannelError('flannel/unusable-backend', problem.text, { hint: problem.hint })
    }
    if (found.interfaceAddress !== external.interfaceAddress) view.reconnect()
    external = found
    events.externalChanged(found)
    rejudge()
    tunnel?.rebind(found.interfaceAddress)
    holder.update(attributesOf(backend, found, mac))
    keeper.ring()
    await writeFile(signal).catch((error: unknown) => {
      if (!signal.aborted) events.subnetFileFailed(error)
    })
  }

  async function writeFile(signal: AbortSignal): Promise<void> {
    const text = renderSubnetEnv({ network: config.network, subnet: own, mtu: mtu(), ipMasq: settings.masquerade })
    if (text === fileText) return
    await subnetFile.write(text, signal)
    fileText = text
    if (mtu() < mtuSmall) events.mtuSmall({ mtu: mtu() })
    events.subnetFileWritten({ subnet: formatNet4(own), mtu: mtu() })
  }

  /** Filter rules every few seconds; and what else waits for another try. */
  async function housekeep(isFirst: boolean, failing: boolean, signal: AbortSignal): Promise<boolean> {
    try {
      const differences = await kernel.filter.sync(filter(), signal)
      filterProblem = undefined
      if (differences.length > 0) events.filterSet({ why: isFirst ? 'start' : 'repair' })
      return false
    } catch (error) {
      if (!failing && !signal.aborted) events.filterFailed(error)
      filterProblem = describeError(error).join(': ')
      return true
    }
  }

  async function keepFilter(first: Promise<boolean>, signal: AbortSignal): Promise<void> {
    let failing = await first
    for (const network of membership.formerNetworks) {
      await kernel.filter.remove(network, signal).catch((error: unknown) => {
        if (!signal.aborted) events.filterFailed(error)
      })
    }
    while (!signal.aborted) {
      await clock.sleep(settings.filterIntervalMs, signal)
      if (signal.aborted) return
      failing = await housekeep(failing, failing, signal)
      const figures = tunnel?.counters()
      if (figures !== undefined) events.tunnelFigures(figures)
      if (isReady) {
        await writeFile(signal).catch((error: unknown) => {
          if (!signal.aborted) events.subnetFileFailed(error)
        })
      }
    }
  }

  return {
    holder,
    keeper,
    tunnel,
    external: () => external,
    judgements: () => judgements,
    isReady: () => isReady && keeper.isSound(),
    filterProblem: () => filterProblem,
    mtu,
    device: deviceName,
    ownership,
    filter,
    overlay: (observed, observedFilter) => ({
      backend,
      standpoint: standing(),
      surroundings: surroundings(),
      judgements,
      ownership: ownership(),
      observed,
      filter: { wanted: filter(), observed: observedFilter },
    }),
    async run(onReady, signal) {
      const stop = new AbortController()
      const both = AbortSignal.any([signal, stop.signal])
      const forget = view.onChange(({ leasesChanged }) => {
        if (leasesChanged) keeper.ring()
      })
      // One part that ends ends all: a machine without its lease or without its kernel is no machine of the network.
      const part = <T>(work: Promise<T>): Promise<T> => work.finally(() => stop.abort())
      try {
        // As in release 0.9 the file does not wait for the rules; whoever waits for readiness has both.
        try {
          await writeFile(both)
        } catch (cause) {
          stop.abort()
          if (signal.aborted) return 'stopped'
          throw new FlannelError('flannel/subnet-file', 'the subnet file could not be written', {
            cause,
            hint: 'containers learn their subnet from it: make its directory writable, or name another with --subnet-file',
          })
        }
        const filtering = housekeep(true, false, both)
        const holding = part(holder.run(both))
        const becomingReady = keeper.programmed(both).then(async (programmed) => {
          await filtering
          if (!programmed || both.aborted) return
          isReady = true
          takesOver = false
          events.ready({ peers: peers.length })
          onReady()
        })
        const ends = await Promise.allSettled([
          holding,
          part(keeper.run(both)),
          part(keepFilter(filtering, both)),
          part(followExternal(both)),
          ...(tunnel === undefined ? [] : [part(tunnel.run(both))]),
          becomingReady,
        ])
        const failure = ends.find((end) => end.status === 'rejected')
        if (failure !== undefined) throw failure.reason
        return await holding
      } finally {
        forget()
        isReady = false
      }
    },
    async [Symbol.asyncDispose]() {
      await tunnel?.[Symbol.asyncDispose]()
    },
  }
}

const withLease = (judgement: Judgement | undefined, lease: KnownLease): Judgement | undefined =>
  judgement === undefined ? undefined : { ...judgement, lease }

const sameExternal = (one: ExternalInterface, other: ExternalInterface): boolean =>
  one.device === other.device &&
  one.mtu === other.mtu &&
  one.interfaceAddress === other.interfaceAddress &&
  one.publicIp === other.publicIp
