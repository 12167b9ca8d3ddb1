/** One member of the store for one case: our server on free loopback ports and an empty data directory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '@cluster/conformance/server-process'
import { requireBuilt } from '../programs.ts'
import { isRecorded } from '../recorded-cases.ts'
import { send } from './exchange.ts'
import { within } from './waiting.ts'

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
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const { clientUrl, peerUrl, dataDirectory, stop } = await startServer({
      command,
      folder,
      startLimitMs,
      until: 'published',
    })
    const dispose = async (): Promise<void> => {
      await stop()
      remove()
    }
    const id = await memberId(clientUrl)
    return { clientUrl, peerUrl, id, dataDirectory, folder, stop, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    remove()
    throw error
  }
}

async function memberId(clientUrl: string): Promise<string> {
  const { text } = await get(clientUrl, '/v2/members')
  const parsed: unknown = JSON.parse(text)
  const list = isRecorded(parsed) ? parsed['members'] : undefined
  const [only] = Array.isArray(list) ? list : []
  if (!isRecorded(only)) throw new Error(`${clientUrl}/v2/members names no member: ${text}`)
  return String(only['id'])
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
