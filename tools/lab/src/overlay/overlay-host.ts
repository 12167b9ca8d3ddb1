/** One host of an overlay lab: its flanneld, its bridge and its container. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { LabError } from '../errors.ts'
import { unixRequest } from '../unix-http.ts'
import { until } from '../until.ts'
import type { Namespace } from './namespace.ts'
import { type PingAnswer, ping } from './ping.ts'
import { type RunningProgram, startProgram } from './running-program.ts'

export type OverlayHost = AsyncDisposable & {
  readonly number: number
  readonly network: Namespace
  readonly container: Namespace
  readonly subnetFile: string
  /**
   * Starts flanneld and waits until it has programmed everybody's leases; then the bridge holds FLANNEL_SUBNET and the
   * container sits behind it.
   *
   * @param more flags besides the store's and the file's
   */
  readonly start: (more?: readonly string[]) => Promise<void>
  /** Starts flanneld and does not wait. */
  readonly launch: (more?: readonly string[], environment?: Readonly<Record<string, string>>) => void
  /** Waits until flanneld says that it is ready, and sets the bridge up. */
  readonly settle: () => Promise<void>
  /** Sets the bridge up as the subnet file says, whoever has written it. */
  readonly bridgeUp: () => Promise<void>
  /** SIGTERM or another signal, then its end; gives the exit code, or the signal. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | string>
  /** SIGSTOP and SIGCONT. */
  readonly freeze: () => void
  readonly thaw: () => void
  readonly isRunning: () => boolean
  /** How it ended, once it has. */
  readonly ended: () => Promise<number | string>
  /** The subnet file's text. */
  readonly subnetEnv: () => string
  /** A variable of the subnet file. */
  readonly variable: (name: string) => string
  /** Third number of the own subnet: 34 of 10.5.34.0/24. */
  readonly subnetNumber: () => number
  /** Address of the container: `.2` of the own subnet. */
  readonly containerAddress: () => string
  readonly ping: (to: string, ipLength?: number) => Promise<PingAnswer>
  /** Runs a command of flanneld inside and gives what it printed. */
  readonly command: (
    words: readonly string[],
  ) => Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>
  /** The answer of an `ip -json …` or `bridge -json …` command inside. */
  readonly look: (command: readonly string[]) => Promise<readonly Record<string, unknown>[]>
  readonly log: () => string
}

export type OverlayHostOptions = {
  readonly number: number
  readonly network: Namespace
  readonly container: Namespace
  readonly folder: string
  readonly program: string
  readonly storeUrl: string
  readonly prefix: string
}

/** A host whose links are there already. */
export function createOverlayHost(options: OverlayHostOptions): OverlayHost {
  const { number, network, container, folder, program, storeUrl, prefix } = options
  const subnetFile = `${folder}/host${number}.env`
  const socket = `${folder}/host${number}.sock`
  const logFile = `${folder}/host${number}.log`
  const own = [`--etcd-endpoints=${storeUrl}`, `--etcd-prefix=${prefix}`, `--subnet-file=${subnetFile}`]
  let running: RunningProgram | undefined
  let bridged = ''

  const launch: OverlayHost['launch'] = (more = [], environment = {}) => {
    rmSync(socket, { force: true })
    // A /run of its own, as on a machine of its own: locks of iptables and the like stay apart.
    const script = 'mount -t tmpfs tmpfs /run; mount -t sysfs sysfs /sys; exec "$@"'
    const command = ['unshare', '--mount', 'sh', '-c', script, 'sh', process.execPath, program, ...own, ...more]
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('FLANNELD_'))
    running = startProgram(network.inside(command), logFile, { ...Object.fromEntries(inherited), ...environment })
  }
  const log = (): string => running?.log() ?? ''
  const subnetEnv = (): string => (existsSync(subnetFile) ? readFileSync(subnetFile, 'utf8') : '')
  const variable = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(subnetEnv())?.[1] ?? ''
  const subnetNumber = (): number => Number(variable('FLANNEL_SUBNET').split('.')[2])
  const containerAddress = (): string => variable('FLANNEL_SUBNET').replace(/\.\d+\/\d+$/, '.2')
  const bridgeUp = async (): Promise<void> => {
    const wanted = `${variable('FLANNEL_SUBNET')} ${variable('FLANNEL_MTU')}`
    if (wanted === bridged) return
    await bridge(network, container, variable('FLANNEL_SUBNET'), variable('FLANNEL_MTU'), bridged !== '')
    bridged = wanted
  }
  const settle = async (): Promise<void> => {
    await until(() => isReady(socket, running), {
      what: `flanneld of host ${number} is ready`,
      timeoutMs: 20_000,
      everyMs: 20,
      is: (is) => is,
    }).catch((cause: unknown) => {
      throw new LabError('lab/timeout', `host ${number}: ${log().trimEnd().split('\n').slice(-12).join('\n')}`, {
        cause,
      })
    })
    if (running?.hasEnded() === true) {
      throw new LabError('lab/machine-down', `flanneld of host ${number} ended:\n${log().trimEnd()}`)
    }
    await bridgeUp()
  }
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> =>
    running === undefined ? 'never started' : running.stop(signal)
  return {
    number,
    network,
    container,
    subnetFile,
    launch,
    settle,
    bridgeUp,
    start: async (more) => {
      launch(more)
      await settle()
    },
    stop,
    freeze: () => running?.signal('SIGSTOP'),
    thaw: () => running?.signal('SIGCONT'),
    isRunning: () => running !== undefined && !running.hasEnded(),
    ended: async () => (running === undefined ? 'never started' : running.ended),
    subnetEnv,
    variable,
    subnetNumber,
    containerAddress,
    ping: (to, ipLength) => ping(container, to, ipLength),
    command: (words) => network.run([process.execPath, program, ...words, ...own]),
    look: async (command) => {
      const { code, stdout, stderr } = await network.run(command)
      if (code !== 0) throw new LabError('lab/command-failed', `${command.join(' ')}: ${stderr.trim()}`)
      const parsed: unknown = JSON.parse(stdout.trim() === '' ? '[]' : stdout)
      return Array.isArray(parsed) ? parsed.filter(isRecord) : []
    },
    log,
    [Symbol.asyncDispose]: async () => void (await stop('SIGKILL')),
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** Whether it is ready, or there is no more use in waiting. */
async function isReady(socket: string, running: RunningProgram | undefined): Promise<boolean> {
  if (running?.hasEnded() === true) return true
  const { status } = await unixRequest(socket, { path: '/readyz', timeoutMs: 1000 })
  return status === 200
}

/** As docker does with FLANNEL_SUBNET and FLANNEL_MTU. */
async function bridge(
  network: Namespace,
  container: Namespace,
  subnet: string,
  mtu: string,
  isThere: boolean,
): Promise<void> {
  await network.ip([
    ...(isThere ? ['link del docker0', 'link del c0'] : []),
    'link add docker0 type bridge',
    `link set docker0 mtu ${mtu} up`,
    `addr add ${subnet} dev docker0`,
    `link add c0 mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${container.pid}`,
    'link set c0 master docker0 up',
  ])
  const gateway = subnet.replace(/\/\d+$/, '')
  await container.ip([
    'link set lo up',
    `addr add ${subnet.replace(/\.\d+\/(\d+)$/, '.2/$1')} dev eth0`,
    'link set eth0 up',
    `route add default via ${gateway}`,
  ])
}
