/** Starts both servers, sends the same random requests to both, and tells what differs. */
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { etcdCommand, type ServerProcess, startServer } from '../server-process.ts'
import { allowedDifferences } from './allowed.ts'
import { type RunResult, runDifferential } from './run.ts'

export type DifferentialOptions = {
  /** The command of the server that is compared with etcd. */
  readonly command: readonly string[]
  readonly seed: number
  readonly requests: number
  readonly say: (line: string) => void
}

/** The whole run, on data directories of its own. */
export async function differential({ command, seed, requests, say }: DifferentialOptions): Promise<RunResult> {
  const folder = mkdtempSync(join(tmpdir(), 'cluster-differential-'))
  const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })]
  const started: ServerProcess[] = []
  try {
    started.push(await startServer({ command, folder: join(folder, 'ours') }))
    started.push(await startServer({ command: etcdCommand, folder: join(folder, 'theirs') }))
    const [ours, theirs] = started.map(({ host, port }, at) => ({
      name: at === 0 ? 'ours' : 'theirs',
      host,
      port,
      agent: agents[at] ?? new Agent(),
    }))
    if (ours === undefined || theirs === undefined) throw new Error('both servers have started')
    return await runDifferential({ ours, theirs, seed, requests, allowed: allowedDifferences, say })
  } finally {
    for (const agent of agents) agent.destroy()
    for (const server of started) await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
