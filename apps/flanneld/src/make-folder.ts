/** Folders for what is written while flanneld runs. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes the folder and those above it, mode 0755; one that is there already is fine. Node's own recursive way tries for
 * ever where a parent is there and takes no folders, as /proc.
 *
 * @throws the system's error
 */
export async function makeFolder(path: string): Promise<void> {
  const before = await tryToMake(path)
  if (before === undefined) return
  if (before.code !== 'ENOENT' || dirname(path) === path) throw before
  await makeFolder(dirname(path))
  const after = await tryToMake(path)
  if (after !== undefined) throw after
}

async function tryToMake(path: string): Promise<NodeJS.ErrnoException | undefined> {
  try {
    await mkdir(path, { mode: 0o755 })
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const failure: NodeJS.ErrnoException = error
    return failure.code === 'EEXIST' ? undefined : failure
  }
  return undefined
}
