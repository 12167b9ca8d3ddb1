/** Takes away what the service made: for a machine that leaves. A stopped service cleans nothing up, so that packets flow. */
import {
  commandText,
  type NetworkState,
  type OwnedDevice,
  type Ownership,
  removal,
  routeProtocol,
} from '@cluster/linux-net/state'
import { contains4, formatNet4, type Net4, parseIp4, parseNet4, parseVariables, readLease } from '@cluster/subnet'
import { isKvError } from './acquire-lease.ts'
import { readConfig } from './await-start.ts'
import { FlannelError } from './errors.ts'
import { createKeyspace, type Keyspace } from './keyspace.ts'
import { defaultPrefix, type FlannelOptions } from './options.ts'
import { releaseLease } from './release-lease.ts'
import { markOf } from './serve-lease.ts'

/** What was taken away, as lines to read, and what could not be. */
export type CleanupReport = { readonly removed: readonly string[]; readonly failures: readonly string[] }

export type CleanupOptions = Pick<FlannelOptions, 'kv' | 'prefix' | 'name' | 'kernel' | 'subnetFile'> & {
  /** Whether the lease goes, too: the machine gets another subnet when it comes back. Default false. */
  readonly releaseLease?: boolean
  /** `PublicIP` of this machine; needed to release the lease. */
  readonly publicIp?: string
}

/**
 * Removes all that the service ever made on this machine for one network: devices, addresses, routes, neighbours,
 * forwarding entries, filter rules, the subnet file, and on request the lease. The network is known from the store and
 * from the subnet file; one of the two is enough. The service must not run.
 *
 * @throws FlannelError `flannel/unknown-network` when neither tells; KvError when the lease is to be released and the
 *   store is away (then nothing is removed); what the kernel port throws when it cannot be looked at
 */
export async function cleanup(options: CleanupOptions, signal?: AbortSignal): Promise<CleanupReport> {
  const { kernel, subnetFile } = options
  const keyspace = createKeyspace(options.prefix ?? defaultPrefix, options.name)
  const networks = [
    ...new Set([await networkInFile(options, signal), await networkInStore(options, keyspace, signal)]),
  ].filter((network) => network !== undefined)
  if (networks.length === 0) {
    throw new FlannelError('flannel/unknown-network', 'neither the store nor the subnet file tells the network', {
      hint: `write ${keyspace.config} again, or name the subnet file of the last run with --subnet-file`,
    })
  }
  const released = options.releaseLease === true ? await releaseLeases(options, keyspace, signal) : []

  const bare: Ownership = { devices: [], networks, routeProtocol, mark: markOf(keyspace) }
  const ownership: Ownership = { ...bare, devices: ourDevices(await kernel.observe(bare, signal), bare) }
  const planned = removal(await kernel.observe(ownership, signal), ownership).commands.map(commandText)
  const filters: string[] = []
  for (const network of networks) {
    const { mode, lines } = await kernel.filter.observe(network, signal)
    if (lines.length > 0) filters.push(`${mode} rules of ${network}`)
  }
  const failures = await kernel.removeAll(ownership, signal)
  const failed = new Set(failures.map(({ command }) => commandText(command)))
  const hadFile = (await subnetFile.read(signal).catch(() => undefined)) !== undefined
  await subnetFile.remove()
  return {
    removed: [
      ...planned.filter((line) => !failed.has(line)),
      ...filters,
      ...(hadFile ? ['subnet file'] : []),
      ...released,
    ],
    failures: failures.map(({ command, text }) => `${commandText(command)}: ${text}`),
  }
}

/** Our devices: those with our mark, and those of the original daemon, which carry an address of the network. */
function ourDevices({ links, addresses }: NetworkState, { mark, networks }: Ownership): readonly OwnedDevice[] {
  const nets = networks.flatMap((network) => parseNet4(network) ?? [])
  const isInside = (address: string): boolean => {
    const net = parseNet4(address)
    return net !== undefined && nets.some((outer) => contains4(outer, net.ip))
  }
  return links
    .filter(({ name, kind, alias }) => {
      if (kind !== 'vxlan') return false
      if (alias === mark) return true
      return (
        /^flannel\.\d+$/.test(name) && addresses.some(({ device, address }) => device === name && isInside(address))
      )
    })
    .map(({ name }) => ({ name, kind: 'vxlan' }))
}

async function networkInFile(
  { subnetFile }: CleanupOptions,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const text = await subnetFile.read(signal)
  if (text === undefined) return undefined
  const network: Net4 | undefined = parseNet4(parseVariables(text).get('FLANNEL_NETWORK') ?? '')
  return network === undefined ? undefined : formatNet4(network)
}

/** The network of the configuration; what the store does not say now is left to the subnet file. */
async function networkInStore(
  { kv }: CleanupOptions,
  keyspace: Keyspace,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    const finding = readConfig((await kv.get(keyspace.config, signal))?.value)
    return finding.kind === 'config' ? formatNet4(finding.config.network) : undefined
  } catch (error) {
    if (isKvError(error) && signal?.aborted !== true) return undefined
    throw error
  }
}

async function releaseLeases(
  { kv, publicIp }: CleanupOptions,
  keyspace: Keyspace,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const ip = parseIp4(publicIp ?? '')
  if (ip === undefined) {
    throw new FlannelError('flannel/bad-option', 'releasing the lease needs the public address of this machine', {
      hint: 'name it with --public-ip',
    })
  }
  const released: string[] = []
  for (const { key, value, revision } of (await kv.range(keyspace.subnets, signal)).entries) {
    const reading = readLease({ key: key.slice(keyspace.subnets.length + 1), value })
    if (reading.kind !== 'lease' || reading.lease.attributes.publicIp !== ip) continue
    if ((await releaseLease(kv, { key, value, revision }, signal)).ok) released.push(`lease ${key}`)
  }
  return released
}
