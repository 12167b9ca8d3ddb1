/** The unit files of this machine, as a folder: real texts where the recorded corpus is not at hand. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openFolder } from './folder.ts'
import type { VectorFolder } from './vector-set.ts'

/** Where systemd's vendor and administrator units are. */
export const installedUnitFolders = ['/lib/systemd/system', '/etc/systemd/system'] as const

const unitFile = /\.(automount|conf|device|mount|path|scope|service|slice|socket|swap|target|timer)$/

/** Files are named by their full paths; links are left out, since what they lead to is listed itself. */
export function openInstalledUnits(folders: readonly string[] = installedUnitFolders): VectorFolder {
  const files = folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && unitFile.test(entry.name))
        .map((entry) => join(entry.parentPath, entry.name)),
    )
  return { ...openFolder(folders.find((folder) => existsSync(folder)) ?? '/'), files: files.sort() }
}
