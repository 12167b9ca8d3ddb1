/** Several networks on one machine: `--networks` of release 0.5. */
import type { Flannel, FlannelEnd } from './options.ts'

/**
 * Runs several services until the signal fires. When one ends or fails, the others are stopped.
 *
 * @returns `lease-lost` if one of them lost its lease
 * @throws what the first that failed threw
 */
export async function runNetworks(networks: readonly Flannel[], signal: AbortSignal): Promise<FlannelEnd> {
  const stop = new AbortController()
  const both = AbortSignal.any([signal, stop.signal])
  const runs = await Promise.allSettled(networks.map((network) => network.run(both).finally(() => stop.abort())))
  const failed = runs.find((run) => run.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return runs.some((run) => run.status === 'fulfilled' && run.value === 'lease-lost') ? 'lease-lost' : 'stopped'
}
