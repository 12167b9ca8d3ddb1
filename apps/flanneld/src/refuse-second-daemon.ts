/** Two daemons with one subnet file would write it, and their lease and kernel, against each other. */
import { resolve } from 'node:path'
import { createHttpClient } from '@cluster/http'
import { isNobodyThere } from './ask-daemon.ts'
import type { NetworkFile } from './config.ts'
import { FlanneldError } from './errors.ts'
import { socketPathOf } from './socket-path.ts'

/**
 * Looks whether another daemon serves the socket beside our subnet file. A socket that one left when it was killed
 * counts for nothing.
 *
 * @throws FlanneldError `flanneld/already-running`
 */
export async function refuseSecondDaemon(networks: readonly NetworkFile[]): Promise<void> {
  const path = resolve(socketPathOf(networks))
  if (!(await isServed(path))) return
  throw new FlanneldError('flanneld/already-running', `another flanneld answers at ${path}`, {
    hint: 'stop it first, or give each its own --etcd-prefix and --subnet-file',
  })
}

/** Whoever accepts there is a daemon, also one that is too busy to answer. */
async function isServed(socketPath: string): Promise<boolean> {
  const client = createHttpClient()
  try {
    const { body } = await client.fetch({ url: 'http://flanneld/v1/status', socketPath, timeToHeadersMs: 2000 })
    for await (const _ of body) break
    return true
  } catch (error) {
    return !isNobodyThere(error)
  } finally {
    await client[Symbol.asyncDispose]()
  }
}
