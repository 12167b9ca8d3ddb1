/**
 * Snapshots of the state beside the log: written aside, flushed, renamed into place; verified as a whole before anything
 * of them is given. All calls are promises on node:fs's pool: writing one never holds the thread of the log.
 */
import { join } from 'node:path'
import { assert } from '@cluster/prelude'
import type { AsyncDisk, AsyncDiskFile } from './disk.ts'
import { errnoOf, isNoSpace, WalError } from './errors.ts'
import { parseSnapshotName, snapshotDirectory, snapshotName } from './layout.ts'
import type { Snapshots, SnapshotWriter } from './log-port.ts'
import { createNodeAsyncDisk } from './node-disk.ts'
import type { SnapshotPosition } from './payload.ts'
import {
  encodeFooter,
  encodePartHeader,
  encodeSnapshotHeader,
  partBytesMax,
  type ReadRequest,
  readSnapshotFile,
  type SnapshotVerdict,
} from './snapshot-file.ts'

export type OpenSnapshotsOptions = {
  readonly disk?: AsyncDisk
  /** The data directory that the log has too; snapshots are in its folder `snapshots`. */
  readonly directory: string
  /** How many to keep, at least 1. */
  readonly keep?: number
}

/** Bytes after which a part of a large snapshot is flushed, so that the last flush is not a long one. */
const flushEveryBytes = 8 * 1024 * 1024

/**
 * The snapshots of a data directory. Creates nothing until the first is written. One writer at a time for each index.
 *
 * Errors of its calls: `wal/no-space`, `wal/snapshot-failed` (no such snapshot, the disk failed, or it is damaged),
 * `wal/newer-version`. None of them harms the log.
 */
export function openSnapshots({ disk = createNodeAsyncDisk(), directory, keep = 5 }: OpenSnapshotsOptions): Snapshots {
  assert(Number.isInteger(keep) && keep >= 1, 'at least one snapshot is kept')
  const folder = snapshotDirectory(directory)
  return {
    create: (at) => guard(`cannot begin a snapshot in ${folder}`, () => createWriter(disk, directory, keep, at)),
    read: (at, { verify = 'first' } = {}) => readParts(disk, join(folder, snapshotName(at)), verify),
    list: () => guard(`cannot list the snapshots in ${folder}`, () => listSnapshots(disk, folder)),
  }
}

async function createWriter(
  disk: AsyncDisk,
  directory: string,
  keep: number,
  at: SnapshotPosition,
): Promise<SnapshotWriter> {
  const folder = snapshotDirectory(directory)
  if ((await disk.stat(folder)) === undefined) {
    await disk.mkdir(folder)
    await disk.syncDirectory(directory)
  }
  const path = join(folder, snapshotName(at))
  const aside = `${path}.tmp`
  if ((await disk.stat(aside)) !== undefined) await disk.unlink(aside)
  const file = await disk.open(aside, 'create')
  const header = encodeSnapshotHeader(at)
  let [sum, position, unflushedBytes, isOpen] = [header.sum, 0, 0, true]

  const put = async (bytes: Uint8Array): Promise<void> => {
    assert(isOpen, 'a snapshot that was committed or given up takes no more parts')
    const count = await file.write(bytes, position)
    if (count !== bytes.length) throw Object.assign(new Error(`short write: ${count} bytes`), { code: 'ENOSPC' })
    position += bytes.length
    unflushedBytes += bytes.length
  }
  const finish = async (): Promise<void> => {
    isOpen = false
    await file.close()
  }
  const abort = async (): Promise<void> => {
    if (!isOpen) return
    await finish()
    await disk.unlink(aside)
  }
  /** A failed writer leaves nothing behind that it can still remove; the failure itself is what is told. */
  const orAbort = (what: string, work: () => Promise<void>): Promise<void> =>
    guard(`cannot write the snapshot ${path}: ${what}`, async () => {
      try {
        await work()
      } catch (error) {
        await abort().catch(() => undefined)
        throw error
      }
    })

  await orAbort('its header', () => put(header.bytes))
  return {
    write: (part) =>
      orAbort('a part', async () => {
        for (let from = 0; from === 0 || from < part.length; from += partBytesMax) {
          const piece = part.subarray(from, from + partBytesMax)
          const next = encodePartHeader(piece, sum)
          await put(next.bytes)
          await put(piece)
          sum = next.sum
        }
        if (unflushedBytes < flushEveryBytes) return
        unflushedBytes = 0
        await file.sync()
      }),
    commit: () =>
      orAbort('its end', async () => {
        await put(encodeFooter(sum))
        await file.sync()
        await finish()
        await disk.rename(aside, path)
        await disk.syncDirectory(folder)
        for (const old of (await listSnapshots(disk, folder)).slice(keep)) {
          await disk.unlink(join(folder, snapshotName(old)))
        }
      }),
    abort: () => guard(`cannot remove ${aside}`, abort),
  }
}

async function* readParts(disk: AsyncDisk, path: string, verify: 'first' | 'along'): AsyncGenerator<Uint8Array> {
  const file = await guard(`cannot open the snapshot ${path}`, () => disk.open(path, 'read'))
  try {
    if (verify === 'first') {
      const whole = walk(file, path)
      for (let step = await whole.next(); !step.done; ) step = await whole.next()
    }
    yield* walk(file, path)
  } finally {
    await file.close()
  }
}

/** Every part in order; throws for a file that is not whole. */
async function* walk(file: AsyncDiskFile, path: string): AsyncGenerator<Uint8Array, void> {
  const reading = readSnapshotFile()
  let answer: Uint8Array = new Uint8Array(0)
  for (;;) {
    const step = reading.next(answer)
    if (step.done) return refuseDamaged(step.value, path)
    const { value } = step
    if (value.kind === 'part') yield value.part
    else answer = await guard(`cannot read the snapshot ${path}`, () => readRange(file, value))
  }
}

function refuseDamaged(verdict: SnapshotVerdict, path: string): void {
  switch (verdict.kind) {
    case 'whole':
      return
    case 'damaged':
      throw new WalError(
        'wal/snapshot-failed',
        `the snapshot ${path} is damaged at byte ${verdict.offset}: ${verdict.what}`,
        {
          hint: 'use an older one, or have the state sent again',
        },
      )
    case 'newer-version':
      throw new WalError('wal/newer-version', `the snapshot ${path} has format version ${verdict.version}`, {
        hint: 'open it with the version of the program that wrote it, or a later one',
      })
  }
}

async function readRange(file: AsyncDiskFile, { position, lengthBytes }: ReadRequest): Promise<Uint8Array> {
  const target = new Uint8Array(lengthBytes)
  let got = 0
  while (got < lengthBytes) {
    const count = await file.read(target.subarray(got), position + got)
    if (count === 0) break
    got += count
  }
  return target.subarray(0, got)
}

async function listSnapshots(
  disk: AsyncDisk,
  folder: string,
): Promise<readonly (SnapshotPosition & { readonly sizeBytes: number })[]> {
  if ((await disk.stat(folder)) === undefined) return []
  const found: (SnapshotPosition & { readonly sizeBytes: number })[] = []
  for (const name of await disk.list(folder)) {
    const at = parseSnapshotName(name)
    const entry = at === undefined ? undefined : await disk.stat(join(folder, name))
    if (at !== undefined && entry !== undefined) found.push({ ...at, sizeBytes: entry.sizeBytes })
  }
  return found.sort((one, other) => other.index - one.index || other.term - one.term)
}

async function guard<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof WalError || errnoOf(cause) === undefined) throw cause
    throw isNoSpace(cause)
      ? new WalError('wal/no-space', `${what}: no space left`, { hint: 'free space on this file system', cause })
      : new WalError('wal/snapshot-failed', what, { hint: 'the log is unharmed: see to the disk and try again', cause })
  }
}
