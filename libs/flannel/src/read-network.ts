/** One network as a command finds it in the store, and what the last run left in the subnet file. */
import type { KvEntry } from '@cluster/kv'
import type { NetworkConfig } from '@cluster/subnet'
import { parseIp4 } from '@cluster/subnet'
import { type ConfigFinding, readConfig } from './await-start.ts'
import { FlannelError } from './errors.ts'
import { createKeyspace, type Keyspace } from './keyspace.ts'
import { createLeaseBook, type KnownLease, type LeaseBook } from './known-lease.ts'
import { defaultPrefix, type FlannelOptions } from './options.ts'
import { type PreviousRun, readPreviousRun } from './previous-run.ts'

/** What commands are given that read by themselves. Without a subnet file they know of no earlier run. */
export type ReadOverlayOptions = Pick<
  FlannelOptions,
  'kv' | 'prefix' | 'name' | 'kernel' | 'findExternal' | 'config' | 'clock' | 'storeAddresses'
> & { readonly subnetFile?: FlannelOptions['subnetFile'] }

/** All of one moment. */
export type NetworkReading = {
  readonly keyspace: Keyspace
  readonly entries: readonly KvEntry[]
  readonly book: LeaseBook
  readonly finding: ConfigFinding
  readonly previous: PreviousRun
  readonly atMs: number
}

/** @throws KvError when the store does not answer; FlannelError `flannel/subnet-file` */
export async function readNetwork(options: ReadOverlayOptions, signal: AbortSignal): Promise<NetworkReading> {
  const keyspace = createKeyspace(options.prefix ?? defaultPrefix, options.name)
  const { subnetFile } = options
  const [{ entries }, previous] = await Promise.all([
    options.kv.range(keyspace.root, signal),
    subnetFile === undefined ? {} : readPreviousRun(subnetFile, signal),
  ])
  const atMs = options.clock.monotonicMs()
  const book = createLeaseBook(keyspace.subnets)
  book.read(new Map(entries.map((entry) => [entry.key, entry])), atMs)
  const finding = readConfig(entries.find(({ key }) => key === keyspace.config)?.value)
  return { keyspace, entries, book, finding, previous, atMs }
}

/** @throws FlannelError `flannel/not-running` when there is none */
export function configIn({ finding, keyspace }: NetworkReading): NetworkConfig {
  if (finding.kind === 'config') return finding.config
  throw new FlannelError('flannel/not-running', `there is no network configuration: ${finding.problem}`, {
    hint: `write ${keyspace.config}`,
  })
}

/** The lease of the machine with this public address. */
export function leaseOf({ book }: NetworkReading, publicIpText: string): KnownLease | undefined {
  const publicIp = parseIp4(publicIpText)
  return [...book.leases.values()].find(({ attributes }) => attributes.publicIp === publicIp)
}
