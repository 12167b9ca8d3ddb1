/** The overlay inside fleetd: the service of flanneld over fleetd's own store. Loaded only where it is asked for. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemClock, systemRandom } from '@cluster/daemon'
import { createFlannel, type FindExternal, type SubnetFile } from '@cluster/flannel'
import type { Kv } from '@cluster/kv'
import { findExternalInterface, LinuxNetError, openKernel, openUdpTunnel } from '@cluster/linux-net'
import { describeError, isClusterError, type Logger, type Meter } from '@cluster/prelude'
import { parseIp4 } from '@cluster/subnet'
import type { FleetdConfig } from './config.ts'

export type OverlayOptions = {
  readonly kv: Kv
  /** Addresses of the store, where it is elsewhere: a network that would swallow them is refused. */
  readonly storeAddresses: readonly string[]
  /** Where the thread of the udp tunnel lies. */
  readonly programFolder: string
  readonly log: Logger
  readonly meter: Meter
}

type OverlayConfig = Pick<FleetdConfig, 'overlay' | 'overlayNetwork' | 'overlayIface' | 'overlayIpMasq' | 'publicIp'>

/** Where flannel keeps its network, so that machines with flanneld take part in the same one. */
const prefix = '/coreos.com/network'

/** Where docker and others look for the subnet, as flanneld writes it. */
const subnetPath = '/run/flannel/subnet.env'

/** At a boot the store of another machine comes a moment later; what lasts is looked at less often. */
const retry = { firstMs: 500, longestMs: 10_000 }

/**
 * Runs the overlay until the signal fires. Its failure is said and tried again after a while: units go on without it.
 * What it made in the kernel stays when fleetd ends, so that a restart loses no packet; only a udp tunnel ends with it.
 */
export async function runOverlay(config: OverlayConfig, options: OverlayOptions, signal: AbortSignal): Promise<void> {
  const { log } = options
  for (let failures = 0; !signal.aborted; failures++) {
    const delayMs = Math.min(retry.longestMs, retry.firstMs * 2 ** Math.min(failures, 10))
    try {
      await runOnce(config, options, signal)
    } catch (error) {
      if (signal.aborted) return
      if (!isClusterError(error)) throw error
      const hint = error.hint ?? `it is tried again in ${delayMs / 1000} s; units go on without it`
      log.error('the overlay does not work here', { error: describeError(error).join(': '), code: error.code, hint })
    }
    await systemClock.sleep(delayMs * (0.5 + systemRandom.next() / 2), signal)
  }
}

async function runOnce(config: OverlayConfig, options: OverlayOptions, signal: AbortSignal): Promise<void> {
  const { kv, storeAddresses, programFolder, log, meter } = options
  await writeConfigIfAbsent(config, kv, log, signal)
  await using kernel = await openKernel({ clock: systemClock })
  const flannel = createFlannel({
    kv,
    prefix,
    kernel,
    subnetFile,
    findExternal: findExternalFor(config),
    openUdpTunnel: (tunnel) => openUdpTunnel({ ...tunnel, workerFile: join(programFolder, 'fleetd-udp-worker.cjs') }),
    storeAddresses,
    // A machine whose subnet another one has takes the next: nobody is there to start fleetd anew for it.
    config: { masquerade: config.overlayIpMasq, onLeaseTaken: 'reallocate' },
    clock: systemClock,
    random: systemRandom,
    log,
    meter,
  })
  await flannel.run(signal)
}

/** The configuration of a new network. One that is there already counts, whoever has written it. */
export const networkConfigOf = ({
  overlay,
  overlayNetwork,
}: Pick<OverlayConfig, 'overlay' | 'overlayNetwork'>): string =>
  JSON.stringify({ Network: overlayNetwork, Backend: { Type: overlay } })

/** Writes it unless there is one. A store that is not there yet is an error of this round, and the next tries again. */
export async function writeConfigIfAbsent(
  config: Pick<OverlayConfig, 'overlay' | 'overlayNetwork'>,
  kv: Kv,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const key = `${prefix}/config`
  const wanted = networkConfigOf(config)
  const written = await kv.put(key, wanted, { onlyIf: { kind: 'absent' }, signal })
  if (written.ok) {
    log.info('network configuration written', { key, value: wanted })
    return
  }
  const found = written.error.found?.value ?? (await kv.get(key, signal))?.value
  if (found !== wanted)
    log.info('the network configuration in the store counts, not the options', { key, found, wanted })
}

/** The addresses among endpoints; names are looked up by nobody, since an answer may change. */
export const addressesOf = (endpoints: readonly string[]): readonly string[] =>
  endpoints.map((endpoint) => new URL(endpoint).hostname).filter((host) => parseIp4(host) !== undefined)

function findExternalFor({ overlayIface, publicIp }: OverlayConfig): FindExternal {
  const interfaces = overlayIface === '' ? [] : [overlayIface]
  return async (signal) => {
    const { device, mtu, address } = await findExternalInterface({ clock: systemClock, interfaces, signal })
    if (address === undefined) {
      throw new LinuxNetError('linux-net/no-interface', `interface ${device} has no IPv4 address`, {
        hint: `give ${device} an IPv4 address, or name another interface with overlay_iface`,
      })
    }
    return { device, mtu, interfaceAddress: address, publicIp: publicIp === '' ? address : publicIp }
  }
}

const subnetFile: SubnetFile = {
  read: () =>
    readFile(subnetPath, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }),
  write: async (text) => {
    await mkdir(dirname(subnetPath), { recursive: true, mode: 0o755 })
    await writeFile(`${subnetPath}.new`, text, { mode: 0o644 })
    await rename(`${subnetPath}.new`, subnetPath)
  },
  remove: () => rm(subnetPath, { force: true }),
}
