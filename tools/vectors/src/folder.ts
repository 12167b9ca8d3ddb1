/** Folders of recorded files on disk. */
import { readdirSync, readFileSync } from 'node:fs'
import { relative, resolve, sep } from 'node:path'
import { VectorsError } from './errors.ts'
import type { VectorFolder } from './vector-set.ts'

/**
 * The folder at `path`.
 *
 * @param elsewhere further folders in which a file is looked for that is not below `path`, tried in order; a set may
 *   name files beside its own (`../corpus/files/x`), which the project's copy does not hold
 * @throws VectorsError vectors/unreadable-folder
 */
export function openFolder(path: string, elsewhere: readonly string[] = []): VectorFolder {
  const files = listFiles(path)
  const readBytes = (file: string): Uint8Array => {
    const places = [path, ...elsewhere].map((folder) => resolve(folder, file))
    for (const place of places) {
      const bytes = readIfThere(place)
      if (bytes !== undefined) return bytes
    }
    throw new VectorsError('vectors/unreadable-file', `${file} cannot be read`, {
      hint: `looked for it at ${places.join(', ')}`,
    })
  }
  return { files, readBytes, readJson: (file) => parseJson(file, path, readBytes(file)) }
}

function listFiles(path: string): readonly string[] {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(path, resolve(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort()
  } catch (cause) {
    throw new VectorsError('vectors/unreadable-folder', `${path} cannot be read as a folder`, {
      hint: 'name a folder that holds the JSON files of a set',
      cause,
    })
  }
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw new VectorsError('vectors/unreadable-file', `${path} cannot be read`, {
      hint: 'make it readable for this user',
      cause: error,
    })
  }
}

function parseJson(file: string, folder: string, bytes: Uint8Array): unknown {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return parsed
  } catch (cause) {
    throw new VectorsError('vectors/invalid-json', `${resolve(folder, file)} is not JSON`, {
      hint: 'correct the file, or take it out of the folder',
      cause,
    })
  }
}
