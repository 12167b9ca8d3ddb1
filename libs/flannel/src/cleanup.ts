import type { FlannelOptions } from './options.ts'

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
 * forwarding entries, filter rules, the subnet file. For a machine that leaves; a stopped service cleans nothing up.
 * The network is known from the store or, while that is away, from the subnet file.
 */
export declare function cleanup(options: CleanupOptions, signal?: AbortSignal): Promise<CleanupReport>
