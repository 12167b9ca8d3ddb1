/**
 * What a daemon must remember across a crash of its process, but not across a reboot of its machine: which write of
 * its machine key was its own, and which units it has launched. Kept where a reboot clears it (`/run`).
 */
import { describeError, type Logger } from '@cluster/prelude'

/** One small text that survives the process. Not there yet: `undefined`. */
export type RecordStore = {
  readonly read: () => Promise<string | undefined>
  /** Replaces it as a whole: a crash leaves the old or the new text, never a part. */
  readonly write: (text: string) => Promise<void>
}

export type LocalRecord = {
  readonly machine: string
  /** A record of another boot is worth nothing. */
  readonly bootId: string
  /** Revision of the last write of the machine key. */
  readonly presenceRevision?: number
  /** Units that were started, with the hash they were started with. */
  readonly launched: Readonly<Record<string, string>>
}

export type LocalMemory = {
  readonly record: () => LocalRecord
  /** Keeps the change. A failure to write is logged: it costs a wait after the next crash, nothing else. */
  readonly remember: (change: Partial<Pick<LocalRecord, 'presenceRevision' | 'launched'>>) => void
  /** Resolves when everything remembered so far is written. */
  readonly settled: () => Promise<void>
}

/** A store that forgets with the process. */
export function createVolatileRecordStore(): RecordStore {
  let text: string | undefined
  return {
    read: async () => text,
    write: async (next) => {
      text = next
    },
  }
}

/** The record as it was left, or an empty one when there is none of this machine and boot. */
export async function openLocalMemory(
  store: RecordStore,
  { machine, bootId }: Pick<LocalRecord, 'machine' | 'bootId'>,
  log: Logger,
): Promise<LocalMemory> {
  const empty: LocalRecord = { machine, bootId, launched: {} }
  let record = empty
  try {
    const text = await store.read()
    const found = text === undefined ? undefined : decodeRecord(text)
    if (found?.machine === machine && found.bootId === bootId) record = found
  } catch (error) {
    log.warn('the record of the last run cannot be read', { error: describeError(error).join(': ') })
  }

  let isDirty = false
  let writing: Promise<void> | undefined
  const write = async (): Promise<void> => {
    while (isDirty) {
      isDirty = false
      try {
        await store.write(JSON.stringify(record))
      } catch (error) {
        log.warn('the record of this run cannot be written', { error: describeError(error).join(': ') })
      }
    }
    writing = undefined
  }
  return {
    record: () => record,
    remember(change) {
      record = { ...record, ...change }
      isDirty = true
      writing ??= write()
    },
    settled: async () => {
      await writing
    },
  }
}

/** `undefined` for anything that is not a record: it is as good as none. */
export function decodeRecord(text: string): LocalRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { machine, bootId, presenceRevision, launched } = { ...noFields, ...value }
  if (typeof machine !== 'string' || typeof bootId !== 'string') return undefined
  if (typeof launched !== 'object' || launched === null) return undefined
  const hashes = Object.entries(launched).flatMap(([unit, hash]) =>
    typeof hash === 'string' ? [[unit, hash] as const] : [],
  )
  return {
    machine,
    bootId,
    launched: Object.fromEntries(hashes),
    ...(typeof presenceRevision === 'number' ? { presenceRevision } : {}),
  }
}

const noFields: Readonly<Record<'machine' | 'bootId' | 'presenceRevision' | 'launched', unknown>> = {
  machine: undefined,
  bootId: undefined,
  presenceRevision: undefined,
  launched: undefined,
}
