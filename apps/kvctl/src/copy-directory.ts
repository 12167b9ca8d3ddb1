/**
 * Copies a data directory, in use or not, into a store of its own: the newest whole snapshot and every entry after it,
 * under new identities. What was acknowledged before the copy began is in it: an acknowledged write is flushed, and
 * everything flushed is copied, whether its commit was recorded already or not.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isClusterError } from '@cluster/prelude'
import { type InspectedSnapshot, type LogEntry, type LogInspection, openLog, openSnapshots } from '@cluster/wal'
import { inspectDirectory } from './data-directory.ts'
import { failed } from './failure.ts'
import { fileFailure } from './go-text.ts'

export type CopyOptions = {
  readonly from: string
  /** Must not exist, or be empty. */
  readonly to: string
  /** For the files of the copy's log. */
  readonly segmentSizeBytes?: number
}

/** A directory in use forgets old files while they are copied; then it is begun again, so often at most. */
const attemptsMax = 5

/** Entries are written in batches of about this size. */
const batchBytes = 1024 * 1024

/**
 * Makes the copy. It appears under its name only when it is whole and on the disk.
 *
 * @throws KvctlError for a directory that is damaged or none, and for a place where no copy can be made
 */
export async function copyDirectory({ from, to, segmentSizeBytes }: CopyOptions): Promise<void> {
  await refuseFilled(to)
  const aside = `${resolve(to)}.partial`
  try {
    await mkdir(dirname(aside), { recursive: true, mode: 0o700 })
    for (let attempt = 1; ; attempt++) {
      await rm(aside, { recursive: true, force: true })
      if (await tryCopy({ from, to: aside, ...(segmentSizeBytes === undefined ? {} : { segmentSizeBytes }) })) break
      if (attempt === attemptsMax) throw failed(`${from} changed while it was copied, ${attempt} times`, 'try again')
    }
    await rename(aside, to)
    const parent = await open(dirname(aside), 'r')
    await parent.sync().finally(() => parent.close())
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    if (isClusterError(error)) throw error.code === 'kvctl/failed' ? error : failed(error.message, error.hint)
    throw failed(fileFailure('write', to, error))
  }
}

async function refuseFilled(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw failed(fileFailure('open', directory, error))
  })
  if (names.length > 0) throw failed(`${directory} is not empty`, 'name a directory that does not exist yet')
}

/** False when files went away or changed under our hands. */
async function tryCopy({ from, to, segmentSizeBytes }: CopyOptions): Promise<boolean> {
  const inspection = inspectDirectory(from)
  const damage = inspection.findings.find(({ severity }) => severity === 'error')
  if (damage !== undefined) {
    throw failed(
      `${damage.path} is damaged at byte ${damage.offset}: ${damage.what}`,
      'a copy of it would be damaged, too: restore an older backup',
    )
  }
  const snapshot = inspection.snapshots.find(({ isWhole }) => isWhole)
  const { identity } = inspection
  if (identity === undefined) throw failed(`${from} does not say whose it is`, 'see: kvctl check')
  await mkdir(to, { mode: 0o700 })
  const { log } = openLog({
    directory: to,
    identity: { ...identity, clusterId: newId(), memberId: newId() },
    ...(segmentSizeBytes === undefined ? {} : { segmentSizeBytes }),
  })
  try {
    if (snapshot !== undefined) {
      if (!(await copySnapshot(from, to, snapshot))) return false
      log.release(snapshot, snapshot.index)
    }
    return copyEntries(inspection, snapshot?.index ?? 0, (entries, commit) => {
      log.append({ entries, hardState: { term: inspection.hardState.term, votedFor: undefined, commit } })
      log.sync()
    })
  } finally {
    log.close()
  }
}

async function copySnapshot(from: string, to: string, at: InspectedSnapshot): Promise<boolean> {
  const writer = await openSnapshots({ directory: to }).create(at)
  try {
    for await (const part of openSnapshots({ directory: from }).read(at)) await writer.write(part)
    await writer.commit()
    return true
  } catch (error) {
    await writer.abort()
    // A newer one took its place.
    if (isClusterError(error, 'wal/snapshot-failed')) return false
    throw error
  }
}

function copyEntries(
  { entries, lastIndex }: LogInspection,
  afterIndex: number,
  append: (entries: readonly LogEntry[], commit: number) => void,
): boolean {
  let batch: LogEntry[] = []
  let sizeBytes = 0
  let copied = afterIndex
  const flush = (): void => {
    append(batch, copied)
    batch = []
    sizeBytes = 0
  }
  try {
    for (const entry of entries) {
      if (entry.index <= afterIndex) continue
      // A file that is used again for new entries gives others than those that were found in it.
      if (entry.index !== copied + 1) return false
      copied = entry.index
      batch.push(entry)
      sizeBytes += entry.data.length
      if (sizeBytes >= batchBytes) flush()
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
  flush()
  return copied >= lastIndex
}

/** Hex, shortest form, as ids of members and clusters are written; never zero. */
const newId = (): string => (randomBytes(8).readBigUInt64BE() | 1n).toString(16)
