/** From configuration to a running daemon: adapters are made, handed to the service, and closed in reverse. */
import { rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { createNotifier, createProcessMetrics, type DaemonContext, systemClock, systemRandom } from '@cluster/daemon'
import { createFlannel, type FlannelOptions, runNetworks } from '@cluster/flannel'
import { isClusterError, type Logger } from '@cluster/prelude'
import type { FlanneldConfig, NetworkFile } from './config.ts'
import { controlHandler, healthHandler } from './control.ts'
import { FlanneldError } from './errors.ts'
import { createFindExternal } from './external.ts'
import { openMachineKernel } from './machine-kernel.ts'
import { makeFolder } from './make-folder.ts'
import { openStore } from './open-store.ts'
import { refuseSecondDaemon } from './refuse-second-daemon.ts'
import { socketPathOf } from './socket-path.ts'
import { storeAddresses } from './store-addresses.ts'
import { fileOf, previousSubnet } from './subnet-file.ts'

/** What the process is given by its parent. */
export type ProcessInput = {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly pid: number
  /** Where the built files of the program lie. */
  readonly programFolder: string
}

/**
 * Runs flanneld until the context's signal fires.
 *
 * @throws FlanneldError `flanneld/already-running`, `flanneld/lease-lost`; FlannelError; what the adapters throw when they are opened
 */
export async function runFlanneld(
  config: FlanneldConfig,
  { signal, onClose }: DaemonContext,
  process: ProcessInput,
  log: Logger,
): Promise<void> {
  const { networks, store } = config
  await refuseSecondDaemon(networks)
  const metrics = createProcessMetrics()
  const kv = await openStore(store, log)
  onClose('store', async () => kv[Symbol.asyncDispose]())
  const kernels = await Promise.all(
    networks.map(async (network) => {
      const kernel = await openMachineKernel(config)
      onClose('kernel', async () => kernel[Symbol.asyncDispose]())
      return { network, kernel }
    }),
  )
  log.info(`Created subnet manager: Etcd Local Manager with Previous Subnet: ${await previousSubnet(networks)}`)
  log.info('Installing signal handlers')
  const shared = {
    kv,
    prefix: store.prefix,
    openUdpTunnel: lazyUdpTunnel(process.programFolder),
    findExternal: createFindExternal(config, log),
    storeAddresses: storeAddresses(store),
    config: serviceConfig(config),
    clock: systemClock,
    random: systemRandom,
    log,
    meter: metrics.meter,
  } satisfies Omit<FlannelOptions, 'subnetFile' | 'kernel'>
  const services = kernels.map(({ network, kernel }) =>
    createFlannel({ ...shared, ...named(network), kernel, subnetFile: fileOf(network) }),
  )

  const handled = {
    services,
    metrics: async () => ({ text: await metrics.text(), contentType: metrics.contentType }),
  }
  if (config.health !== undefined) {
    const { serve } = await import('@cluster/http')
    log.info(`Start healthz server on ${config.health.host}:${config.health.port}`)
    const listener = await serve(healthHandler(handled), { listen: { kind: 'tcp', ...config.health }, log })
    onClose('health', () => listener.close(200))
  }
  await openControl(networks, handled, onClose, log)

  const notifier = createNotifier({ environment: process.environment, pid: process.pid, clock: systemClock, log })
  const alive = notifier.keepAlive(signal)
  signal.addEventListener('abort', () => void notifier.stopping(), { once: true })
  void Promise.all(services.map((service) => service.ready(signal))).then((ready) =>
    ready.every((is) => is) ? notifier.ready(`${services.length} network(s)`) : undefined,
  )
  const end = await runNetworks(services, signal)
  if (end === 'lease-lost') {
    throw new FlanneldError('flanneld/lease-lost', 'another machine holds our subnet', {
      hint: 'start flanneld anew: it takes another subnet; then start what got addresses of the old one anew (docker)',
    })
  }
  await alive
  log.info('Exiting cleanly...')
}

const named = ({ name }: NetworkFile): { readonly name?: string } => (name === undefined ? {} : { name })

/** The service's own configuration. */
export const serviceConfig = (config: FlanneldConfig): NonNullable<FlannelOptions['config']> => ({
  masquerade: config.isMasquerading,
  forward: config.isForwarding,
  renewMarginMinutes: config.renewMarginSeconds / 60,
  filterIntervalMs: config.filterResyncMs,
  onLeaseTaken: config.onLeaseLost === 'exit' ? 'stop' : 'reallocate',
  externalDeadlineMs: config.external.waitMs,
  checkSources: !config.trustsUdpSenders,
})

/** The code of the tunnel, and the native library below it, are loaded only where the network's backend is udp. */
const lazyUdpTunnel =
  (programFolder: string): NonNullable<FlannelOptions['openUdpTunnel']> =>
  async (options) => {
    const { openUdpTunnel } = await import('@cluster/linux-net')
    return openUdpTunnel({ ...options, workerFile: join(programFolder, 'flanneld-udp-worker.cjs') })
  }

/** The socket of the commands. Without it the overlay works as well, so that its failure is a warning. */
async function openControl(
  networks: readonly NetworkFile[],
  handled: Parameters<typeof controlHandler>[0],
  onClose: DaemonContext['onClose'],
  log: Logger,
): Promise<void> {
  const { serve } = await import('@cluster/http')
  const path = resolve(socketPathOf(networks))
  try {
    await makeFolder(dirname(path))
    const listener = await serve(controlHandler(handled), { listen: { kind: 'unix', path, mode: 0o600 }, log })
    onClose('control socket', async () => {
      await listener.close(200)
      await rm(path, { force: true })
    })
  } catch (error) {
    if (!isClusterError(error) && !(error instanceof Error && 'code' in error)) throw error
    log.warn('no socket for flanneld status, check and plan; the overlay works without it', { path, error })
  }
}
