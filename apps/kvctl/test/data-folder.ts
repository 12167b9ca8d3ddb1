/** A data directory as a store leaves it: written by the log itself, with entries that the store understands. */
import { byteStringOf } from '@cluster/kv-store'
import { type Command, createStore, encodeCommand, encodedSizeMax } from '@cluster/kv-store/v2'
import { type LogEntry, openLog, openSnapshots } from '@cluster/wal'

/** Small, so that several of them are written. */
export const segmentSizeBytes = 4096

export const put = (key: string, value: string): Command => ({
  kind: 'set',
  path: byteStringOf(key.startsWith('/2/') ? key : `/1${key}`),
  value,
  isDirectory: false,
  deadlineMs: undefined,
  isRefresh: false,
})

/** An entry: 16 bytes of head, then the command (docs/formats/entry.md). */
export function entryOf(index: number, command: Command): LogEntry {
  const bytes = new Uint8Array(16 + encodedSizeMax(command))
  new DataView(bytes.buffer).setFloat64(8, Date.UTC(2026, 0, 1) + index, true)
  return { index, term: 1, kind: 1, data: bytes.subarray(0, encodeCommand(command, bytes, 16)) }
}

/** The commands of a directory: the first is entry 1. */
export type FolderOptions = {
  readonly commands: readonly Command[]
  /** A snapshot after so many of them. */
  readonly snapshotAfter?: number
  /** What is recorded as committed; default all. */
  readonly commit?: number
}

/** Writes a directory and closes it. */
export async function writeFolder(directory: string, options: FolderOptions): Promise<void> {
  const open = await openFolder(directory, options)
  open.close()
}

/** Writes a directory and leaves it open, as a store that runs. */
export async function openFolder(
  directory: string,
  { commands, snapshotAfter = 0, commit = commands.length }: FolderOptions,
): Promise<{ readonly append: (command: Command) => void; readonly close: () => void }> {
  const identity = { clusterId: 'c1', memberId: 'a1', extra: 'of the member' }
  const { log } = openLog({ directory, identity, segmentSizeBytes })
  const store = createStore()
  for (const [at, command] of commands.entries()) {
    const entry = entryOf(at + 1, command)
    store.apply(command, { index: entry.index, timeMs: 0 })
    log.append({ entries: [entry], hardState: { term: 1, votedFor: 'a1', commit: Math.min(commit, at + 1) } })
    log.sync()
    if (at + 1 !== snapshotAfter) continue
    const position = { index: snapshotAfter, term: 1 }
    const writer = await openSnapshots({ directory }).create(position)
    await writer.write(Buffer.from(JSON.stringify({ formatVersion: 1, ...position, timeMs: 0 })))
    const parts = store.snapshot()
    for (let part = parts.next(); part !== undefined; part = parts.next()) await writer.write(part)
    await writer.commit()
    log.release(position, snapshotAfter)
  }
  return {
    append: (command) => {
      log.append({ entries: [entryOf(log.lastIndex + 1, command)] })
      log.sync()
    },
    close: () => log.close(),
  }
}
