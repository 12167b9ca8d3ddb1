/** Two daemons with one subnet file would write it, and their lease and kernel, against each other. */
import { connect } from 'node:net'
import { resolve } from 'node:path'
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

function isServed(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })
}
