/** Putting a server of any kind on an address, a unix socket or a socket from systemd. */
import { chmod, lstat, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { type ListenAddress, renderListenAddress } from './address.ts'
import { errnoOf, HttpError, toHttpError } from './errors.ts'

/**
 * Starts to listen. A unix socket left by a process that is gone is replaced.
 *
 * @throws HttpError `http/address-in-use`, `http/permission-denied`, `http/unreachable`, `http/failed`
 */
export async function listenOn(server: Server, listen: ListenAddress): Promise<void> {
  const place = renderListenAddress(listen)
  try {
    await tryListen(server, listen)
  } catch (error) {
    if (listen.kind !== 'unix' || errnoOf(error) !== 'EADDRINUSE') throw toHttpError(error, place)
    await removeStaleSocket(listen.path)
    await tryListen(server, listen).catch((again) => {
      throw toHttpError(again, place)
    })
  }
  if (listen.kind === 'unix') await chmod(listen.path, listen.mode ?? 0o660)
}

function tryListen(server: Server, listen: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve()
    })
    if (listen.kind === 'tcp') server.listen({ host: listen.host, port: listen.port })
    else if (listen.kind === 'unix') server.listen({ path: listen.path })
    else server.listen({ fd: listen.fd })
  })
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path)
  if (!found.isSocket()) {
    throw new HttpError('http/address-in-use', `${path} exists and is not a socket`, {
      hint: 'move it away, or choose another path',
    })
  }
  if (await somebodyAnswers(path)) {
    throw new HttpError('http/address-in-use', `another process listens on ${path}`, {
      hint: 'stop it, or choose another path',
    })
  }
  await unlink(path)
}

const somebodyAnswers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // Only a refusal proves that nobody is there; with any other error (a full queue, no rights) somebody may be.
    socket.once('error', (error) => resolve(errnoOf(error) !== 'ECONNREFUSED'))
  })

/** Where a listening server can be reached: as asked for, with the port that was found. */
export function boundAddress(server: Server, listen: ListenAddress): ListenAddress {
  const bound = server.address()
  if (bound === null) return listen
  if (typeof bound === 'string') return listen.kind === 'unix' ? listen : { kind: 'unix', path: bound }
  return { kind: 'tcp', host: bound.address, port: bound.port }
}

/** The base of URLs for clients on this machine; for a unix socket its path. */
export function urlOf(address: ListenAddress, isTls: boolean): string {
  if (address.kind !== 'tcp') return renderListenAddress(address)
  const host = address.host === '0.0.0.0' ? '127.0.0.1' : address.host === '::' ? '::1' : address.host
  return `${isTls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}
