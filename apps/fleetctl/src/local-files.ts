/** Unit files on this computer. */
import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'

export type LocalFile =
  | { readonly kind: 'absent' }
  | { readonly kind: 'text'; readonly text: string }
  /** There is something, but no text of a unit; `why` names what, `remedy` what to do. */
  | { readonly kind: 'unreadable'; readonly why: string; readonly remedy: string }

export type LocalFiles = {
  readonly read: (path: string) => Promise<LocalFile>
  readonly exists: (path: string) => Promise<boolean>
  /** Paths of files that match, as a shell would find them; a backslash is an ordinary character. */
  readonly glob: (pattern: string) => Promise<readonly string[]>
}

/** The largest file that is taken for a unit. The store refuses far smaller values by default. */
export const unitFileBytesMax = 4 * 1024 * 1024

/** The files as seen from a folder. */
export const filesIn = (folder: string): LocalFiles => ({
  read: (path) => readUnit(resolve(folder, path)),
  exists: (path) =>
    stat(resolve(folder, path)).then(
      () => true,
      () => false,
    ),
  glob: async (pattern) => {
    const { default: fastGlob } = await import('fast-glob')
    return fastGlob(globPattern(pattern), { cwd: folder, extglob: false, onlyFiles: true })
  },
})

/** `\x2d` is part of many unit names, and `!` of some; to fast-glob they would be an escape and a negation. */
const globPattern = (pattern: string): string => pattern.replaceAll('\\', '\\\\').replace(/^!/, '\\!')

async function readUnit(path: string): Promise<LocalFile> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) return unreadable('it is a folder', 'name the files in it, such as FOLDER/*.service')
    if (!found.isFile()) return unreadable('it is no regular file', 'name a file with the text of a unit')
    if (found.size > unitFileBytesMax) return tooLarge(found.size)
    await using file = await open(path)
    return decode(await file.readFile())
  } catch (error) {
    return fileOfError(error)
  }
}

function decode(bytes: Uint8Array): LocalFile {
  if (bytes.length > unitFileBytesMax) return tooLarge(bytes.length)
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    return unreadable('it is not text in UTF-8', 'save it as plain UTF-8 text')
  }
}

/** What there is instead of a text when reading failed. Never throws. */
export function fileOfError(error: unknown): LocalFile {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
      return { kind: 'absent' }
    case 'EACCES':
    case 'EPERM':
      return unreadable('permission denied', 'let yourself read it (chmod u+r), or run as a user who may')
    case 'ELOOP':
      return unreadable('its symbolic links lead in a circle', 'let the link point to a file')
    default:
      return unreadable(error instanceof Error ? error.message : String(error), 'check the file and its disk')
  }
}

const unreadable = (why: string, remedy: string): LocalFile => ({ kind: 'unreadable', why, remedy })

const tooLarge = (bytes: number): LocalFile =>
  unreadable(
    `it has ${bytes} bytes, and a unit has at most ${unitFileBytesMax}`,
    'check that it is the right file; keep data out of unit files',
  )
