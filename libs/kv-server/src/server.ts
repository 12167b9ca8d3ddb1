/**
 * The whole server of one member: log, threads, store, API and listeners, constructed in the order in which they need
 * each other and closed in the reverse one. Nothing listens before the store serves.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import {
  type ExchangeLimits,
  type HttpListener,
  type ListenAddress,
  serveExchanges,
  type TlsOptions,
} from '@cluster/http'
import type { Kv } from '@cluster/kv'
import { byteStringOf } from '@cluster/kv-store'
import { type Clock, describeError, type Logger, type Meter, silentLogger, silentMeter } from '@cluster/prelude'
import { openLog, openSnapshots } from '@cluster/wal'
import { createAuthRecords } from './auth-records.ts'
import { createAuthorizer } from './authorizer.ts'
import { createBlockingHasher } from './bcrypt-hasher.ts'
import { bootstrap, identityOf, type MemberSettings } from './bootstrap.ts'
import { createBufferLatin1 } from './buffer-latin1.ts'
import type { ProcessFacts } from './debug-vars.ts'
import { createEmbeddedKv } from './embedded.ts'
import { KvServerError } from './errors.ts'
import { createHandler } from './handler.ts'
import type { LogLevel } from './local-log.ts'
import type { MetricsText } from './metrics.ts'
import { createPasswordChecker, type PasswordHasher } from './passwords.ts'
import type { Replica } from './replica.ts'
import { type RunningReplica, startReplica } from './replica-loop.ts'
import { fullSnapshotLimits, type SnapshotLimits } from './replica-snapshotter.ts'
import { createLocalPipeline } from './threads/local-pipeline.ts'
import { createThreadHasher } from './threads/passwords-thread.ts'
import type { Pipeline } from './threads/pipeline.ts'
import { startWorkerPipeline } from './threads/worker-pipeline.ts'
import { processTimers } from './timers.ts'
import { createAuthPart } from './v2/auth-api/routes.ts'
import { createMembersPart } from './v2/members.ts'

export type ServerOptions = {
  /** The data directory; made when it does not exist. Its parent must. */
  readonly directory: string
  /** Where to listen; may be empty: then the store is only for this process. */
  readonly listen: readonly { readonly address: ListenAddress; readonly tls?: TlsOptions }[]
  /** Default: name `default`, etcd's default peer URLs and token, client URLs as listened on. */
  readonly member?: Partial<MemberSettings>
  /**
   * `workers` (default): consensus and log have a thread each. `none`: everything in this one, where a flush stops the
   * event loop while it lasts; for programs that cannot ship the worker's file.
   */
  readonly threads?: 'workers' | 'none'
  /** The built file of the worker; default: `worker.js` beside this module's built file. Bundled apps must give theirs. */
  readonly workerFile?: string | URL
  readonly snapshots?: Partial<SnapshotLimits> & { readonly keep?: number }
  /** Size of the log's segments, default 64 MiB. */
  readonly segmentSizeBytes?: number
  /** How long a write waits at most for its commit, default 7 s: etcd's 5 s + 2 × election timeout. */
  readonly proposalTimeoutMs?: number
  readonly corsOrigins?: readonly string[]
  readonly limits?: ExchangeLimits
  readonly log?: Logger
  readonly meter?: Meter
  readonly clock?: Pick<Clock, 'nowMs' | 'monotonicMs'>
  /** What `/metrics` shows; default: nothing. */
  readonly renderMetrics?: () => Promise<MetricsText>
  readonly setLogLevel?: (level: LogLevel) => void
  readonly processFacts?: ProcessFacts
  readonly serverVersion?: string
  /**
   * Called once when the store has failed: a thread died, or the log is broken. Nothing is acknowledged any more; end
   * the process, after `close`.
   */
  readonly onFatal?: (error: Error) => void
}

/** A server at work. Disposing of it is `close` with one second of grace. */
export interface Server extends AsyncDisposable {
  readonly replica: Replica
  /** The store for this process. */
  readonly kv: Kv
  /** In the order of `listen`. */
  readonly listeners: readonly HttpListener[]
  /** Writes a snapshot now, and waits until it is durable. */
  readonly snapshot: () => Promise<void>
  /** Lets requests and writes at work finish for `graceMs`, then ends the log and the threads. */
  readonly close: (graceMs: number) => Promise<void>
}

const defaultMember = {
  name: 'default',
  peerUrls: ['http://localhost:2380', 'http://localhost:7001'],
  clusterToken: 'etcd-cluster',
  clusterVersion: '2.3.0',
}

/** What a segment of the log holds beside one entry, rounded up. */
const segmentMarginBytes = 4096

/** The machine's clocks. */
const machineClock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }

/**
 * Opens the data directory, reads what is there, makes the member known and listens.
 *
 * @throws WalError when the log cannot be opened (`wal/in-use`, `wal/corrupt`, `wal/not-a-log`, …); KvServerError; HttpError
 *   when an address cannot be listened on. Then everything is closed again.
 */
export async function openServer(options: ServerOptions): Promise<Server> {
  const { log = silentLogger, meter = silentMeter, clock = machineClock, onFatal = () => undefined } = options
  const closed = new AbortController()
  const loopDelay = createLoopDelay()
  const closers: (() => Promise<void> | void)[] = [loopDelay.stop]
  const closeAll = async (): Promise<void> => {
    for (const close of closers.reverse()) await close()
    closers.length = 0
  }
  try {
    const { keep, ...limits } = options.snapshots ?? {}
    const pipeline = openPipeline(options, clock)
    const replica: RunningReplica = await startReplica({
      pipeline,
      snapshots: openSnapshots({ directory: options.directory, ...(keep === undefined ? {} : { keep }) }),
      clock,
      timers: processTimers,
      log,
      meter,
      snapshotLimits: fullSnapshotLimits(limits),
      entryBytesMax: (options.segmentSizeBytes ?? 64 * 1024 * 1024) - segmentMarginBytes,
      codec: createBufferLatin1(),
      storeOptions: { codec: createBufferLatin1(), hashSeed: randomInt(2 ** 32) },
      proposalTimeoutMs: options.proposalTimeoutMs ?? 7000,
      loopDelaySeconds: loopDelay.takeSeconds,
      onFatal: (error) => {
        closed.abort()
        onFatal(error)
      },
    })
    let graceMs = 1000
    closers.push(() => replica.close(graceMs))
    const addresses = options.listen.map(({ address, tls }) => urlOf(address, tls !== undefined))
    await bootstrap(replica, { ...defaultMember, clientUrls: addresses, ...options.member })
    const { handler, closeHandler } = assembleHandler(options, replica, log, meter)
    closers.push(closeHandler)
    const listeners: HttpListener[] = []
    // All at once: each has the whole grace.
    closers.push(async () => {
      await Promise.all(listeners.map((listener) => listener.close(graceMs)))
    })
    for (const { address, tls } of options.listen) {
      const served = { listen: address, tls, log, ...(options.limits === undefined ? {} : { limits: options.limits }) }
      listeners.push(await serveExchanges(handler, served))
    }
    let closing: Promise<void> | undefined
    const close = (withinMs: number): Promise<void> => {
      graceMs = withinMs
      closed.abort()
      closing ??= closeAll()
      return closing
    }
    return {
      replica,
      kv: createEmbeddedKv({ replica, closed: closed.signal }),
      listeners,
      snapshot: () => replica.snapshot(),
      close,
      [Symbol.asyncDispose]: () => close(1000),
    }
  } catch (error) {
    closed.abort()
    await closeAll()
    throw error
  }
}

function openPipeline(options: ServerOptions, clock: Pick<Clock, 'monotonicMs'>): Pipeline {
  const { directory, segmentSizeBytes } = options
  const member: MemberSettings = { ...defaultMember, clientUrls: [], ...options.member }
  const segments = segmentSizeBytes === undefined ? {} : { segmentSizeBytes }
  const location = { directory, identity: { ...identityOf(member), extra: '' }, ...segments }
  // Any number but those of earlier lives: their entries in the log must not be taken for ours.
  const origin = randomInt(2 ** 32)
  if (options.threads === 'none') {
    return createLocalPipeline({ opened: openLog(location), origin, monotonicMs: clock.monotonicMs })
  }
  return startWorkerPipeline({ workerFile: workerFileOf(options), log: location, origin })
}

function workerFileOf({ workerFile }: ServerOptions): string | URL {
  if (workerFile === undefined && import.meta.url === undefined) throw noWorker('a bundle')
  const file = workerFile ?? new URL('./worker.js', import.meta.url)
  if (!existsSync(file)) throw noWorker(String(file))
  return file
}

const noWorker = (where: string): KvServerError =>
  new KvServerError('kv-server/no-worker', `the store has no worker to start its threads from: ${where}`, {
    hint: "build @cluster/kv-server/worker as a file of its own and give its path as workerFile, or threads: 'none'",
  })

function assembleHandler(options: ServerOptions, replica: Replica, log: Logger, meter: Meter) {
  const onFailure = (error: unknown): void => log.error('request failed', { reason: describeError(error).join('; ') })
  const { hasher, closeHandler } = openHasher(options)
  const records = createAuthRecords(replica.store)
  const passwords = createPasswordChecker({ hasher, digestKey: randomBytes(32), onFailure })
  const authorizer = createAuthorizer({ replica, records, passwords })
  const { corsOrigins, serverVersion } = options
  const handler = createHandler({
    replica,
    authorizer,
    members: createMembersPart({ replica, authorizer, onFailure }),
    auth: createAuthPart({ replica, authorizer, records, hasher, onFailure }),
    name: byteStringOf(options.member?.name ?? defaultMember.name),
    renderMetrics: options.renderMetrics ?? noMetrics,
    meter,
    setLogLevel: options.setLogLevel ?? (() => undefined),
    processFacts: options.processFacts ?? noFacts,
    ...(corsOrigins === undefined ? {} : { corsOrigins }),
    ...(serverVersion === undefined ? {} : { serverVersion }),
  })
  return { handler, closeHandler }
}

function openHasher(options: ServerOptions): {
  readonly hasher: PasswordHasher
  readonly closeHandler: () => Promise<void>
} {
  if (options.threads === 'none') return { hasher: createBlockingHasher(), closeHandler: () => Promise.resolve() }
  const file = workerFileOf(options)
  const spawn = (): Worker => new Worker(file, { workerData: { role: 'passwords' }, name: 'passwords', execArgv: [] })
  const hasher = createThreadHasher({ spawn })
  return { hasher, closeHandler: async () => hasher[Symbol.asyncDispose]() }
}

const noMetrics = (): Promise<MetricsText> => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: '' })
const noFacts: ProcessFacts = { commandLine: [], fileDescriptorsMax: 0, memory: () => ({}) }

function urlOf(address: ListenAddress, isTls: boolean): string {
  if (address.kind !== 'tcp') return ''
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${isTls ? 'https' : 'http'}://${host}:${address.port}`
}

/** The longest delay of the event loop between two looks. */
function createLoopDelay(): { readonly takeSeconds: () => number; readonly stop: () => void } {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  return {
    takeSeconds: () => {
      // The timer that measures is itself late by its resolution.
      const seconds = Math.max(0, delay.max / 1e9 - 0.02)
      delay.reset()
      return seconds
    },
    stop: () => {
      delay.disable()
    },
  }
}
