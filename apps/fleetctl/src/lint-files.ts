/** Unit files to lint on this computer: found by name or folder, read with their modes, written back as a whole or not. */
import { accessSync, constants, statSync } from 'node:fs'
import { chmod, chown, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { encodeText, type LintFile, systemSearchPath, unitTypes } from '@cluster/unit-file'
import { fileOfError, unitFileBytesMax } from './local-files.ts'

export type UnreadableFile = { readonly path: string; readonly why: string; readonly remedy: string }

export type FoundFiles = { readonly files: readonly LintFile[]; readonly unreadable: readonly UnreadableFile[] }

/** What is known of other units and of programs on this computer. */
export type Surroundings = {
  /** Whether a unit of this name lies in one of the folders that files were taken from. */
  readonly isBeside: (unitName: string) => boolean
  /** Whether systemd would find a unit of this name here. */
  readonly isInstalled: (unitName: string) => boolean
  readonly isExecutable: (path: string) => boolean
}

export type LintFiles = {
  /** Files as they are named; of folders the units and drop-ins in them and below, sorted. */
  readonly find: (paths: readonly string[]) => Promise<FoundFiles>
  readonly surroundings: (files: readonly LintFile[]) => Promise<Surroundings>
  /** Replaces a file as a whole; mode and owner stay, and a link still leads to it. */
  readonly write: (file: LintFile) => Promise<void>
}

/** Files that a folder may have below it before this is no folder of units. */
const filesMax = 100_000

const unitSuffix = new RegExp(`\\.(?:${unitTypes.join('|')})$`)
const dropInFolder = new RegExp(`(?:^|\\.)(?:${unitTypes.join('|')})\\.d$`)

/** The files of this computer; relative paths start at the folder the program was started in. */
export const lintFiles: LintFiles = {
  find: async (paths) => {
    const files: LintFile[] = []
    const unreadable: UnreadableFile[] = []
    for (const path of paths) {
      try {
        const isFolder = (await stat(path)).isDirectory()
        const found = isFolder ? await unitsBelow(path) : [path]
        if (found.length === 0) {
          unreadable.push({
            path,
            why: 'there is no unit file in this folder or below it',
            remedy: `unit files end in .${unitTypes.slice(0, 4).join(', .')} …; drop-ins are NAME.service.d/*.conf`,
          })
        }
        for (const file of found) files.push(await readUnit(file))
      } catch (error) {
        unreadable.push(unreadableOf(path, error))
      }
    }
    return { files, unreadable }
  },

  surroundings: async (files) => {
    const beside = await namesIn(files.map(({ path }) => dirname(path)))
    const installed = await namesIn([...systemSearchPath.directories, '/lib/systemd/system'])
    const has = (names: ReadonlySet<string>, name: string): boolean =>
      names.has(name) || names.has(name.replace(/@[^@]*(\.[a-z]+)$/, '@$1'))
    return {
      isBeside: (name) => has(beside, name),
      isInstalled: (name) => has(installed, name),
      isExecutable,
    }
  },

  write: async ({ path, text }) => {
    const target = await realpath(path)
    const before = await stat(target)
    const temporary = join(dirname(target), `.${basename(target)}.fleetctl-lint`)
    try {
      await using file = await open(temporary, 'wx', before.mode & 0o7777)
      await file.writeFile(typeof text === 'string' ? encodeText(text) : text)
      await file.sync()
      await chmod(temporary, before.mode & 0o7777)
      const own = await file.stat()
      if (own.uid !== before.uid || own.gid !== before.gid) await chown(temporary, before.uid, before.gid)
      await rename(temporary, target)
    } catch (error) {
      // what another run is writing is not ours to remove
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST'
      if (!isTaken) await rm(temporary, { force: true })
      throw error
    }
  },
}

class TooManyFiles extends Error {}

/** Units and drop-ins below a folder; hidden folders are passed over. */
async function unitsBelow(folder: string): Promise<readonly string[]> {
  const found: string[] = []
  const open = [folder]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const isDropInFolder = dropInFolder.test(basename(next))
    for (const entry of await readdir(next, { withFileTypes: true })) {
      const path = join(next, entry.name)
      if (entry.isDirectory()) {
        if (!entry.name.startsWith('.') && entry.name !== 'node_modules') open.push(path)
      } else if (isDropInFolder || unitSuffix.test(entry.name)) {
        // masked units and links of `systemctl enable` are no files of their own
        if (entry.isFile() || (entry.isSymbolicLink() && isFileAt(path))) found.push(path)
      }
      if (found.length > filesMax) throw new TooManyFiles(`it has more than ${filesMax} unit files`)
    }
  }
  return found.sort()
}

function isFileAt(path: string): boolean {
  const isLinkOfEnable = /\.(?:wants|requires)$/.test(dirname(path))
  return !isLinkOfEnable && statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

class TooLarge extends Error {}

async function readUnit(path: string): Promise<LintFile> {
  const { size, mode } = await stat(path)
  if (size > unitFileBytesMax) throw new TooLarge(`it has ${size} bytes, and a unit has at most ${unitFileBytesMax}`)
  return { path, text: await readFile(path), mode: mode & 0o7777 }
}

function unreadableOf(path: string, error: unknown): UnreadableFile {
  if (error instanceof TooLarge || error instanceof TooManyFiles) {
    return { path, why: error.message, remedy: 'check that it is the right file or folder' }
  }
  const found = fileOfError(error)
  return found.kind === 'unreadable'
    ? { path, why: found.why, remedy: found.remedy }
    : { path, why: 'there is no such file', remedy: 'check the name, or the folder you are in' }
}

async function namesIn(folders: readonly string[]): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for (const folder of new Set(folders)) {
    // a folder of the search path that is not there holds nothing
    for (const name of await readdir(folder).catch(() => [])) names.add(name)
  }
  return names
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
