/** Tells when routes come into the kernel of a host, from `ip monitor` in its namespace. */
import { spawn } from 'node:child_process'
import type { Namespace } from '@cluster/lab/overlay'
import { BenchError } from '../errors.ts'

export type RouteWatch = AsyncDisposable & {
  /** When this destination came, by `performance.now()`; ask before it can come. */
  readonly whenRoute: (destination: string) => Promise<number>
  /** When the last of so many routes with a gateway came, counted from this call on. */
  readonly whenRoutes: (count: number) => Promise<number>
}

const withinMs = 60_000

/** Starts to watch. */
export async function watchRoutes(network: Namespace): Promise<RouteWatch> {
  const [file, args] = network.inside(['ip', '-rcvbuf', String(2 ** 24), 'monitor', 'route'])
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const awaited = new Map<string, (atMs: number) => void>()
  let counted = 0
  let target = Number.POSITIVE_INFINITY
  let whenTarget: (atMs: number) => void = () => undefined
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const atMs = performance.now()
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const destination = /^(\S+) via /.exec(line)?.[1]
      if (destination === undefined) continue
      awaited.get(destination)?.(atMs)
      awaited.delete(destination)
      counted += 1
      if (counted === target) whenTarget(atMs)
    }
  })
  // The monitor says nothing when it begins: a route that comes again and again tells.
  await network.ip(['link add watched type veth peer name watcher', 'link set watched up', 'link set watcher up'])
  const begun = new Promise<number>((resolve) => awaited.set('198.18.0.0/24', resolve))
  let hasBegun = false
  void begun.then(() => {
    hasBegun = true
  })
  while (!hasBegun) {
    const route = '198.18.0.0/24 via 198.18.0.1 dev watched onlink'
    await network.ip([`route replace ${route}`, `route del ${route}`])
  }
  await network.ip(['link del watched'])
  return {
    whenRoute: (destination) =>
      inTime(destination, (resolve) => {
        awaited.set(destination, resolve)
      }),
    whenRoutes: (count) =>
      inTime(`${count} routes`, (resolve) => {
        counted = 0
        target = count
        whenTarget = resolve
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function inTime(what: string, ask: (resolve: (atMs: number) => void) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new BenchError('bench/machine-ended', `no route within ${withinMs / 1000} s: ${what}`)),
      withinMs,
    )
    ask((atMs) => {
      clearTimeout(late)
      resolve(atMs)
    })
  })
}
