/** kvd: flags to configuration, the server, signals, exit codes. */
import { readFileSync, realpathSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  createLogger,
  createNotifier,
  createProcessMetrics,
  nodeHost,
  type ProcessHost,
  runDaemon,
  systemClock,
} from '@cluster/daemon'
import { describeError, type Logger } from '@cluster/prelude'
import { composeKvd } from './compose.ts'
import { configOf, type KvdConfig } from './config.ts'
import { createEtcdLog, type EtcdLogger } from './etcd-log.ts'
import { readFlags, usage } from './flags.ts'
import { versionText } from './version.ts'

type KvdLog = Logger & Pick<EtcdLogger, 'say' | 'setDebug'>

const startLog = createEtcdLog({ isDebug: false, nowMs: Date.now, write: (line) => void process.stderr.write(line) })

async function logOf({ logFormat, isDebug }: KvdConfig): Promise<KvdLog> {
  if (logFormat === 'etcd') {
    startLog.setDebug(isDebug)
    return startLog
  }
  const log = await createLogger({ name: 'kvd', level: isDebug ? 'debug' : 'info', format: logFormat })
  const levels = { C: log.error, E: log.error, W: log.warn, N: log.info, I: log.info, D: log.debug }
  return {
    ...log,
    setDebug: (isOn) => log.setLevel(isOn ? 'debug' : 'info'),
    say: (level, text) => levels[level](text),
  }
}

type EndingHost = ProcessHost & { readonly askedBy: () => string | undefined }

/**
 * The process that ends as etcd does: by the signal that asked for it, so that whoever waits for it sees why. The first
 * process of a container cannot be ended by its own signal; there the code is 0.
 */
const endingBySignal = (): EndingHost => {
  let asked: string | undefined
  return {
    askedBy: () => asked,
    ...nodeHost,
    listen: (handlers) =>
      nodeHost.listen({
        ...handlers,
        terminate: (name) => {
          asked ??= name
          handlers.terminate(name)
        },
      }),
    finish: (code) => {
      nodeHost.finish(code)
      if (code !== 0 || asked === undefined || process.pid === 1) return
      process.removeAllListeners(asked)
      process.kill(process.pid, asked)
    },
  }
}

async function main(): Promise<void> {
  const outcome = readFlags(process.argv.slice(2), process.env, versionText(process))
  switch (outcome.kind) {
    case 'print':
      process.stdout.write(outcome.text)
      return
    case 'usage':
      process.stderr.write(`${outcome.message}\n`)
      process.stdout.write(usage)
      process.exitCode = 2
      return
    case 'refused':
      startLog.say('C', `etcdmain: ${outcome.message}`)
      process.exitCode = 1
      return
    case 'run':
      break
    default:
      outcome satisfies never
  }
  const read = configOf(outcome.given)
  if (!read.ok) {
    startLog.say('E', `etcdmain: error verifying flags, ${read.error}. See 'kvd --help'.`)
    process.exitCode = 1
    return
  }
  const config = read.value
  const log = await logOf(config)
  for (const { level, text } of outcome.notes) log.say(level === 'warn' ? 'W' : 'I', `flags: ${text}`)
  for (const warning of config.warnings) log.say('W', `etcdmain: ${warning}`)
  const host = endingBySignal()
  await runDaemon({
    name: 'kvd',
    log,
    host,
    main: (context) => serve(config, log, host, context),
  })
}

async function serve(
  config: KvdConfig,
  log: KvdLog,
  host: EndingHost,
  { signal, onClose }: Parameters<Parameters<typeof runDaemon>[0]['main']>[0],
): Promise<void> {
  const metrics = createProcessMetrics()
  const notifier = createNotifier({ environment: process.env, pid: process.pid, clock: systemClock, log })
  let fail: (error: Error) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => undefined)
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  log.say('I', `etcdmain: data dir = ${config.dataDirectory}`)
  // The way to the directory is made, as etcd does. Where it cannot be, opening the directory says so.
  await mkdir(dirname(config.dataDirectory), { recursive: true, mode: 0o700 }).catch(() => undefined)
  const server = await composeKvd(config, {
    log,
    metrics,
    clock: systemClock,
    workerFile: join(dirname(realpathSync(process.argv[1] ?? '')), 'kvd-worker.cjs'),
    processFacts: {
      commandLine: process.argv,
      fileDescriptorsMax: fileDescriptorsMax(),
      memory: () => ({ ...process.memoryUsage() }),
    },
    setDebug: log.setDebug,
    onFatal: fail,
  })
  // Open requests are cut soon, as etcd does: clients ask another member, or again.
  onClose('the store', () => server.close(200))
  announce(config, server.replica.status, server.replica.appliedTerm, log)
  await notifier.ready()
  await Promise.race([stopped, failed])
  const signalText = host.askedBy() === 'SIGINT' ? 'interrupt' : 'terminated'
  log.say('N', `osutil: received ${signalText} signal, shutting down...`)
  await notifier.stopping()
}

/** The lines that scripts and test rigs wait for (spec/etcd-v2.md §6). */
function announce(
  config: KvdConfig,
  { memberId, clusterId }: { readonly memberId: string; readonly clusterId: string },
  term: number,
  log: KvdLog,
): void {
  log.say('I', `etcdserver: starting member ${memberId} in cluster ${clusterId}`)
  log.say('I', `raft.node: ${memberId} elected leader ${memberId} at term ${term}`)
  // Every start ends with an election, so term 1 is that of a data directory which is new.
  if (term === 1) log.say('N', 'etcdserver: set the initial cluster version to 2.3')
  const urls = config.advertiseClientUrls.join(' ')
  log.say('I', `etcdserver: published {Name:${config.name} ClientURLs:[${urls}]} to cluster ${clusterId}`)
  for (const url of config.listenClientUrls) log.say('I', `etcdmain: listening for client requests on ${url}`)
}

/** The soft limit of open files; 0 where it cannot be read. */
function fileDescriptorsMax(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

main().catch((error: unknown) => {
  for (const line of describeError(error)) startLog.say('C', `etcdmain: ${line}`)
  process.exitCode = 1
})
