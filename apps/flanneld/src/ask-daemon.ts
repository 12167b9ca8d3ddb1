/** Asks the flanneld that runs on this machine, through its socket. */
import { resolve } from 'node:path'
import { createHttpClient, readJson } from '@cluster/http'
import { isClusterError } from '@cluster/prelude'
import type { NetworkFile } from './config.ts'
import { FlanneldError } from './errors.ts'
import { socketPathOf } from './socket-path.ts'

/** Whether somebody answers at the socket. */
export async function isDaemonRunning(networks: readonly NetworkFile[], signal: AbortSignal): Promise<boolean> {
  try {
    await askDaemon(networks, '/v1/status', signal)
    return true
  } catch (error) {
    if (isClusterError(error, 'flanneld/not-running')) return false
    throw error
  }
}

/**
 * One answer, as JSON holds it.
 *
 * @throws FlanneldError `flanneld/not-running`, `flanneld/no-permission`, `flanneld/bad-answer`
 */
export async function askDaemon(networks: readonly NetworkFile[], path: string, signal: AbortSignal): Promise<unknown> {
  const socket = resolve(socketPathOf(networks))
  const client = createHttpClient()
  try {
    const response = await client.fetch({
      url: `http://flanneld${path}`,
      socketPath: socket,
      signal,
      timeToHeadersMs: 10_000,
    })
    const answer = await readJson(response.body, { sizeBytesMax: 64 * 1024 * 1024 })
    if (response.status === 200) return answer
    throw refusal(answer, response.status)
  } catch (cause) {
    if (isClusterError(cause, 'http/permission-denied')) {
      throw new FlanneldError('flanneld/no-permission', `only root may ask the flanneld at ${socket}`, {
        hint: 'run this as root',
        cause,
      })
    }
    if (!isNobodyThere(cause)) throw cause
    throw new FlanneldError('flanneld/not-running', `no flanneld answers at ${socket}`, {
      hint: 'start it, or name its subnet file with --subnet-file: the socket lies beside it',
      cause,
    })
  } finally {
    await client[Symbol.asyncDispose]()
  }
}

/** Whether a request failed because nobody listens at the socket; one that a killed daemon left counts as nobody. */
export const isNobodyThere = (error: unknown): boolean =>
  isClusterError(error, 'http/no-such-socket') || isClusterError(error, 'http/connection-refused')

function refusal(answer: unknown, status: number): FlanneldError {
  const [message, hint] = [fieldOf(answer, 'message'), fieldOf(answer, 'hint')]
  const options = typeof hint === 'string' ? { hint } : {}
  return new FlanneldError(
    'flanneld/bad-answer',
    typeof message === 'string' ? message : `flanneld answered with status ${status}`,
    options,
  )
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([one]) => one === name)?.[1] : undefined
