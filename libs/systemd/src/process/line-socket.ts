/** Lines of JSON over a Unix socket, and a way to sockets whose path is longer than the kernel takes. */
import { closeSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { messageLengthMax } from './wire.ts'

/** The socket of a manager's directory. */
const socketName = 'supervisor.sock'

/** Bytes of a path that sockaddr_un holds, without its final NUL. @see unix(7) */
const socketPathBytesMax = 107

/** The path to bind or connect to, until it is closed. */
export type SocketPath = { readonly path: string; readonly close: () => void }

/** A long path is shortened through a descriptor of the directory. */
export function openSocketPath(directory: string): SocketPath {
  const path = join(directory, socketName)
  if (Buffer.byteLength(path) <= socketPathBytesMax) return { path, close: () => undefined }
  const descriptor = openSync(directory, 'r')
  return { path: `/proc/self/fd/${descriptor}/${socketName}`, close: () => closeSync(descriptor) }
}

/** Calls back for each line; a peer that sends a line without end is cut off. */
export function readLines(socket: Socket, onLine: (line: string) => void): void {
  let pieces: string[] = []
  let length = 0
  socket.setEncoding('utf8')
  socket.on('data', (text: string) => {
    const [first = '', ...others] = text.split('\n')
    pieces.push(first)
    length += first.length
    for (const next of others) {
      onLine(pieces.join(''))
      pieces = [next]
      length = next.length
    }
    if (length > messageLengthMax) socket.destroy()
  })
}

export const writeLine = (socket: Socket, message: unknown): void => {
  if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`)
}
