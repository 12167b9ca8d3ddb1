/** flanneld as it was built, on a host of an overlay lab: started cold, watched from outside, stopped. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, statSync, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type OverlayHost, overlayStoreUrl } from '@cluster/lab/overlay'
import { BenchError } from '../errors.ts'
import { type ProcessFigures, processFigures } from '../process-figures.ts'

/** A network in the lab's store and the host that takes part in it. */
export type Seat = {
  readonly host: OverlayHost
  /** Of the network's keys. */
  readonly prefix: string
  /** Public address of the host. */
  readonly publicIp: string
  /** The project. */
  readonly root: string
}

export type Daemon = {
  /** By the clock of `performance.now()`, before the process was made. */
  readonly startedMs: number
  /** When the subnet file was in its place. */
  readonly subnetFileMs: number
  readonly figures: () => ProcessFigures
  /** SIGTERM and its end; what it made stays. */
  readonly stop: () => Promise<void>
}

const subnetFileWithinMs = 30_000

/** Starts it; resolves with the subnet file in its place. Error: `bench/machine-ended`. */
export async function startDaemon(seat: Seat): Promise<Daemon> {
  const { subnetFile } = seat.host
  const logFile = `${subnetFile}.bench.log`
  const fresh = watchFile(subnetFile)
  const startedMs = performance.now()
  const child = startInside(seat, [programOf(seat), ...flagsOf(seat)], logFile)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
  }
  const late = setTimeout(() => child.kill('SIGKILL'), subnetFileWithinMs)
  const subnetFileMs = await Promise.race([fresh.replaced, ended.then(() => undefined)])
  clearTimeout(late)
  fresh.close()
  const { pid } = child
  if (subnetFileMs === undefined || pid === undefined) {
    const lastLines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-5).join('\n')
    throw new BenchError('bench/machine-ended', `flanneld wrote no subnet file:\n${lastLines}`)
  }
  return { startedMs, subnetFileMs, figures: () => processFigures(pid), stop }
}

/** Milliseconds that the same start takes with a program that does nothing. */
export async function startNothing(seat: Seat): Promise<number> {
  const startedMs = performance.now()
  const child = startInside(seat, ['-e', '0'], '/dev/null')
  await new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return performance.now() - startedMs
}

/** Takes away all that flanneld has made, its lease too. */
export async function cleanUp({ host, prefix, publicIp, root }: Seat): Promise<void> {
  const words = ['cleanup', '--release-lease', '--public-ip', publicIp]
  const { code, stderr } = await host.network.run([
    ...[process.execPath, programOf({ root }), ...words],
    ...flagsOf({ host, prefix }),
  ])
  if (code !== 0) throw new BenchError('bench/machine-ended', `flanneld cleanup failed: ${stderr.trim()}`)
}

const programOf = ({ root }: Pick<Seat, 'root'>): string => join(root, 'apps/flanneld/dist/flanneld.cjs')

const flagsOf = ({ host, prefix }: Pick<Seat, 'host' | 'prefix'>): readonly string[] => [
  `--etcd-endpoints=${overlayStoreUrl}`,
  `--etcd-prefix=${prefix}`,
  `--subnet-file=${host.subnetFile}`,
]

/** Each program on the way only execs the next, so that the process is Node's in the end. */
function startInside({ host }: Seat, args: readonly string[], logFile: string): ChildProcess {
  const [file, words] = host.network.inside([process.execPath, ...args])
  const output = openSync(logFile, 'w')
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FLANNELD_')))
  // Were we killed, it is not to go on without us.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', file, ...words], { stdio: ['ignore', output, output], env })
  closeSync(output)
  return child
}

/** Tells when another file lies at the path than now. */
function watchFile(path: string): { readonly replaced: Promise<number>; readonly close: () => void } {
  const nodeOf = (): number => statSync(path, { throwIfNoEntry: false })?.ino ?? 0
  const before = nodeOf()
  const watcher = watch(dirname(path))
  const replaced = new Promise<number>((resolve) => {
    watcher.on('change', (_, name) => {
      const nowMs = performance.now()
      if (name === basename(path) && ![0, before].includes(nodeOf())) resolve(nowMs)
    })
  })
  return { replaced, close: () => watcher.close() }
}
