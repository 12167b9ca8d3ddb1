/**
 * The log of a unit that has no journald: one JSON line per entry in `journal/UNIT/current`, and the same before the last
 * rotation in `journal/UNIT/previous`. One writer, the supervisor; any number of readers.
 */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, watch, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { SystemdError } from '../errors.ts'
import type { JournalEntry } from '../journal.ts'
import { requireManageable } from '../manageable-name.ts'

/** Size at which `current` becomes `previous`: a unit keeps at least this much of its log and at most twice as much. */
export const journalBytesMax = 1024 * 1024

/** Longest message of one entry, as journald's LineMax=; longer lines become several. */
export const lineBytesMax = 48 * 1024

/** Where the log of a unit is. */
export const journalDirectory = (directory: string, unit: string): string => join(directory, 'journal', unit)

export type JournalWriter = { readonly write: (entry: JournalEntry) => void; readonly close: () => void }

/** Opens the log of a unit for its one writer. */
export function openJournalWriter(directory: string, unit: string, sizeBytesMax = journalBytesMax): JournalWriter {
  const folder = journalDirectory(directory, unit)
  const current = join(folder, 'current')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let descriptor = openSync(current, 'a', 0o600)
  let size = fstatSync(descriptor).size
  return {
    write: (entry) => {
      const line = Buffer.from(`${JSON.stringify(entry)}\n`)
      if (size > 0 && size + line.length > sizeBytesMax) {
        closeSync(descriptor)
        renameSync(current, join(folder, 'previous'))
        descriptor = openSync(current, 'a', 0o600)
        size = 0
      }
      writeSync(descriptor, line)
      size += line.length
    },
    close: () => closeSync(descriptor),
  }
}

export type ProcessJournalQuery = {
  /** The manager's directory. */
  readonly directory: string
  readonly unit: string
  /** The last so many entries; all when absent. */
  readonly lines?: number
  /** Goes on with new entries until the signal fires. Default false. */
  readonly follow?: boolean
  readonly signal?: AbortSignal
  /** Nothing older, in milliseconds since 1970. */
  readonly sinceMs?: number
}

/**
 * The entries of a unit of a process manager, oldest first; none for a unit that never said anything. Also works while
 * no supervisor runs.
 *
 * @throws SystemdError `systemd/journal` when the log cannot be read, `systemd/invalid-name`
 */
export async function* readProcessJournal({
  directory,
  unit,
  lines,
  follow = false,
  signal,
  sinceMs,
}: ProcessJournalQuery): AsyncGenerator<JournalEntry> {
  requireManageable(unit)
  const folder = journalDirectory(directory, unit)
  const isNew = ({ timeMs }: JournalEntry): boolean => sinceMs === undefined || timeMs >= sinceMs
  const bell = follow ? watchFolder(folder, signal) : undefined
  try {
    const reader = createReader(folder)
    const past = (await reader.readNew()).filter(isNew)
    for (const entry of lines === undefined ? past : lines === 0 ? [] : past.slice(-lines)) {
      if (signal?.aborted === true) return
      yield entry
    }
    if (bell === undefined) return
    for (;;) {
      for (const entry of (await reader.readNew()).filter(isNew)) {
        if (signal?.aborted === true) return
        yield entry
      }
      if (signal?.aborted === true) return
      await bell.next()
    }
  } catch (cause) {
    throw new SystemdError('systemd/journal', `log of ${unit} in ${folder} cannot be read`, {
      hint: 'it belongs to the user that the agent runs as',
      cause,
    })
  } finally {
    bell?.close()
  }
}

/** Rings after something happened in the folder since the last `next`, or when the signal fires. */
function watchFolder(folder: string, signal: AbortSignal | undefined) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let rung = false
  let wake = (): void => undefined
  const ring = (): void => {
    rung = true
    wake()
  }
  const watcher = watch(folder, ring)
  watcher.on('error', ring)
  signal?.addEventListener('abort', ring, { once: true })
  return {
    next: async (): Promise<void> => {
      if (!rung) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      rung = false
    },
    close: (): void => {
      signal?.removeEventListener('abort', ring)
      watcher.close()
    },
  }
}

/** Reads on where it stopped, through rotations: the file it was in may have become `previous` meanwhile. */
function createReader(folder: string) {
  const current = join(folder, 'current')
  const previous = join(folder, 'previous')
  let at: { readonly inode: bigint; readonly offset: number } | undefined

  /** Complete lines of a file from where `offsetIn` says for it; undefined when there is no such file. */
  async function readFrom(path: string, offsetIn: (inode: bigint) => number): Promise<Reading | undefined> {
    const handle = await openIfThere(path)
    if (handle === undefined) return undefined
    try {
      const { size, ino } = await handle.stat({ bigint: true })
      const offset = offsetIn(ino)
      const bytes = Buffer.alloc(Math.max(0, Number(size) - offset))
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset)
      // a line that is being written is read the next time
      const complete = bytes.subarray(0, bytesRead === 0 ? 0 : bytes.lastIndexOf(10, bytesRead - 1) + 1)
      const lines = complete.toString().split('\n')
      return { inode: ino, entries: lines.flatMap((line) => parseEntry(line) ?? []), end: offset + complete.length }
    } finally {
      await handle.close()
    }
  }

  return {
    readNew: async (): Promise<readonly JournalEntry[]> => {
      const last = at
      const offsetIn = (inode: bigint): number => (last?.inode === inode ? last.offset : 0)
      const now = await readFrom(current, offsetIn)
      if (now === undefined) return []
      at = { inode: now.inode, offset: now.end }
      if (last?.inode === now.inode) return now.entries
      const before = await readFrom(previous, offsetIn)
      return [...(before?.entries ?? []), ...now.entries]
    },
  }
}

type Reading = { readonly inode: bigint; readonly entries: readonly JournalEntry[]; readonly end: number }

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function parseEntry(line: string): JournalEntry | undefined {
  if (line === '') return undefined
  try {
    const value: unknown = JSON.parse(line)
    return isEntry(value) ? value : undefined
  } catch {
    // a disk that was full, or a writer that was killed, leaves half a line
    return undefined
  }
}

const isEntry = (value: unknown): value is JournalEntry =>
  typeof value === 'object' &&
  value !== null &&
  'timeMs' in value &&
  typeof value.timeMs === 'number' &&
  'message' in value &&
  typeof value.message === 'string' &&
  'unit' in value &&
  typeof value.unit === 'string'
