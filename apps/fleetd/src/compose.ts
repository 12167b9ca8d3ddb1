/** From configuration to a running daemon: adapters are made, handed to the service, and closed in reverse. */
import { join } from 'node:path'
import { createNotifier, createProcessMetrics, type DaemonContext, systemClock, systemRandom } from '@cluster/daemon'
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
import { connectEtcd2 } from '@cluster/kv-client'
import type { Logger } from '@cluster/prelude'
import { openDbusUnitManager, readBootId, readMachineId } from '@cluster/systemd'
import type { FleetdConfig } from './config.ts'
import { findPublicIp } from './public-ip.ts'
import { createRecordFile } from './record-file.ts'
import { version } from './version.ts'

/** What the process is given by its parent. */
export type ProcessInput = {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly pid: number
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
  { environment, pid }: ProcessInput,
): readonly ListenAddress[] {
  const configured = listen.map((text) => {
    const address = parseListenAddress(text)
    if (address.ok) return address.value
    throw new HttpError('http/invalid-address', `listen: ${JSON.stringify(text)}: ${address.error.reason}`, {
      hint: 'expected unix:///run/fleet.sock or 127.0.0.1:49153',
    })
  })
  if (!insecureAllowNetwork) for (const address of configured) checkListener(address)
  const chosen = [...inheritedSockets(environment, pid), ...configured]
  return chosen.length === 0 ? [defaultListener] : chosen
}

/** Runs fleetd until the context's signal fires. Returns what SIGHUP may change. */
export async function composeFleetd(
  config: FleetdConfig,
  { signal, onClose }: DaemonContext,
  process: ProcessInput,
  log: Logger,
): Promise<{ readonly fleet: Fleet; readonly ended: Promise<void> }> {
  const clock = systemClock
  const random = systemRandom
  const listeners = chooseListeners(config, process)
  const [id, bootId] = await Promise.all([readMachineId(), readBootId()])
  const metrics = createProcessMetrics()

  const units = await openDbusUnitManager({
    unitsDirectory: config.unitsDirectory,
    ...(config.systemdUser ? { busAddress: userBus(process.environment) } : {}),
    log,
    clock,
  })
  onClose('systemd', async () => units[Symbol.asyncDispose]())
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
    clock,
    random,
    log,
  })
  onClose('store', async () => kv[Symbol.asyncDispose]())

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
      drainOnStop: config.drainOnStop,
    },
    records: createRecordFile(join(config.unitsDirectory, '..', 'fleetd.json')),
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
  const notifier = createNotifier({ environment: process.environment, pid: process.pid, clock, log })
  await notifier.ready(`machine ${id}`)
  signal.addEventListener('abort', () => void notifier.stopping(), { once: true })
  const alive = notifier.keepAlive(signal)
  return { fleet, ended: Promise.all([fleet.run(signal), alive]).then(() => undefined) }
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
