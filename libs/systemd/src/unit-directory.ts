/**
 * The folder of the units that the cluster put on this machine (fleet: `/run/fleet/units/`). What is in it is what the
 * agent manages; it is also all that the agent knows after a restart. Rules: spec/fleet.md §6.2, traps 31 and 49.
 */
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '@cluster/prelude'
import { clusterDialect, hashOptions, readAsFleet } from '@cluster/unit-file'
import { SystemdError } from './errors.ts'
import { nameProblem, requireManageable } from './manageable-name.ts'

/** A unit file of the folder; the hash is undefined when the file is there and cannot be read. */
export type DirectoryUnit = { readonly name: string; readonly hash: string | undefined; readonly problem?: string }

export type UnitDirectory = {
  readonly path: string
  /** Where the file of a unit is, or would be. */
  readonly pathOf: (name: string) => string
  /** Units in name order. What is not a unit file is left out and reported once, at level warn. */
  readonly list: () => Promise<readonly DirectoryUnit[]>
  readonly has: (name: string) => Promise<boolean>
  /** The text of a unit; undefined when there is none. */
  readonly read: (name: string) => Promise<string | undefined>
  /** Replaces the file in one step, mode 0644. A reader sees the old text or the new one, also after a crash. */
  readonly write: (name: string, text: string, hash: string) => Promise<void>
  /** Removes the file; not there is fine. */
  readonly remove: (name: string) => Promise<void>
}

/** A temporary file of a write that was cut off; never a unit, since a unit's last part is a type. */
const temporarySuffix = '.writing'

/**
 * Opens the folder; makes it when it is not there.
 *
 * @throws SystemdError `systemd/directory`
 */
export async function openUnitDirectory(path: string, log: Logger): Promise<UnitDirectory> {
  const reported = new Set<string>()
  let writes = 0
  // hash by state of the file, so that a list of many units does not read them all again
  const known = new Map<string, { stamp: string; hash: string }>()

  const pathOf = (name: string): string => {
    requireManageable(name)
    return join(path, name)
  }

  function reportOnce(name: string, problem: string): void {
    const key = `${name}\0${problem}`
    if (reported.has(key)) return
    // bounded: somebody may make new names for ever
    if (reported.size > 1000) reported.clear()
    reported.add(key)
    log.warn('file in the unit directory is ignored', { directory: path, file: name, problem })
  }

  async function describe(name: string): Promise<DirectoryUnit | undefined> {
    const file = join(path, name)
    try {
      const stats = await stat(file, { bigint: true })
      if (!stats.isFile()) {
        reportOnce(name, 'is not a regular file')
        return undefined
      }
      const stamp = `${stats.ino} ${stats.size} ${stats.mtimeNs}`
      const before = known.get(name)
      if (before?.stamp === stamp) return { name, hash: before.hash }
      const options = readAsFleet(await readFile(file), clusterDialect)
      if (!options.ok) {
        reportOnce(name, `line ${options.error.line}: ${options.error.message}`)
        return undefined
      }
      const hash = hashOptions(options.value)
      known.set(name, { stamp, hash })
      return { name, hash }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      return { name, hash: undefined, problem: `${file} cannot be read: ${messageOf(error)}` }
    }
  }

  async function list(): Promise<readonly DirectoryUnit[]> {
    const names = await onDisk('read', path, () => readdir(path))
    const candidates: string[] = []
    for (const name of names.sort()) {
      if (name.endsWith(temporarySuffix)) continue
      const problem = nameProblem(name)
      if (problem === undefined) candidates.push(name)
      else reportOnce(name, problem)
    }
    for (const name of known.keys()) if (!candidates.includes(name)) known.delete(name)
    const units = await Promise.all(candidates.map(describe))
    return units.filter((unit) => unit !== undefined)
  }

  async function write(name: string, text: string, hash: string): Promise<void> {
    const file = pathOf(name)
    writes += 1
    // not NAME.writing: a name may already be as long as a file name can be
    const temporary = join(path, `.${writes}${temporarySuffix}`)
    await onDisk('write', file, async () => {
      try {
        const handle = await open(temporary, 'w', 0o644)
        try {
          await handle.writeFile(text)
          await handle.chmod(0o644)
          await handle.datasync()
        } finally {
          await handle.close()
        }
        await rename(temporary, file)
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
      const stats = await stat(file, { bigint: true })
      known.set(name, { stamp: `${stats.ino} ${stats.size} ${stats.mtimeNs}`, hash })
    })
  }

  async function read(name: string): Promise<string | undefined> {
    const file = pathOf(name)
    try {
      return await readFile(file, 'utf8')
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw directoryError('read', file, error)
    }
  }

  async function has(name: string): Promise<boolean> {
    const file = pathOf(name)
    try {
      await stat(file)
      return true
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false
      throw directoryError('read', file, error)
    }
  }

  async function remove(name: string): Promise<void> {
    const file = pathOf(name)
    await onDisk('remove', file, () => rm(file, { force: true }))
    known.delete(name)
  }

  await onDisk('make', path, async () => {
    if ((await mkdir(path, { recursive: true, mode: 0o755 })) !== undefined) await chmod(path, 0o755)
    // what a crash in the middle of a write left behind
    for (const name of await readdir(path)) if (name.endsWith(temporarySuffix)) await rm(join(path, name))
  })
  return { path, pathOf, list, has, read, write, remove }
}

async function onDisk<T>(what: string, path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw directoryError(what, path, error)
  }
}

const directoryError = (what: string, path: string, cause: unknown): SystemdError =>
  new SystemdError('systemd/directory', `cannot ${what} ${path}`, {
    hint: 'check that units_directory names a folder this user may write to, with space left',
    cause,
  })

const errnoOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
