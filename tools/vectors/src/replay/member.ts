/** One member of the store for one case: our server on free loopback ports and an empty data directory. */
import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requireBuilt } from '../programs.ts'
import { isRecorded } from '../recorded-cases.ts'
import { send } from './exchange.ts'
import { pause, within } from './waiting.ts'

export type Member = AsyncDisposable & {
  readonly clientUrl: string
  readonly peerUrl: string
  /** Hex, as the API gives it. */
  readonly id: string
  readonly dataDirectory: string
  /** A folder of the case's own; the data directory is below it. */
  readonly folder: string
  /** SIGTERM, then its end. */
  readonly stop: () => Promise<void>
}

const startLimitMs = 15_000

/** Starts `command` with etcd's flags and waits until it has published itself and answers for auth. */
export async function startMember(command: readonly string[]): Promise<Member> {
  requireBuilt(command)
  const folder = mkdtempSync(join(tmpdir(), 'cluster-vectors-'))
  const dataDirectory = join(folder, 'n0.data')
  const logFile = join(folder, 'n0.log')
  const clientUrl = `http://127.0.0.1:${await freePort()}`
  const peerUrl = `http://127.0.0.1:${await freePort()}`
  const log = openSync(logFile, 'w')
  const [program = '', ...first] = command
  const flags = [
    ...['--name', 'n0', '--data-dir', dataDirectory],
    ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', `n0=${peerUrl}`],
  ]
  const child = spawn(program, [...first, ...flags], { stdio: ['ignore', 'ignore', log] })
  closeSync(log)
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await within(ended, 5000, 'the end of the server').catch(() => {
      child.kill('SIGKILL')
      return ended
    })
  }
  const dispose = async (): Promise<void> => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  }
  let hasEnded = false
  void ended.then(() => {
    hasEnded = true
  })
  const giveUp = performance.now() + startLimitMs
  for (;;) {
    const id = await readyId(clientUrl)
    if (id !== undefined) {
      return { clientUrl, peerUrl, id, dataDirectory, folder, stop, [Symbol.asyncDispose]: dispose }
    }
    if (hasEnded || performance.now() > giveUp) {
      const said = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-5).join('\n')
      await dispose()
      throw new Error(`the server did not become ready: ${said === '' ? 'it said nothing' : said}`)
    }
    await pause(20)
  }
}

async function readyId(clientUrl: string): Promise<string | undefined> {
  try {
    const auth = await get(clientUrl, '/v2/auth/enable')
    const members = await get(clientUrl, '/v2/members')
    if (auth.status !== 200) return undefined
    const parsed: unknown = JSON.parse(members.text)
    const list = isRecorded(parsed) ? parsed['members'] : undefined
    const [only] = Array.isArray(list) ? list : []
    if (!isRecorded(only) || !Array.isArray(only['clientURLs']) || only['clientURLs'].length === 0) return undefined
    return String(only['id'])
  } catch {
    // It does not listen yet.
    return undefined
  }
}

/** One plain GET, to its end. */
export async function get(
  baseUrl: string,
  path: string,
): Promise<{ readonly status: number | undefined; readonly text: string; readonly index: number }> {
  const agent = new Agent()
  try {
    const one = send(baseUrl, { method: 'GET', path }, new Map(), agent)
    await within(one.opened, startLimitMs, 'the answer')
    await one.ended
    return { status: one.status(), text: one.text(), index: Number(one.headers()['x-etcd-index'] ?? 0) }
  } finally {
    agent.destroy()
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address !== null && typeof address === 'object'
          ? resolve(address.port)
          : reject(new Error('no free port was given')),
      )
    })
  })
