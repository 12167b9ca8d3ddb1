/** The overlay of this machine, read from the store and the kernel at once: for commands, also while no daemon runs. */
import { routeProtocol } from '@cluster/linux-net/state'
import { formatIp4, formatNet4, parseIp4 } from '@cluster/subnet'
import { checkExternal, readConfig } from './await-start.ts'
import type { Surroundings } from './backends/backend.ts'
import { createBackend } from './backends/create-backend.ts'
import { FlannelError } from './errors.ts'
import { judge, landscapeOf, type Standpoint } from './judge-peers.ts'
import { createKeyspace } from './keyspace.ts'
import { createLeaseBook } from './known-lease.ts'
import { defaultPrefix, type FlannelOptions } from './options.ts'
import type { Overlay } from './overlay.ts'
import { markOf } from './serve-lease.ts'
import { withDefaults } from './settings.ts'

export type ReadOverlayOptions = Pick<
  FlannelOptions,
  'kv' | 'prefix' | 'name' | 'kernel' | 'findExternal' | 'config' | 'clock'
>

/**
 * What this machine has and should have, for `planOf` and `checkPeer`. Changes nothing.
 *
 * @throws FlannelError `flannel/not-running` when there is no configuration, or no lease for this machine;
 *   `flannel/unknown-backend`; KvError; what `findExternal` and the kernel port throw
 */
export async function readOverlay(options: ReadOverlayOptions, signal: AbortSignal): Promise<Overlay> {
  const { kv, kernel, findExternal, clock } = options
  const { masquerade, forward } = withDefaults(options.config)
  const keyspace = createKeyspace(options.prefix ?? defaultPrefix, options.name)
  const [{ entries }, found] = await Promise.all([kv.range(keyspace.root, signal), findExternal(signal)])
  const external = checkExternal(found)
  const finding = readConfig(entries.find(({ key }) => key === keyspace.config)?.value)
  if (finding.kind === 'problem') {
    throw new FlannelError('flannel/not-running', `there is no network configuration: ${finding.problem}`, {
      hint: `write ${keyspace.config}`,
    })
  }
  const { config } = finding
  const backend = createBackend(config)
  const book = createLeaseBook(keyspace.subnets)
  book.read(new Map(entries.map((entry) => [entry.key, entry])), clock.monotonicMs())
  const publicIp = parseIp4(external.publicIp)
  const lease = [...book.leases.values()].find(({ attributes }) => attributes.publicIp === publicIp)
  const own = lease?.subnet.v4
  if (lease === undefined || own === undefined) {
    throw new FlannelError('flannel/not-running', `no lease belongs to ${external.publicIp}`, {
      hint: 'start flanneld on this machine, or name its public address with --public-ip',
    })
  }

  const { network } = config
  const networkText = formatNet4(network)
  const mark = markOf(keyspace)
  const vxlan = backend.device === undefined ? [] : [{ name: backend.device, kind: 'vxlan' } as const]
  const bare = { devices: vxlan, networks: [networkText], routeProtocol, mark }
  const observed = await kernel.observe(bare, signal)
  const tun = observed.links.find(
    ({ name, kind }) =>
      kind === 'tun' &&
      observed.addresses.some(({ device, address }) => device === name && address.startsWith(`${formatIp4(own.ip)}/`)),
  )
  const devices = [
    ...vxlan,
    ...(backend.udpPort !== undefined && tun ? [{ name: tun.name, kind: 'tun' } as const] : []),
  ]
  const filter = await kernel.filter.observe(networkText, signal)

  const standpoint: Standpoint = {
    backend,
    network,
    ownKey: lease.key,
    own,
    external,
    devices: new Set(devices.map(({ name }) => name)),
  }
  const landscape = landscapeOf(observed, standpoint)
  const device = devices[0]?.name
  const mac = macIn(lease.attributes.backendData)
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
    ownership: { ...bare, devices, underlay: external.device },
    observed,
    filter: {
      wanted: { network: networkText, subnet: lease.subnetText, masquerade, forward },
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
