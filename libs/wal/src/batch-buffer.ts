/** One batch of records, encoded into a buffer that is used again and again: appending allocates nothing per record. */
import type { HardState, LogEntry } from './log-port.ts'
import {
  encodeHardState,
  encodeSegmentInfo,
  encodeSnapshotPosition,
  encodeSynced,
  entryPrefixBytes,
  hardStatePrefixBytes,
  putNumber,
  type SegmentInfo,
  type SnapshotPosition,
  viewOf,
} from './payload.ts'
import { headerBytes, markBatchEnd, recordBytes, recordType, writeHeader } from './record.ts'

/** Bytes that an entry takes in the file. */
export const entryRecordBytes = (entry: LogEntry): number => recordBytes(entryPrefixBytes + entry.data.length)
/** Bytes that a hard state takes in the file. */
export const hardStateRecordBytes = ({ votedFor = '' }: HardState): number =>
  recordBytes(hardStatePrefixBytes + Buffer.byteLength(votedFor))
/** Bytes that a snapshot record takes in the file. */
export const snapshotRecordBytes = recordBytes(16)
/** Bytes of a "synced" or "end" record. */
export const markRecordBytes = recordBytes(8)

export class BatchBuffer {
  #bytes = new Uint8Array(256 * 1024)
  #view = viewOf(this.#bytes)
  #seed = 0
  #sequence = 0
  #place = 0
  #length = 0
  #lastAt = 0
  #lastSeed = 0

  /**
   * Begins a batch.
   *
   * @param seed the segment's
   * @param sequence of the first record
   * @param place of the first record within its flush
   */
  begin(seed: number, sequence: number, place: number): void {
    this.#seed = seed
    this.#sequence = sequence
    this.#place = place
    this.#length = 0
  }

  addEntry(entry: LogEntry): void {
    const payloadBytes = entryPrefixBytes + entry.data.length
    const from = this.#reserve(payloadBytes)
    putNumber(this.#view, from, entry.index)
    putNumber(this.#view, from + 8, entry.term)
    this.#bytes.set(entry.data, from + entryPrefixBytes)
    this.#seal(recordType.entry, entry.kind, payloadBytes, this.#seed)
  }

  addHardState(state: HardState): void {
    this.#add(recordType.hardState, encodeHardState(state), this.#seed)
  }

  addSnapshot(snapshot: SnapshotPosition): void {
    this.#add(recordType.snapshot, encodeSnapshotPosition(snapshot), this.#seed)
  }

  /** The first record of a segment: its seed is 0, because who reads it does not know the id yet. */
  addSegment(info: SegmentInfo): void {
    this.#add(recordType.segment, encodeSegmentInfo(info), 0)
  }

  /** Says that everything before this record is durable. */
  addSynced(): void {
    this.#add(recordType.synced, encodeSynced(this.#sequence), this.#seed)
  }

  /** Says that the log was closed in order. */
  addEnd(): void {
    this.#add(recordType.end, encodeSynced(this.#sequence), this.#seed)
  }

  /** How many records the batch has so far, and their bytes. */
  get lengthBytes(): number {
    return this.#length
  }

  get nextSequence(): number {
    return this.#sequence
  }

  get nextPlace(): number {
    return this.#place
  }

  /**
   * Ends the batch. The bytes are valid until the next `begin`.
   *
   * @param zeroBytes how many zeros to put behind it
   */
  finish(zeroBytes: number): Uint8Array {
    markBatchEnd(this.#bytes, this.#view, this.#lastAt, this.#lastSeed)
    this.#grow(this.#length + zeroBytes)
    this.#bytes.fill(0, this.#length, this.#length + zeroBytes)
    return this.#bytes.subarray(0, this.#length + zeroBytes)
  }

  #add(type: number, payload: Uint8Array, seed: number): void {
    this.#bytes.set(payload, this.#reserve(payload.length))
    this.#seal(type, 0, payload.length, seed)
  }

  /** Room for a record; returns where its payload goes. */
  #reserve(payloadBytes: number): number {
    this.#grow(this.#length + recordBytes(payloadBytes))
    return this.#length + headerBytes
  }

  #seal(type: number, kind: number, payloadBytes: number, seed: number): void {
    writeHeader(this.#bytes, this.#view, this.#length, type, kind, payloadBytes, seed, this.#sequence, this.#place)
    this.#lastAt = this.#length
    this.#lastSeed = seed
    this.#length += recordBytes(payloadBytes)
    this.#sequence++
    this.#place++
  }

  #grow(lengthBytes: number): void {
    if (lengthBytes <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(lengthBytes, 2 * this.#bytes.length))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
    this.#view = viewOf(larger)
  }
}
