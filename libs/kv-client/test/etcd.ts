/** A real etcd for tests: one member, on loopback, with its data in a folder that goes with it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@cluster/daemon/system'

const binary = process.env['CLUSTER_ETCD'] ?? 'etcd'

/**
 * Why tests with a real etcd are left out, or `undefined` when they are not. An etcd that was named on purpose
 * (`CLUSTER_ETCD`) but does not run is a failure, not a reason.
 */
export function whyWithoutEtcd(): string | undefined {
  if (process.env['CLUSTER_ETCD'] !== undefined) return undefined
  return spawnSync(binary, ['--version']).error === undefined
    ? undefined
    : 'no etcd found: install etcd-server, or name the program in CLUSTER_ETCD'
}

export type TestEtcd = {
  readonly url: string
  readonly pause: () => void
  readonly resume: () => void
  /** Ends the process at once; its data stay. */
  readonly kill: () => Promise<void>
  /** Starts it again, on the same address and data, or on none: as if the disk had been replaced. */
  readonly start: (data: 'kept' | 'lost') => Promise<void>
  readonly close: () => Promise<void>
}

/** Starts an etcd and waits until it serves. */
export async function startEtcd(): Promise<TestEtcd> {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-etcd-'))
  const [clientPort, peerPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${clientPort}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  let child: ChildProcess | undefined

  const start = async (data: 'kept' | 'lost'): Promise<void> => {
    const dataFolder = join(folder, 'data')
    if (data === 'lost') await rm(dataFolder, { recursive: true, force: true })
    const started = spawn(
      binary,
      [
        ['--name', 'test', '--data-dir', dataFolder, '--enable-v2', '--log-level', 'error'],
        ['--listen-client-urls', url, '--advertise-client-urls', url],
        [
          '--listen-peer-urls',
          peerUrl,
          '--initial-advertise-peer-urls',
          peerUrl,
          '--initial-cluster',
          `test=${peerUrl}`,
        ],
      ].flat(),
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    child = started
    let said = ''
    started.stderr?.on('data', (chunk) => {
      said = `${said}${String(chunk)}`.slice(-4000)
    })
    const ended = once(started, 'exit').then(() => {
      throw new Error(`etcd ended: ${said}`)
    })
    ended.catch(() => undefined)
    await Promise.race([ended, untilItServes(url)])
  }
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await start('kept')
  return {
    url,
    pause: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
    start,
    kill,
    close: async () => {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function untilItServes(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/v2/keys/?quorum=true`).catch(() => undefined)
    if (answer?.ok === true) return
    await systemClock.sleep(50)
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port found')
  return address.port
}
