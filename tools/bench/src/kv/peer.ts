/** The two servers that are measured: Debian's etcd 3.4 with its v2 API, and ours; same flags, same disk. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Target } from './load.ts'

export type PeerName = 'etcd' | 'kvd'

export type Peer = {
  readonly name: PeerName
  readonly pid: number
  readonly target: Target
  /** SIGTERM and its end. */
  readonly stop: () => Promise<void>
}

export type PeerCommand = { readonly name: PeerName; readonly command: readonly string[] }

/** How each is started; `root` is the project. */
export const peerCommands = (root: string): readonly PeerCommand[] => [
  { name: 'etcd', command: ['etcd', '--enable-v2'] },
  { name: 'kvd', command: [process.execPath, join(root, 'apps/kvd/dist/kvd.cjs')] },
]

/** Starts a server on a data directory below `folder`, new or left by an earlier start, and waits for a leader. */
export async function startPeer({ name, command }: PeerCommand, folder: string): Promise<Peer> {
  mkdirSync(folder, { recursive: true })
  const script = command.find((part) => part.endsWith('.cjs'))
  if (script !== undefined && !existsSync(script)) throw new Error(`${script} is not there: npm run build`)
  const [client, peer] = [await freePort(), await freePort()]
  const clientUrl = `http://127.0.0.1:${client}`
  const peerUrl = `http://127.0.0.1:${peer}`
  const log = openSync(join(folder, 'log'), 'a')
  const [program = '', ...first] = command
  const child = spawn(
    program,
    [
      ...first,
      ...['--name', 'n0', '--data-dir', join(folder, 'data')],
      ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
      ...[
        '--listen-peer-urls',
        peerUrl,
        '--initial-advertise-peer-urls',
        peerUrl,
        '--initial-cluster',
        `n0=${peerUrl}`,
      ],
    ],
    { stdio: ['ignore', 'ignore', log] },
  )
  closeSync(log)
  let hasEnded = false
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  }).then(() => {
    hasEnded = true
  })
  const target = { host: '127.0.0.1', port: client }
  while (!(await isReady(clientUrl))) {
    if (hasEnded) throw new Error(`${name} ended: ${readFileSync(join(folder, 'log'), 'utf8').slice(-2000)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return {
    name,
    pid: child.pid ?? 0,
    target,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Ready is: it takes a write. */
async function isReady(clientUrl: string): Promise<boolean> {
  try {
    const answer = await fetch(`${clientUrl}/v2/keys/bench-ready?prevExist=false`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'value=1',
      signal: AbortSignal.timeout(10_000),
    })
    await answer.text()
    return answer.status === 201 || answer.status === 412
  } catch {
    return false
  }
}

function freePort(): Promise<number> {
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
