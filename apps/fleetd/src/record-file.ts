/** What fleetd remembers across a crash, in a file that a reboot clears. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FleetError, type RecordStore } from '@cluster/fleet'

/** A record in `path`, replaced as a whole by each write. */
export function createRecordFile(path: string): RecordStore {
  return {
    async read() {
      try {
        return await readFile(path, 'utf8')
      } catch (cause) {
        if (isMissing(cause)) return undefined
        throw failure(path, 'read', cause)
      }
    },
    async write(text) {
      try {
        await mkdir(dirname(path), { recursive: true })
        await writeFile(`${path}.new`, text, { mode: 0o600 })
        await rename(`${path}.new`, path)
      } catch (cause) {
        throw failure(path, 'written', cause)
      }
    },
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'

const failure = (path: string, what: 'read' | 'written', cause: unknown): FleetError =>
  new FleetError('fleet/local-record', `${path} cannot be ${what}`, {
    hint: 'check that the directory exists and this user may write to it',
    cause,
  })
