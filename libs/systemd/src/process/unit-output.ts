/**
 * What the processes of one unit print, as journal entries. They write into a named pipe that they hold open for reading
 * too: when the supervisor dies they neither end by SIGPIPE nor lose a line, and its successor reads on.
 */
import { execFile } from 'node:child_process'
import { constants, openSync } from 'node:fs'
import { chmod, mkdir, rm, stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import { dirname } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { promisify } from 'node:util'
import { SystemdError } from '../errors.ts'
import { lineBytesMax } from './process-journal.ts'

export type UnitOutput = {
  /** A descriptor for one child's streams; the caller closes it. */
  readonly openForChild: () => number
  /** Hands over what stands behind the last newline. */
  readonly flush: () => void
  readonly close: () => void
}

/**
 * Opens the pipe of a unit, and makes it first where it is not there.
 *
 * @param onLine called for every line, without its newline
 * @throws SystemdError `systemd/directory`
 */
export async function openUnitOutput(path: string, onLine: (line: string) => void): Promise<UnitOutput> {
  try {
    if (!(await isPipe(path))) {
      await rm(path, { force: true })
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await promisify(execFile)('mkfifo', [path])
      // the folder around it is private; a process of another user must be able to open its own /dev/stdout
      await chmod(path, 0o622)
    }
  } catch (cause) {
    throw new SystemdError('systemd/directory', `cannot make the pipe ${path}`, {
      hint: 'the directory of the manager must be on a disk that can hold named pipes; mkfifo of coreutils is needed',
      cause,
    })
  }
  const decoder = new StringDecoder('utf8')
  let rest = ''
  // read and write: with no child left the pipe stays open instead of ending
  const socket = new Socket({
    fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK),
    readable: true,
    writable: false,
  })
  socket.on('data', (bytes: Buffer) => {
    const lines = (rest + decoder.write(bytes)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
    while (rest.length > lineBytesMax) {
      onLine(rest.slice(0, lineBytesMax))
      rest = rest.slice(lineBytesMax)
    }
  })
  // an error of the pipe closes it; the next start of the unit opens another
  socket.on('error', () => socket.destroy())
  return {
    openForChild: () => openSync(path, constants.O_RDWR),
    flush: () => {
      const last = rest + decoder.end()
      rest = ''
      if (last !== '') onLine(last)
    },
    close: () => void socket.destroy(),
  }
}

async function isPipe(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFIFO()
  } catch {
    return false
  }
}
