/** From global flags to a client of the daemon. Source: spec/fleet.md §10.1. */
import { readFile } from 'node:fs/promises'
import type { FlagValues } from '@cluster/cli'
import type { FleetClient } from '@cluster/fleet-api'
import type { Context } from './context.ts'
import { SettingsError } from './failure.ts'
import { log } from './log.ts'

/**
 * A client for the first endpoint. Nothing is sent yet.
 *
 * @throws SettingsError, FleetApiError `fleet-api/invalid-endpoint`
 */
export async function openFleet(
  context: Pick<Context, 'io' | 'clock'>,
  settings: FlagValues,
): Promise<FleetClient & AsyncDisposable> {
  checkSettings(settings)
  const [first = '', ...others] = settings.text('endpoint').split(',')
  const tls = await readTls(settings)
  const { connectFleet } = await import('@cluster/fleet-api')
  const told = new Set<string>()
  const onWarning = (text: string): void => {
    // Waits look again and again.
    if (!told.has(text)) log(context, 'WARN', text)
    told.add(text)
  }
  const client = connectFleet({ endpoint: first, onWarning, ...(tls === undefined ? {} : { tls }) })
  if (others.length > 0) log(context, 'WARN', `multiple endpoints provided but only the first (${first}) is used`)
  return client
}

function checkSettings(settings: FlagValues): void {
  const driver = settings.text('driver')
  if (driver === 'etcd') {
    throw new SettingsError('fleetctl/invalid-settings', 'driver "etcd" is not supported by this fleetctl', {
      hint: 'leave --driver out, and name a fleet API with --endpoint, such as http://10.0.0.1:49153',
    })
  }
  if (driver !== 'API') throw new SettingsError('fleetctl/invalid-settings', `unrecognized driver "${driver}"`)
  if (settings.text('tunnel') !== '') {
    throw new SettingsError('fleetctl/invalid-settings', '--tunnel is not supported by this fleetctl', {
      hint: 'forward the API yourself: ssh -L /tmp/fleet.sock:/var/run/fleet.sock HOST, then --endpoint unix:///tmp/fleet.sock',
    })
  }
}

type Tls = { readonly ca?: string; readonly cert?: string; readonly key?: string }

async function readTls(settings: FlagValues): Promise<Tls | undefined> {
  const read = async (...flags: readonly string[]): Promise<string | undefined> => {
    const path = flags.map((flag) => settings.text(flag)).find((value) => value !== '')
    if (path === undefined) return undefined
    try {
      return await readFile(path, 'utf8')
    } catch (cause) {
      const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
      const message = missing ? `open ${path}: no such file or directory` : `open ${path}`
      throw new SettingsError('fleetctl/invalid-settings', message, missing ? {} : { cause })
    }
  }
  const [ca, cert, key] = [
    await read('ca-file', 'etcd-cafile'),
    await read('cert-file', 'etcd-certfile'),
    await read('key-file', 'etcd-keyfile'),
  ]
  if (ca === undefined && cert === undefined && key === undefined) return undefined
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
}
