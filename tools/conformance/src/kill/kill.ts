/**
 * Kills the server under load, again and again, and reads after each restart what is there: every acknowledged write,
 * nothing half written, nothing that was never sent.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Random, seededRandom } from '@cluster/prelude'
import { ask, type Server } from '../differential/request.ts'
import { startServer } from '../server-process.ts'
import { Ledger, numberedValue } from './ledger.ts'

export type KillOptions = {
  readonly command: readonly string[]
  readonly seed: number
  readonly kills: number
  readonly writers?: number
  readonly say: (line: string) => void
}

export type KillResult = {
  readonly kills: number
  readonly acknowledgements: number
  readonly wrong: readonly string[]
}

const keysPerWriter = 20

export async function killUnderLoad({ command, seed, kills, writers = 16, say }: KillOptions): Promise<KillResult> {
  const folder = mkdtempSync(join(tmpdir(), 'cluster-kill-'))
  const random = seededRandom(seed)
  const ledger = new Ledger()
  const wrong: string[] = []
  // Small, so that snapshots and new segments fall into the time between two kills.
  const flags = ['--snapshot-count', '500']
  try {
    for (let kill = 0; kill <= kills && wrong.length === 0; kill += 1) {
      const server = await startServer({ command, folder, flags })
      const agent = new Agent({ keepAlive: true })
      const target = { name: 'ours', host: server.host, port: server.port, agent }
      try {
        const { tree, index } = await readTree(target)
        wrong.push(...ledger.check(tree, index).map((line) => `seed ${seed}, after kill ${kill}: ${line}`))
        if (kill === kills || wrong.length > 0) break
        const load = Array.from({ length: writers }, (_, writer) => write(target, ledger, random, `w${writer}`))
        await new Promise((resolve) => setTimeout(resolve, 20 + random.next() * 180))
        await server.stop('SIGKILL')
        await Promise.all(load)
      } finally {
        agent.destroy()
        await server.stop('SIGKILL')
      }
      if (kill % 50 === 49) say(`${kill + 1} kills, ${ledger.acknowledgements} acknowledged writes`)
    }
  } finally {
    if (wrong.length === 0) rmSync(folder, { recursive: true, force: true })
    else say(`the data directory is kept: ${folder}`)
  }
  return { kills, acknowledgements: ledger.acknowledgements, wrong }
}

/** One request at a time until the server is gone. */
async function write(server: Server, ledger: Ledger, random: Random, writer: string): Promise<void> {
  for (;;) {
    const key = `/kill/${writer}/k${Math.floor(random.next() * keysPerWriter)}`
    if (random.next() < 0.1) {
      ledger.sendDelete(key)
      const answer = await ask(server, { method: 'DELETE', path: `/v2/keys${key}`, headers: {} })
      if (answer.status === 0) return
      // 404: it was not there, which is as good.
      ledger.acknowledgeDelete(key, Number(answer.headers['x-etcd-index']))
      continue
    }
    const n = ledger.sendPut(key)
    const fillBytes = random.next() < 0.02 ? 100_000 : Math.floor(random.next() * 500)
    const answer = await ask(server, {
      method: 'PUT',
      path: `/v2/keys${key}`,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: `value=${numberedValue(n, fillBytes)}`,
    })
    if (answer.status !== 200 && answer.status !== 201) return
    ledger.acknowledgePut(key, n, Number(answer.headers['x-etcd-index']))
  }
}

async function readTree(
  server: Server,
): Promise<{ readonly tree: ReadonlyMap<string, string>; readonly index: number }> {
  const answer = await ask(server, { method: 'GET', path: '/v2/keys/kill?recursive=true', headers: {} })
  const tree = new Map<string, string>()
  const walk = (node: unknown): void => {
    if (!isObject(node)) return
    if (typeof node['key'] === 'string' && typeof node['value'] === 'string') tree.set(node['key'], node['value'])
    if (Array.isArray(node['nodes'])) for (const child of node['nodes']) walk(child)
  }
  const parsed: unknown = JSON.parse(answer.body)
  if (answer.status === 200 && isObject(parsed)) walk(parsed['node'])
  else if (answer.status !== 404) throw new Error(`the tree cannot be read: ${answer.status} ${answer.body}`)
  return { tree, index: Number(answer.headers['x-etcd-index']) }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
