/** The store in this process (`store_dir`), with etcd's v2 API beside it where that is asked for. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type DaemonContext, type Metrics, systemClock } from '@cluster/daemon'
import { FleetError } from '@cluster/fleet'
import type { ListenAddress } from '@cluster/http'
import type { Kv } from '@cluster/kv'
import { openStore } from '@cluster/kv-server'
import type { Logger } from '@cluster/prelude'

export type EmbeddedStoreSettings = {
  readonly directory: string
  readonly listen: ListenAddress | undefined
  /** Where the built file of the store's threads lies. */
  readonly programFolder: string
  readonly metrics: Metrics
  readonly log: Logger
  readonly onClose: DaemonContext['onClose']
}

/**
 * Opens the store. `failed` rejects when it has failed for good: then nothing is acknowledged any more, and the daemon
 * has to end.
 *
 * @throws FleetError `fleet/local-record` when the folder cannot be made; errors of `openServer`
 */
export async function openEmbeddedStore({
  directory,
  listen,
  programFolder,
  metrics,
  log,
  onClose,
}: EmbeddedStoreSettings): Promise<{ readonly kv: Kv; readonly failed: Promise<never> }> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new FleetError('fleet/local-record', `store_dir ${directory} cannot be made`, {
      hint: 'name a folder that this user may write to',
      cause,
    })
  }
  let fail: (error: Error) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  // Until somebody waits for it.
  failed.catch(() => undefined)
  const store = await openStore({
    dir: directory,
    ...(listen === undefined ? {} : { serve: listen }),
    workerFile: join(programFolder, 'fleetd-store-worker.cjs'),
    log,
    meter: metrics.meter,
    clock: systemClock,
    renderMetrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
    onFatal: fail,
  })
  onClose('store', () => store.close(200))
  log.info('the store is open in this process', { directory, ...(store.url === undefined ? {} : { url: store.url }) })
  return { kv: store, failed }
}
