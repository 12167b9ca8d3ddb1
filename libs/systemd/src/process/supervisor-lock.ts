/** One supervisor per directory: a file with the PID and the start time of whoever has it. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SystemdError } from '../errors.ts'
import { isAlive, type ProcessIdentity, readProcess } from './process-table.ts'

const lockPath = (directory: string): string => join(directory, 'supervisor.lock')

/** The supervisor that has the lock, alive or not; undefined when nobody has it. */
export const holderOf = (directory: string): ProcessIdentity | undefined => readHolder(lockPath(directory))

/** The lock of a directory; undefined when a living supervisor has it. */
export function takeLock(directory: string): { readonly release: () => void } | undefined {
  const path = lockPath(directory)
  const own = join(directory, `supervisor.lock.${process.pid}`)
  const startTicks = readProcess(process.pid)?.startTicks ?? 0
  writeFileSync(own, `${process.pid} ${startTicks}\n`, { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      try {
        // a link appears with its content, or not at all
        linkSync(own, path)
        return { release: () => rmSync(path, { force: true }) }
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
          throw new SystemdError('systemd/directory', `cannot lock ${path}`, {
            hint: 'the directory of the process manager must be writable',
            cause: error,
          })
        }
      }
      const holder = readHolder(path)
      if (holder !== undefined && isAlive(holder)) return undefined
      // one of several that find it abandoned gets it away; the others find that it is gone, or a new one
      const abandoned = `${own}.abandoned`
      try {
        renameSync(path, abandoned)
      } catch {
        continue
      }
      const moved = readHolder(abandoned)
      if (moved !== undefined && isAlive(moved)) {
        // a new holder came between our look and our hand
        try {
          linkSync(abandoned, path)
        } finally {
          rmSync(abandoned, { force: true })
        }
        return undefined
      }
      rmSync(abandoned, { force: true })
    }
    return undefined
  } finally {
    rmSync(own, { force: true })
  }
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    const [pid, startTicks] = readFileSync(path, 'utf8').trim().split(' ').map(Number)
    return pid === undefined || startTicks === undefined ? undefined : { pid, startTicks }
  } catch {
    return undefined
  }
}
