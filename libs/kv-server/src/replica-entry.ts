/**
 * What stands in the data of a log entry: who proposed it, as which of its proposals, when, and the command. Format:
 * docs/formats/entry.md.
 */
import { KvServerError } from './errors.ts'

/** Kinds of entries, as the log keeps them with each. */
export const entryKind = {
  /** A command on the v2 tree, behind an entry head. */
  command: 1,
  /** Begins a leader's term. No data. */
  empty: 2,
} as const

/** Origin (4 bytes), number (4), time (8, float), then the command. All little endian. */
export const entryDataHeadBytes = 16

/** Writes the head of an entry's data. `origin` and `number` are unsigned 32-bit numbers. */
export function writeEntryDataHead(
  view: DataView,
  offset: number,
  origin: number,
  number: number,
  timeMs: number,
): void {
  view.setUint32(offset, origin, true)
  view.setUint32(offset + 4, number, true)
  view.setFloat64(offset + 8, timeMs, true)
}

/** When an entry was proposed, by the store's time. */
export const timeOfEntry = (view: DataView, offset: number): number => view.getFloat64(offset + 8, true)

/** What the snapshot of a store begins with: the part before those of the tree. */
export type SnapshotHead = {
  readonly formatVersion: 1
  /** The last entry in it. */
  readonly index: number
  readonly term: number
  /** The store's time when it was taken, in ms since 1970: time goes on from here. */
  readonly timeMs: number
}

const utf8 = { encode: new TextEncoder(), decode: new TextDecoder() }

/** The head as the first part of a snapshot. */
export const encodeSnapshotHead = (head: SnapshotHead): Uint8Array => utf8.encode.encode(JSON.stringify(head))

/**
 * The head from the first part of a snapshot.
 *
 * @throws KvServerError `kv-server/unknown-snapshot`: a newer version, or no snapshot of a store at all
 */
export function decodeSnapshotHead(part: Uint8Array): SnapshotHead {
  let parsed: Partial<SnapshotHead>
  try {
    parsed = JSON.parse(utf8.decode.decode(part))
  } catch (cause) {
    throw unknownSnapshot('it does not begin with a head', cause)
  }
  const { formatVersion, index, term, timeMs } = parsed
  if (formatVersion !== 1) throw unknownSnapshot(`its format version is ${String(formatVersion)}, this program knows 1`)
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(term) || !Number.isFinite(timeMs)) {
    throw unknownSnapshot(`its head is ${JSON.stringify(parsed)}`)
  }
  return { formatVersion, index: index ?? 0, term: term ?? 0, timeMs: timeMs ?? 0 }
}

const unknownSnapshot = (why: string, cause?: unknown): KvServerError =>
  new KvServerError('kv-server/unknown-snapshot', `the snapshot cannot be read: ${why}`, {
    hint: 'start the program that wrote the data directory, or a newer one',
    cause,
  })
