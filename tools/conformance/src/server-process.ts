/** A running store for a test or a measurement: ours or etcd, with etcd's flags, on free loopback ports. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

export type ServerProcess = AsyncDisposable & {
  readonly pid: number
  readonly clientUrl: string
  readonly peerUrl: string
  readonly host: string
  readonly port: number
  readonly dataDirectory: string
  /** What it has written to standard error. */
  readonly log: () => string
  /** SIGTERM (or another signal), then its end. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
  readonly hasEnded: () => boolean
}

export type StartOptions = {
  /** The program and its first arguments; etcd's flags follow. */
  readonly command: readonly string[]
  /** Data directory and log are below it; a later start on the same folder finds them. */
  readonly folder: string
  readonly flags?: readonly string[]
  readonly startLimitMs?: number
  /** `published`: nothing is asked that the store counts among its reads. Absent: `writable`. */
  readonly until?: 'writable' | 'published'
}

/** Debian's etcd 3.4 with its v2 API, and our kvd as it was built; `root` is the project. */
export const etcdCommand: readonly string[] = ['etcd', '--enable-v2']
export const kvdCommand = (root: string): readonly string[] => [process.execPath, join(root, 'apps/kvd/dist/kvd.cjs')]

/** Starts it and waits until it has published itself and takes writes. Member name: `n0`. */
export async function startServer({
  command,
  folder,
  flags = [],
  startLimitMs = 60_000,
  until = 'writable',
}: StartOptions): Promise<ServerProcess> {
  const [program = '', ...first] = command
  const script = first.find((part) => part.endsWith('.cjs'))
  if (script !== undefined && !existsSync(script)) throw new Error(`${script} is not there: npm run build`)
  mkdirSync(folder, { recursive: true })
  const [port, peerPort] = [await freePort(), await freePort()]
  const clientUrl = `http://127.0.0.1:${port}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  const dataDirectory = join(folder, 'n0.data')
  const logFile = join(folder, 'log')
  const own = [
    ...['--name', 'n0', '--data-dir', dataDirectory],
    ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', `n0=${peerUrl}`],
  ]
  const output = openSync(logFile, 'a')
  const child = spawn(program, [...first, ...own, ...flags], { stdio: ['ignore', 'ignore', output] })
  closeSync(output)
  let hasEnded = false
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  }).then(() => {
    hasEnded = true
  })
  const log = (): string => readFileSync(logFile, 'utf8')
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(late)
  }
  const giveUpMs = performance.now() + startLimitMs
  while (!(await isReady(clientUrl, until))) {
    if (hasEnded || performance.now() > giveUpMs) {
      await stop('SIGKILL')
      throw new Error(`${program} did not become ready:\n${log().trimEnd().split('\n').slice(-8).join('\n')}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return {
    pid: child.pid ?? 0,
    clientUrl,
    peerUrl,
    host: '127.0.0.1',
    port,
    dataDirectory,
    log,
    stop,
    hasEnded: () => hasEnded,
    [Symbol.asyncDispose]: () => stop(),
  }
}

/** Ready is: auth answers, the member has published itself, the version is decided; if asked for, the log takes entries. */
async function isReady(clientUrl: string, until: 'writable' | 'published'): Promise<boolean> {
  const ok = async (path: string): Promise<string | undefined> => {
    const answer = await fetch(`${clientUrl}${path}`, { signal: AbortSignal.timeout(10_000) })
    const text = await answer.text()
    return answer.ok || answer.status === 404 ? text : undefined
  }
  try {
    if ((await ok('/v2/auth/enable')) === undefined) return false
    const members = await ok('/v2/members')
    if (members === undefined || !/"clientURLs":\["/.test(members)) return false
    // The entry that decides the cluster's version is the last of those that a start writes by itself.
    if (/"etcdcluster":"not_decided"/.test((await ok('/version')) ?? '')) return false
    return until === 'published' || (await ok('/v2/keys/not-there?quorum=true')) !== undefined
  } catch {
    return false
  }
}

/** A port of the loopback that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port')),
      )
    })
  })
}
