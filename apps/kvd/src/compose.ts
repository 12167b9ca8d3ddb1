/** From a configuration to a running server: adapters, listeners, figures. */
import type { Metrics } from '@cluster/daemon'
import { type ListenAddress, parseListenAddress, readTlsFiles, type TlsOptions } from '@cluster/http'
import { openServer, type Server, type ServerOptions } from '@cluster/kv-server'
import type { Clock, Logger } from '@cluster/prelude'
import type { KvdConfig } from './config.ts'
import { etcdVersion } from './version.ts'

export type Surroundings = {
  readonly log: Logger
  readonly metrics: Metrics
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>
  /** The built file of the store's threads. */
  readonly workerFile: string
  readonly processFacts: NonNullable<ServerOptions['processFacts']>
  readonly setDebug: (isOn: boolean) => void
  readonly onFatal: (error: Error) => void
}

/** Opens the store and its listeners. Errors as `openServer`, and `http/tls-file`. */
export async function composeKvd(config: KvdConfig, surroundings: Surroundings): Promise<Server> {
  const { log, metrics, clock, workerFile, processFacts, setDebug, onFatal } = surroundings
  const tls = await clientTls(config)
  return openServer({
    directory: config.dataDirectory,
    listen: config.listenClientUrls.map((url) => {
      const address = addressOf(url)
      return url.startsWith('https:') ? { address, tls } : { address }
    }),
    member: {
      name: config.name,
      peerUrls: config.peerUrls,
      clientUrls: config.advertiseClientUrls,
      clusterToken: config.clusterToken,
      isForcedNewCluster: config.isForcedNewCluster,
    },
    workerFile,
    snapshots: {
      entryCount: config.snapshotCount,
      keep: config.snapshotsMax === 0 ? Number.MAX_SAFE_INTEGER : config.snapshotsMax,
    },
    proposalTimeoutMs: 5000 + 2 * config.electionTimeoutMs,
    corsOrigins: config.corsOrigins,
    log,
    meter: metrics.meter,
    clock,
    renderMetrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
    setLogLevel: (level) => setDebug(level === 'debug' || level === 'trace'),
    processFacts,
    serverVersion: etcdVersion,
    onFatal,
  })
}

async function clientTls({ tls }: KvdConfig): Promise<TlsOptions> {
  const { certFile, keyFile, trustedCaFile, isClientCertRequired } = tls
  return readTlsFiles({ certFile, keyFile, caFile: isClientCertRequired ? trustedCaFile : undefined })
}

/** The address in a URL whose form the configuration has checked. */
function addressOf(url: string): ListenAddress {
  const socket = url.startsWith('unix:') ? parseListenAddress(url) : undefined
  if (socket?.ok === true) return socket.value
  const { hostname, port } = new URL(url)
  const plain = hostname.replace(/^\[(.*)\]$/, '$1')
  // The default port of a scheme is no part of what URL gives back.
  const given = port === '' ? (url.startsWith('https:') ? 443 : 80) : Number(port)
  return { kind: 'tcp', host: plain, port: given }
}
