/** From configuration to a running daemon: adapters are made, handed to the service, and closed in reverse. */
import { join } from 'node:path'
import {
  createNotifier,
  createProcessMetrics,
  type DaemonContext,
  type Metrics,
  systemClock,
  systemRandom,
} from '@cluster/daemon'
import { checkListener, createFleet, type Fleet } from '@cluster/fleet'
import {
  HttpError,
  inheritedSockets,
  type ListenAddress,
  parseListenAddress,
  readTlsFiles,
  renderListenAddress,
  serve,
} from '@cluster/http'
import type { Kv } from '@cluster/kv'
import { connectEtcd2 } from '@cluster/kv-client'
import type { Logger } from '@cluster/prelude'
import { openDbusUnitManager, readBootId, type UnitManager } from '@cluster/systemd'
import { brakeOf, type FleetdConfig } from './config.ts'
import { chooseMachineId } from './machine-id.ts'
import { openProcessUnits } from './process-units.ts'
import { findPublicIp } from './public-ip.ts'
import { createRecordFile } from './record-file.ts'
import { version } from './version.ts'

/** What the process is given by its parent. */
export type ProcessInput = {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly pid: number
  /** Where the built files of the program lie. */
  readonly programFolder: string
}

const defaultListener: ListenAddress = { kind: 'unix', path: '/run/fleet.sock', mode: 0o660 }

/**
 * Where to listen: sockets from systemd and what the configuration names; without either, /run/fleet.sock.
 *
 * @throws HttpError `http/invalid-address`
 * @throws FleetError `fleet/insecure-listener`
 */
export function chooseListeners(
  { listen, insecureAllowNetwork }: Pick<FleetdConfig, 'listen' | 'insecureAllowNetwork'>,
  { environment, pid }: Pick<ProcessInput, 'environment' | 'pid'>,
): readonly ListenAddress[] {
  const configured = listen.map((text) => parseAddress('listen', text, 'unix:///run/fleet.sock or 127.0.0.1:49153'))
  if (!insecureAllowNetwork) for (const address of configured) checkListener(address)
  const chosen = [...inheritedSockets(environment, pid), ...configured]
  return chosen.length === 0 ? [defaultListener] : chosen
}

/**
 * Where the embedded store serves its API, if anywhere. It has no users until somebody makes them, so it is held to the
 * same rule as our own API.
 *
 * @throws HttpError `http/invalid-address`
 * @throws FleetError `fleet/insecure-listener`
 */
export function chooseStoreListener({
  storeListen,
  insecureAllowNetwork,
}: Pick<FleetdConfig, 'storeListen' | 'insecureAllowNetwork'>): ListenAddress | undefined {
  if (storeListen === '') return undefined
  const address = parseAddress('store_listen', storeListen.replace(/^http:\/\/([^/]*)\/?$/, '$1'), '127.0.0.1:2379')
  if (!insecureAllowNetwork) checkListener(address)
  return address
}

function parseAddress(option: string, text: string, example: string): ListenAddress {
  const address = parseListenAddress(text)
  if (address.ok) return address.value
  throw new HttpError('http/invalid-address', `${option}: ${JSON.stringify(text)}: ${address.error.reason}`, {
    hint: `expected ${example}`,
  })
}

/** Runs fleetd until the context's signal fires. Returns what SIGHUP may change. */
export async function composeFleetd(
  config: FleetdConfig,
  context: DaemonContext,
  process: ProcessInput,
  log: Logger,
): Promise<{ readonly fleet: Fleet; readonly ended: Promise<void> }> {
  const { signal, onClose } = context
  const clock = systemClock
  const random = systemRandom
  const listeners = chooseListeners(config, process)
  const [id, bootId] = await Promise.all([chooseMachineId(config), readBootId()])
  const metrics = createProcessMetrics()

  const units = await openUnits(config, id, process, log)
  onClose('units', async () => units[Symbol.asyncDispose]())
  const { kv, failed } = await openKv(config, context, process, metrics, log)

  const fleet = await createFleet({
    kv,
    units,
    machine: { id, bootId, ...(await describeMachine(config)) },
    version,
    config: {
      prefix: config.etcdKeyPrefix,
      agentTtlSeconds: config.agentTtl / 1000,
      engineIntervalMs: config.engineReconcileInterval * 1000,
      engineDisabled: config.disableEngine,
      tokenLimit: config.tokenLimit,
      brake: brakeOf(config),
      drainOnStop: config.drainOnStop,
    },
    records: createRecordFile(recordPath(config)),
    metricsText: metrics.text,
    clock,
    random,
    log,
    meter: metrics.meter,
  })
  for (const listen of listeners) {
    const listener = await serve(fleet.api, { listen, log })
    onClose(`listener ${renderListenAddress(listen)}`, () => listener.close(1000))
    log.info('the API listens', { address: renderListenAddress(listener.address) })
  }
  const overlay =
    config.overlay === 'none' ? undefined : startOverlay(config, process.programFolder, kv, metrics, log, signal)
  const notifier = createNotifier({ environment: process.environment, pid: process.pid, clock, log })
  await notifier.ready(`machine ${id}`)
  signal.addEventListener('abort', () => void notifier.stopping(), { once: true })
  const alive = notifier.keepAlive(signal)
  return {
    fleet,
    ended: Promise.race([Promise.all([fleet.run(signal), alive, overlay]).then(() => undefined), failed]),
  }
}

/** Runs beside fleet, over the same store, until the signal fires. */
async function startOverlay(
  config: FleetdConfig,
  programFolder: string,
  kv: Kv,
  metrics: Metrics,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  // Its code is loaded only where it is used.
  const { runOverlay, addressesOf } = await import('./overlay.ts')
  const storeAddresses = config.storeDir === '' ? addressesOf(config.etcdServers) : []
  return runOverlay(config, { kv, storeAddresses, programFolder, log, meter: metrics.meter }, signal)
}

/** What a crash must not forget lies beside the units, wherever those are kept. */
const recordPath = ({ unitManager, processDir, unitsDirectory }: FleetdConfig): string =>
  unitManager === 'process' ? join(processDir, 'fleetd.json') : join(unitsDirectory, '..', 'fleetd.json')

function openUnits(config: FleetdConfig, id: string, process: ProcessInput, log: Logger): Promise<UnitManager> {
  if (config.unitManager === 'process') {
    return openProcessUnits(config, { id, programFolder: process.programFolder, log, clock: systemClock })
  }
  return openDbusUnitManager({
    unitsDirectory: config.unitsDirectory,
    ...(config.systemdUser ? { busAddress: userBus(process.environment) } : {}),
    log,
    clock: systemClock,
  })
}

type OpenedKv = {
  readonly kv: Kv
  /** Rejects when the store has failed for good; one elsewhere never does. */
  readonly failed: Promise<never>
}

/** The store: in this process with `store_dir`, else wherever `etcd_servers` says. */
async function openKv(
  config: FleetdConfig,
  { onClose }: DaemonContext,
  { programFolder }: ProcessInput,
  metrics: Metrics,
  log: Logger,
): Promise<OpenedKv> {
  if (config.storeDir !== '') {
    // Its code is loaded only where it is used.
    const { openEmbeddedStore } = await import('./embedded-store.ts')
    const listen = chooseStoreListener(config)
    return openEmbeddedStore({ directory: config.storeDir, listen, programFolder, metrics, log, onClose })
  }
  const tls = await readTlsFiles({
    keyFile: unlessEmpty(config.etcdKeyfile),
    certFile: unlessEmpty(config.etcdCertfile),
    caFile: unlessEmpty(config.etcdCafile),
  })
  const kv = connectEtcd2({
    endpoints: config.etcdServers,
    username: unlessEmpty(config.etcdUsername),
    password: config.etcdPassword.reveal(),
    tls,
    requestTimeoutMs: config.etcdRequestTimeout * 1000,
    clock: systemClock,
    random: systemRandom,
    log,
  })
  onClose('store', async () => kv[Symbol.asyncDispose]())
  return { kv, failed: new Promise(() => undefined) }
}

/** What the machine says of itself, and what a reload may change. */
export async function describeMachine({
  publicIp,
  metadata,
}: Pick<FleetdConfig, 'publicIp' | 'metadata'>): Promise<{ publicIp: string; metadata: Record<string, string> }> {
  return {
    publicIp: publicIp === '' ? await findPublicIp() : publicIp,
    metadata: Object.fromEntries(metadata),
  }
}

const userBus = (environment: ProcessInput['environment']): string =>
  environment['DBUS_SESSION_BUS_ADDRESS'] ?? `unix:path=${environment['XDG_RUNTIME_DIR'] ?? '/run/user/0'}/bus`

const unlessEmpty = (text: string): string | undefined => (text === '' ? undefined : text)
