/** What stands in the payloads of the log's records; docs/formats/log.md has the tables. */
import { assert } from '@cluster/prelude'
import type { HardState, LogIdentity } from './log-port.ts'

/** What every segment says of itself in its first record. */
export type SegmentInfo = {
  /** 16 hex digits, random: no two segments have the same. */
  readonly id: string
  /** Of the segment before; 16 zeros in the first. */
  readonly previousId: string
  /** 1 for the first, counting up. */
  readonly number: number
  /** The index that the next new entry had when the segment was begun. */
  readonly firstIndex: number
  /** Term of the entry before `firstIndex`, 0 for none. */
  readonly previousTerm: number
  readonly sizeBytes: number
  /** Made of a used file: behind the end may stand anything, not only zeros. */
  readonly isRecycled: boolean
  readonly identity: LogIdentity
}

export type SnapshotPosition = { readonly index: number; readonly term: number }

/** Index and term before the data of an entry. */
export const entryPrefixBytes = 16
/** Term, commit and whether there is a vote, before the vote of a hard state. */
export const hardStatePrefixBytes = 17

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export function encodeSegmentInfo(info: SegmentInfo): Uint8Array {
  const texts = [info.identity.clusterId, info.identity.memberId, info.identity.extra].map((text) =>
    encoder.encode(text),
  )
  const bytes = new Uint8Array(56 + texts.reduce((sum, text) => sum + 4 + text.length, 0))
  const view = viewOf(bytes)
  bytes.set(Buffer.from(info.id, 'hex'), 0)
  bytes.set(Buffer.from(info.previousId, 'hex'), 8)
  putNumber(view, 16, info.number)
  putNumber(view, 24, info.firstIndex)
  putNumber(view, 32, info.previousTerm)
  putNumber(view, 40, info.sizeBytes)
  view.setUint32(48, info.isRecycled ? 1 : 0, true)
  let at = 56
  for (const text of texts) {
    view.setUint32(at, text.length, true)
    bytes.set(text, at + 4)
    at += 4 + text.length
  }
  return bytes
}

/** Undefined when these bytes are no such payload. */
export function decodeSegmentInfo(bytes: Uint8Array): SegmentInfo | undefined {
  if (bytes.length < 56) return undefined
  const view = viewOf(bytes)
  const [number, firstIndex, previousTerm, sizeBytes] = [16, 24, 32, 40].map((at) => numberAt(view, at))
  const texts: string[] = []
  let at = 56
  while (at + 4 <= bytes.length && texts.length < 3) {
    const end = at + 4 + view.getUint32(at, true)
    const text = end <= bytes.length ? textOf(bytes.subarray(at + 4, end)) : undefined
    if (text === undefined) return undefined
    texts.push(text)
    at = end
  }
  const [clusterId, memberId, extra] = texts
  if (at !== bytes.length || clusterId === undefined || memberId === undefined || extra === undefined) return undefined
  if (number === undefined || firstIndex === undefined || previousTerm === undefined || sizeBytes === undefined) {
    return undefined
  }
  return {
    id: hexOf(bytes.subarray(0, 8)),
    previousId: hexOf(bytes.subarray(8, 16)),
    number,
    firstIndex,
    previousTerm,
    sizeBytes,
    isRecycled: (view.getUint32(48, true) & 1) !== 0,
    identity: { clusterId, memberId, extra },
  }
}

export function encodeHardState(state: HardState): Uint8Array {
  const vote = encoder.encode(state.votedFor ?? '')
  const bytes = new Uint8Array(hardStatePrefixBytes + vote.length)
  const view = viewOf(bytes)
  putNumber(view, 0, state.term)
  putNumber(view, 8, state.commit)
  bytes[16] = state.votedFor === undefined ? 0 : 1
  bytes.set(vote, hardStatePrefixBytes)
  return bytes
}

/** Undefined when these bytes are no such payload. */
export function decodeHardState(bytes: Uint8Array): HardState | undefined {
  if (bytes.length < hardStatePrefixBytes) return undefined
  const view = viewOf(bytes)
  const [term, commit, votedFor] = [numberAt(view, 0), numberAt(view, 8), textOf(bytes.subarray(hardStatePrefixBytes))]
  const hasVote = bytes[16] === 1
  if (term === undefined || commit === undefined || votedFor === undefined) return undefined
  if ((!hasVote && bytes.length > hardStatePrefixBytes) || (bytes[16] ?? 2) > 1) return undefined
  return { term, commit, votedFor: hasVote ? votedFor : undefined }
}

export function encodeSnapshotPosition({ index, term }: SnapshotPosition): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = viewOf(bytes)
  putNumber(view, 0, index)
  putNumber(view, 8, term)
  return bytes
}

/** Undefined when these bytes are no such payload. */
export function decodeSnapshotPosition(bytes: Uint8Array): SnapshotPosition | undefined {
  if (bytes.length !== 16) return undefined
  const view = viewOf(bytes)
  const [index, term] = [numberAt(view, 0), numberAt(view, 8)]
  return index === undefined || term === undefined ? undefined : { index, term }
}

/** The first sequence number that is not known to be durable. */
export function encodeSynced(sequence: number): Uint8Array {
  const bytes = new Uint8Array(8)
  putNumber(viewOf(bytes), 0, sequence)
  return bytes
}

/** Writes an unsigned 64-bit little-endian number. */
export function putNumber(view: DataView, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'numbers of the log are from 0 to 2^53 - 1')
  view.setUint32(at, value >>> 0, true)
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true)
}

/** Reads an unsigned 64-bit little-endian number; undefined above 2^53 - 1. */
export function numberAt(view: DataView, at: number): number | undefined {
  const value = view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true)
  return Number.isSafeInteger(value) ? value : undefined
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined // not UTF-8: the caller says that the payload is damaged
  }
}
