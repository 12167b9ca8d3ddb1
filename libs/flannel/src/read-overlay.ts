/** The overlay of this machine, read from the store and the kernel at once: for commands, also while no daemon runs. */
import { routeProtocol } from '@cluster/linux-net/state'
import { formatIp4, formatNet4, type Net4 } from '@cluster/subnet'
import { checkExternal } from './await-start.ts'
import type { Surroundings } from './backends/backend.ts'
import { createBackend } from './backends/create-backend.ts'
import { FlannelError } from './errors.ts'
import type { ExternalInterface } from './external.ts'
import { judge, landscapeOf, type Standpoint } from './judge-peers.ts'
import type { Overlay } from './overlay.ts'
import { configIn, leaseOf, type NetworkReading, type ReadOverlayOptions, readNetwork } from './read-network.ts'
import { formerDevicesIn, ownershipOf } from './serve-lease.ts'
import { withDefaults } from './settings.ts'

/**
 * What this machine has and should have, for `planOf` and `checkPeer`. Changes nothing.
 *
 * @throws FlannelError `flannel/not-running` when there is no configuration, or no lease for this machine;
 *   `flannel/unknown-backend`; KvError; what `findExternal` and the kernel port throw
 */
export async function readOverlay(options: ReadOverlayOptions, signal: AbortSignal): Promise<Overlay> {
  const [reading, found] = await Promise.all([readNetwork(options, signal), options.findExternal(signal)])
  const external = checkExternal(found)
  // Without a configuration a lease says nothing.
  configIn(reading)
  const lease = leaseOf(reading, external.publicIp)
  const own = lease?.subnet.v4
  if (lease === undefined || own === undefined) {
    throw new FlannelError('flannel/not-running', `no lease belongs to ${external.publicIp}`, {
      hint: 'start flanneld on this machine, or name its public address with --public-ip',
    })
  }
  return overlayWith(options, reading, { external, own, ownKey: lease.key, data: lease.attributes.backendData }, signal)
}

/** A machine with its subnet, whether it has it or would get it. */
export type Seat = {
  readonly external: ExternalInterface
  readonly own: Net4
  readonly ownKey: string
  /** What its lease tells others; absent: nothing yet. */
  readonly data?: unknown
}

/**
 * The kernel looked at from this seat.
 *
 * @throws as `readOverlay`
 */
export async function overlayWith(
  { kernel, config: given }: Pick<ReadOverlayOptions, 'kernel' | 'config'>,
  reading: NetworkReading,
  { external, own, ownKey, data }: Seat,
  signal: AbortSignal,
): Promise<Overlay> {
  const { keyspace, book, previous } = reading
  const { masquerade, forward } = withDefaults(given)
  const config = configIn(reading)
  const backend = createBackend(config)
  const { network } = config
  const networkText = formatNet4(network)
  const former = previous.network === undefined ? networkText : formatNet4(previous.network)
  const formerNetworks = former === networkText ? [] : [former]
  const basis = { config, backend, keyspace, formerNetworks, formerDevices: [], takesOver: false }
  const observed = await kernel.observe(ownershipOf(basis, external, undefined), signal)
  const tun = observed.links.find(
    ({ name, kind }) =>
      kind === 'tun' &&
      observed.addresses.some(({ device, address }) => device === name && address.startsWith(`${formatIp4(own.ip)}/`)),
  )
  const takesOver = previous.subnet !== undefined && !observed.routes.some(({ protocol }) => protocol === routeProtocol)
  const tunDevice = backend.udpPort === undefined ? undefined : tun?.name
  const ownership = ownershipOf(
    { ...basis, formerDevices: formerDevicesIn(observed, keyspace, backend), takesOver },
    external,
    tunDevice,
  )
  const filter = await kernel.filter.observe(networkText, signal)

  const devices = new Set(ownership.devices.map(({ name }) => name))
  const standpoint: Standpoint = { backend, network, ownKey, own, external, devices }
  const landscape = landscapeOf(observed, standpoint)
  const device = backend.device ?? tunDevice
  const mac = macIn(data) ?? observed.links.find(({ name, kind }) => name === device && kind === 'vxlan')?.mac
  const surroundings: Surroundings = {
    external,
    network,
    own,
    ...(device === undefined ? {} : { device }),
    ...(mac === undefined ? {} : { mac }),
  }
  return {
    backend,
    standpoint,
    surroundings,
    judgements: [...book.leases.values()].flatMap((candidate) => judge(candidate, standpoint, landscape) ?? []),
    ownership,
    observed,
    filter: {
      wanted: { network: networkText, subnet: formatNet4(own), masquerade, forward },
      observed: filter,
    },
  }
}

/** The hardware address that our lease tells. */
function macIn(data: unknown): string | undefined {
  return typeof data === 'object' && data !== null && 'VtepMAC' in data && typeof data.VtepMAC === 'string'
    ? data.VtepMAC.toLowerCase()
    : undefined
}
