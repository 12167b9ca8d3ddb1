/** The file that tells docker and others of our subnet, replaced in one step (spec/flannel.md §4). */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { SubnetFile } from '@cluster/flannel'
import type { NetworkFile } from './config.ts'
import { makeFolder } from './make-folder.ts'

/** The file of a network on disk. */
export const fileOf = ({ subnetFile }: NetworkFile): SubnetFile => ({
  read: () => readSubnetFile(subnetFile),
  write: (text) => writeSubnetFile(subnetFile, text),
  remove: () => rm(subnetFile, { force: true }),
})

/** The folder gets mode 0755 when it has to be made, the file 0644 as far as the umask lets it. */
export async function writeSubnetFile(path: string, text: string): Promise<void> {
  const folder = dirname(path)
  await makeFolder(folder)
  // In the same folder, so that the rename stays within one file system.
  const temporary = join(folder, `.${basename(path)}`)
  try {
    await writeFile(temporary, text, { mode: 0o644 })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

/** What the file holds; `undefined` when it is not there. */
export async function readSubnetFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** The subnet of an earlier run as flannel logs it: `0.0.0.0/0` when there is none, or the file cannot be read. */
export async function previousSubnet([first]: readonly NetworkFile[]): Promise<string> {
  const text = first === undefined ? undefined : await readSubnetFile(first.subnetFile).catch(() => undefined)
  return /^FLANNEL_SUBNET=(\S+)$/m.exec(text ?? '')?.[1] ?? '0.0.0.0/0'
}
