/**
 * A data directory of a store as a reader finds it who does not open it: log, snapshots, and what they mean. Formats:
 * docs/formats. The directory may be in use.
 */
import { entryDataHeadBytes, entryKind, timeOfEntry } from '@cluster/kv-server/entry'
import { type Command, createRestore, createStore, decodeCommand, type Store } from '@cluster/kv-store/v2'
import { isClusterError } from '@cluster/prelude'
import {
  createNodeDisk,
  type Finding,
  type InspectedSnapshot,
  inspectLog,
  type LogEntry,
  type LogInspection,
  openSnapshots,
} from '@cluster/wal'
import { failed } from './failure.ts'
import { fileFailure } from './go-text.ts'

/** What stands in an entry of the log. */
export type EntryMeaning =
  | { readonly kind: 'command'; readonly timeMs: number; readonly command: Command }
  /** The beginning of a leader's term. */
  | { readonly kind: 'empty' }
  /** A kind that this program does not know, or bytes that are no command. */
  | { readonly kind: 'unknown'; readonly what: string }

/** Log and snapshots as they stand. @throws KvctlError for what is no data directory or cannot be read */
export function inspectDirectory(directory: string): LogInspection {
  try {
    return inspectLog(createNodeDisk(), directory)
  } catch (error) {
    if (isClusterError(error)) throw failed(error.message, error.hint)
    throw failed(fileFailure('read', directory, error))
  }
}

/** What an entry says. */
export function readEntry({ kind, data }: LogEntry): EntryMeaning {
  if (kind === entryKind.empty) return { kind: 'empty' }
  if (kind !== entryKind.command) return { kind: 'unknown', what: `kind ${kind}, which this version does not know` }
  if (data.length < entryDataHeadBytes) return { kind: 'unknown', what: `${data.length} bytes, too few for a command` }
  const timeMs = timeOfEntry(new DataView(data.buffer, data.byteOffset), 0)
  try {
    return { kind: 'command', timeMs, command: decodeCommand(data.subarray(entryDataHeadBytes)) }
  } catch (error) {
    return { kind: 'unknown', what: messageOf(error) }
  }
}

/** The store that a snapshot holds. @throws ClusterError of the log or of the store, saying what is wrong with it */
export async function restoreSnapshot(directory: string, at: InspectedSnapshot): Promise<Store> {
  const restore = createRestore()
  let isHead = true
  for await (const part of openSnapshots({ directory }).read(at)) {
    // The first part is the head: where it stands and when it was taken.
    if (isHead) isHead = false
    else restore.add(part)
  }
  return restore.finish()
}

export type Checked = {
  readonly findings: readonly Finding[]
  /** After the last entry; absent when log and snapshot do not lead there. */
  readonly store?: { readonly index: number; readonly nodeCount: number }
}

/** Reads everything there is: every entry is understood, the newest snapshot restored, the rest of the log replayed on it. */
export async function checkDirectory(directory: string, inspection: LogInspection): Promise<Checked> {
  const findings: Finding[] = [...inspection.findings]
  const found = (path: string, what: string): void => void findings.push({ severity: 'error', path, offset: 0, what })
  const snapshot = inspection.snapshots.find(({ isWhole }) => isWhole)
  let store: Store | undefined
  try {
    store = snapshot === undefined ? createStore() : await restoreSnapshot(directory, snapshot)
  } catch (error) {
    found(snapshot?.path ?? directory, messageOf(error))
  }
  let expected = inspection.firstIndex
  for (const entry of inspection.entries) {
    if (entry.index !== expected) found(directory, `entry ${entry.index} stands where ${expected} belongs`)
    expected = entry.index + 1
    const meaning = readEntry(entry)
    if (meaning.kind === 'unknown') found(directory, `entry ${entry.index} of term ${entry.term}: ${meaning.what}`)
    if (meaning.kind === 'command' && entry.index > (snapshot?.index ?? 0)) {
      store?.apply(meaning.command, { index: entry.index, timeMs: meaning.timeMs })
    }
  }
  if (store === undefined || findings.some(({ severity }) => severity === 'error')) return { findings }
  return { findings, store: { index: store.index, nodeCount: store.nodeCount } }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
