/**
 * The log as it is written: batches into the current segment, one write call each; a flush when asked; a new segment when
 * the current one is full; used ones taken over again. Any failure that leaves unknown what is durable is the last thing
 * that a log does.
 */
import { join } from 'node:path'
import { assert } from '@cluster/prelude'
import {
  BatchBuffer,
  entryRecordBytes,
  hardStateRecordBytes,
  markRecordBytes,
  snapshotRecordBytes,
} from './batch-buffer.ts'
import type { Disk, DiskFile, DiskLock } from './disk.ts'
import { isNoSpace, WalError } from './errors.ts'
import { logDirectory, segmentName, snapshotDirectory, snapshotName } from './layout.ts'
import type { HardState, Log, LogEntry } from './log-port.ts'
import type { TermRuns } from './log-state.ts'
import { encodeSegmentInfo, hexOf, type SegmentInfo, type SnapshotPosition } from './payload.ts'
import { headerBytes, recordBytes, sectorAfter, sectorBytes } from './record.ts'
import { Spare } from './spare.ts'
import { seedOf } from './walk.ts'

/** What stays free at the end of a segment: a sector for a "synced" record and one for an "end" record. */
export const segmentMarginBytes = 2 * sectorBytes
const markAfterIdleMs = 100
const roomCheckEveryMs = 1000

export type LogDependencies = {
  readonly disk: Disk
  readonly directory: string
  readonly lock: DiskLock
  readonly segmentSizeBytes: number
  readonly randomBytes: (count: number) => Uint8Array
  readonly monotonicMs: () => number
  readonly onSync: (durationMs: number) => void
}

/** The state that a log continues from. */
export type LogPosition = {
  readonly info: SegmentInfo
  readonly file: DiskFile
  readonly offset: number
  readonly nextSequence: number
  /** Whether the last record says that the log was closed. */
  readonly isEnded: boolean
  /** Oldest first; the last is the current one. */
  readonly segments: readonly SegmentFile[]
  readonly terms: TermRuns
  readonly hardState: HardState
  readonly snapshot: SnapshotPosition | undefined
}

export type SegmentFile = { readonly path: string; readonly maxIndex: number }

/** A random segment id: 16 hex digits. */
export const newSegmentId = (randomBytes: (count: number) => Uint8Array): string => hexOf(randomBytes(8))

/** Writes what stands at the start of every segment: who it is, the hard state, the last snapshot. */
export function addSegmentStart(
  buffer: BatchBuffer,
  sequence: number,
  info: SegmentInfo,
  hardState: HardState,
  snapshot: SnapshotPosition | undefined,
): Uint8Array {
  buffer.begin(seedOf(info.id), sequence, 0)
  buffer.addSegment(info)
  buffer.addHardState(hardState)
  if (snapshot !== undefined) buffer.addSnapshot(snapshot)
  return buffer.finish(info.isRecycled ? zerosAfter(buffer.lengthBytes) : 0)
}

/** In a used file: zeros up to where the header of the next flush would end say that nothing follows. */
const zerosAfter = (end: number): number => sectorAfter(end) + headerBytes - end

/** Writes all of it or throws: a short write is a failure like any other. */
export function writeAll(file: DiskFile, bytes: Uint8Array, position: number): void {
  const count = file.write(bytes, position)
  if (count !== bytes.length) throw new Error(`short write: ${count} of ${bytes.length} bytes into ${file.path}`)
}

export class DurableLog implements Log {
  readonly #deps: LogDependencies
  readonly #folder: string
  readonly #buffer = new BatchBuffer()
  readonly #spare: Spare
  readonly #terms: TermRuns
  readonly #older: SegmentFile[]
  /** What the first record of a segment takes. */
  readonly #infoBytes: number
  #current: { readonly path: string; maxIndex: number }
  #file: DiskFile
  #info: SegmentInfo
  #seed: number
  #offset: number
  #sequence: number
  /** Records since the last flush; the place of the next one within its flush. */
  #place = 0
  #hardState: HardState
  #snapshot: SnapshotPosition | undefined
  #isDirty = false
  #isMarkDue = false
  #isEnded: boolean
  #lastSyncMs: number
  #room: { readonly checkedMs: number; readonly freeBytes: number }
  #snapshotBytes = 0
  #failure: WalError | undefined
  #isClosed = false
  #hasAppended = false

  constructor(deps: LogDependencies, position: LogPosition) {
    this.#deps = deps
    this.#folder = logDirectory(deps.directory)
    this.#spare = new Spare(deps.disk, this.#folder, deps.segmentSizeBytes)
    this.#terms = position.terms
    this.#older = position.segments.slice(0, -1)
    this.#current = { path: position.file.path, maxIndex: position.segments.at(-1)?.maxIndex ?? 0 }
    this.#file = position.file
    this.#info = position.info
    this.#infoBytes = recordBytes(encodeSegmentInfo(position.info).length)
    this.#seed = seedOf(position.info.id)
    this.#offset = position.offset
    this.#sequence = position.nextSequence
    this.#hardState = position.hardState
    this.#snapshot = position.snapshot
    this.#isEnded = position.isEnded
    this.#lastSyncMs = deps.monotonicMs()
    this.#measureSnapshot()
    this.#room = this.#measureRoom()
  }

  get lastIndex(): number {
    return this.#terms.lastIndex
  }

  /** Whether the entries that opening found can no longer be read. */
  get hasAppended(): boolean {
    return this.#hasAppended
  }

  append(batch: { readonly entries: readonly LogEntry[]; readonly hardState?: HardState }): void {
    this.#ensureUsable()
    const { entries, hardState } = batch
    if (entries.length === 0 && hardState === undefined) return
    this.#checkEntries(entries)
    const hardStateBytes = hardState === undefined ? 0 : hardStateRecordBytes(hardState)
    let totalBytes = hardStateBytes
    for (const entry of entries) totalBytes += entryRecordBytes(entry)
    this.#hasAppended = true
    const roomBytes = this.#emptySegmentBytes(hardState)
    if (totalBytes > roomBytes) {
      this.#appendInPieces(entries, hardState, roomBytes, totalBytes)
      return
    }
    if (!this.#fits(totalBytes)) {
      this.#ensureSpare()
      this.#cut()
    }
    this.#appendPiece(entries, 0, entries.length, hardState, totalBytes)
  }

  sync(): void {
    this.#ensureUsable()
    if (!this.#isDirty) return
    this.#flush()
    // While nobody has time for `tend`, the spare is filled in step with what is used up.
    const used = this.#offset / this.#info.sizeBytes
    const due = this.#older.length === 0 ? used : 2 * used - 1
    if (this.#spare.progress < due && this.#hasRoomForSpare()) this.#fillSpare()
  }

  hasRoom(): boolean {
    if (this.#deps.monotonicMs() - this.#room.checkedMs >= roomCheckEveryMs) this.#room = this.#measureRoom()
    return this.#room.freeBytes >= 2 * this.#deps.segmentSizeBytes + this.#snapshotBytes
  }

  release(snapshot: SnapshotPosition, keepAfterIndex: number): void {
    this.#ensureUsable()
    assert(keepAfterIndex <= snapshot.index, 'what is released is covered by the snapshot')
    const snapshotPath = join(snapshotDirectory(this.#deps.directory), snapshotName(snapshot))
    assert(this.#deps.disk.stat(snapshotPath) !== undefined, `the snapshot ${snapshotPath} is there before its release`)
    this.#hasAppended = true
    const leads = this.#terms.leadsTo(snapshot)
    // Its file is durable: when the entries lead to it, nothing depends on the record, and purging may make room for it.
    if (leads) this.#purge(keepAfterIndex)
    if (!this.#fits(snapshotRecordBytes)) {
      try {
        this.#ensureSpare()
      } catch (error) {
        if (leads && error instanceof WalError && error.code === 'wal/no-space') return
        throw error
      }
      this.#cut()
    }
    this.#buffer.begin(this.#seed, this.#sequence, this.#place)
    this.#buffer.addSnapshot(snapshot)
    this.#writeBatch()
    this.#flush()
    this.#snapshot = snapshot
    this.#measureSnapshot()
    if (leads) {
      this.#terms.dropBefore(snapshot.index)
    } else {
      this.#terms.reset(snapshot.index, snapshot.term)
      this.#purge(keepAfterIndex)
    }
  }

  tend(): boolean {
    this.#ensureUsable()
    const isMarkWaiting = this.#tendMark()
    // Where there is a used segment, a release will soon give it back: filling another would double the writes.
    const isDue = this.#older.length === 0 || this.#offset > this.#info.sizeBytes / 2
    if (this.#spare.isReady || !isDue || !this.#hasRoomForSpare()) return isMarkWaiting
    this.#fillSpare()
    return isMarkWaiting || !this.#spare.isReady
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      if (this.#failure !== undefined) return
      if (!this.#isEnded && this.#fits(markRecordBytes, 0)) {
        this.#buffer.begin(this.#seed, this.#sequence, this.#place)
        this.#buffer.addEnd()
        this.#writeBatch()
      }
      if (this.#isDirty) this.#flush()
      this.#spare.close()
    } finally {
      this.#file.close()
      this.#deps.lock.release()
    }
  }

  /** Writes a record of the snapshot that opening chose, when the entries do not lead to it. */
  adopt(snapshot: SnapshotPosition): void {
    this.release(snapshot, 0)
    this.#hasAppended = false
  }

  #checkEntries(entries: readonly LogEntry[]): void {
    const [first] = entries
    if (first === undefined) return
    assert(first.index <= this.lastIndex + 1 && first.index >= 1, 'entries continue the log or overwrite its tail')
    let index = first.index
    const largest = this.#emptySegmentBytes(undefined)
    for (const entry of entries) {
      assert(entry.index === index++, 'entries of a batch follow each other')
      if (entryRecordBytes(entry) > largest) throw tooLarge(entry, largest)
    }
  }

  #appendPiece(
    entries: readonly LogEntry[],
    from: number,
    to: number,
    hardState: HardState | undefined,
    bytes: number,
  ): void {
    assert(this.#fits(bytes), 'a batch fits the segment it goes to')
    this.#buffer.begin(this.#seed, this.#sequence, this.#place)
    for (let at = from; at < to; at++) {
      const entry = entries[at]
      if (entry !== undefined) this.#buffer.addEntry(entry)
    }
    if (hardState !== undefined) this.#buffer.addHardState(hardState)
    this.#writeBatch()
    for (let at = from; at < to; at++) {
      const entry = entries[at]
      if (entry !== undefined) this.#terms.put(entry.index, entry.term)
    }
    if (to > from) this.#current.maxIndex = Math.max(this.#current.maxIndex, this.#terms.lastIndex)
    if (hardState !== undefined) this.#hardState = hardState
    this.#isMarkDue = true
  }

  /** A batch larger than a segment: entries first, the hard state with the last of them. */
  #appendInPieces(
    entries: readonly LogEntry[],
    hardState: HardState | undefined,
    roomBytes: number,
    totalBytes: number,
  ): void {
    // Half a segment may stay unused at each cut, so twice the bytes are asked for.
    const wantedBytes = 2 * totalBytes + this.#deps.segmentSizeBytes
    if (this.#deps.disk.freeBytes(this.#folder) < wantedBytes) throw this.#noSpace(wantedBytes)
    let [from, bytes] = [0, 0]
    const put = (to: number, last: HardState | undefined): void => {
      if (!this.#fits(bytes)) {
        this.#ensureSpare()
        this.#cut()
      }
      this.#appendPiece(entries, from, to, last, bytes)
      from = to
      bytes = 0
    }
    for (const [at, entry] of entries.entries()) {
      const entryBytes = entryRecordBytes(entry)
      if (bytes + entryBytes > roomBytes) put(at, undefined)
      bytes += entryBytes
    }
    const hardStateBytes = hardState === undefined ? 0 : hardStateRecordBytes(hardState)
    if (bytes + hardStateBytes > roomBytes) put(entries.length, undefined)
    bytes += hardStateBytes
    if (bytes > 0) put(entries.length, hardState)
  }

  #writeBatch(): void {
    const offset = this.#nextOffset
    const end = offset + this.#buffer.lengthBytes
    const zeroBytes = this.#info.isRecycled ? Math.min(zerosAfter(end), this.#info.sizeBytes - end) : 0
    const bytes = this.#buffer.finish(zeroBytes)
    try {
      writeAll(this.#file, bytes, offset)
    } catch (cause) {
      throw this.#fail(`writing ${this.#current.path} failed`, cause)
    }
    this.#offset = end
    this.#sequence = this.#buffer.nextSequence
    this.#place = this.#buffer.nextPlace
    this.#isDirty = true
    this.#isEnded = false
  }

  #flush(): void {
    const startMs = this.#deps.monotonicMs()
    try {
      this.#file.sync()
    } catch (cause) {
      throw this.#fail(`flushing ${this.#current.path} failed`, cause)
    }
    this.#lastSyncMs = this.#deps.monotonicMs()
    this.#isDirty = false
    this.#place = 0
    this.#deps.onSync(this.#lastSyncMs - startMs)
  }

  /** True while a mark is due but the log has not been idle for long enough. */
  #tendMark(): boolean {
    if (!this.#isMarkDue || this.#isDirty) return false
    if (this.#deps.monotonicMs() - this.#lastSyncMs < markAfterIdleMs) return true
    this.#isMarkDue = false
    if (!this.#fits(markRecordBytes, sectorBytes)) return false
    this.#buffer.begin(this.#seed, this.#sequence, this.#place)
    this.#buffer.addSynced()
    this.#writeBatch()
    // Nothing is promised of it: the next flush takes it along.
    this.#isDirty = false
    return false
  }

  /** A spare segment that is ready, made now if need be, before anything of a batch is written. */
  #ensureSpare(): void {
    if (this.#spare.isReady) return
    const freeBytes = this.#deps.disk.freeBytes(this.#folder)
    if (freeBytes < this.#spare.missingBytes) throw this.#noSpace(this.#spare.missingBytes)
    while (!this.#spare.isReady) if (!this.#fillSpare()) throw this.#noSpace(this.#deps.segmentSizeBytes)
  }

  /** Fills a slice of the spare; false when the disk had no room for it. */
  #fillSpare(): boolean {
    try {
      this.#spare.fillSome()
      return true
    } catch (cause) {
      if (!isNoSpace(cause)) throw this.#fail(`preparing a segment in ${this.#folder} failed`, cause)
      this.#room = this.#measureRoom()
      return false
    }
  }

  #hasRoomForSpare(): boolean {
    this.hasRoom()
    return this.#room.freeBytes >= this.#spare.missingBytes + this.#deps.segmentSizeBytes
  }

  /** Finishes the current segment and begins the spare. */
  #cut(): void {
    // Also when there is only a mark: a finished segment has no gaps.
    if (this.#place > 0) this.#flush()
    try {
      const spare = this.#spare.take()
      const info: SegmentInfo = {
        id: newSegmentId(this.#deps.randomBytes),
        previousId: this.#info.id,
        number: this.#info.number + 1,
        firstIndex: this.#terms.lastIndex + 1,
        previousTerm: this.#terms.termOf(this.#terms.lastIndex) ?? 0,
        sizeBytes: this.#deps.segmentSizeBytes,
        isRecycled: spare.isRecycled,
        identity: this.#info.identity,
      }
      const path = join(this.#folder, segmentName(info.number, info.firstIndex))
      const bytes = addSegmentStart(this.#buffer, this.#sequence, info, this.#hardState, this.#snapshot)
      writeAll(spare.file, bytes, 0)
      spare.file.sync()
      this.#deps.disk.rename(spare.path, path)
      this.#deps.disk.syncDirectory(this.#folder)
      this.#file.close()
      this.#older.push(this.#current)
      this.#current = { path, maxIndex: 0 }
      this.#file = spare.file
      this.#info = info
    } catch (cause) {
      throw this.#fail(`beginning a new segment in ${this.#folder} failed`, cause)
    }
    this.#seed = seedOf(this.#info.id)
    this.#offset = this.#buffer.lengthBytes
    this.#sequence = this.#buffer.nextSequence
    this.#place = 0
  }

  /** Recycles or removes segments, oldest first, that hold nothing after `keepAfterIndex`. */
  #purge(keepAfterIndex: number): void {
    for (let oldest = this.#older[0]; oldest !== undefined; oldest = this.#older[0]) {
      if (oldest.maxIndex > keepAfterIndex) return
      try {
        if (!this.#spare.recycle(oldest.path)) {
          this.#deps.disk.unlink(oldest.path)
          // One after the other: a younger one must not be gone while an older one is still there.
          this.#deps.disk.syncDirectory(this.#folder)
        }
      } catch (cause) {
        throw this.#fail(`removing the segment ${oldest.path} failed`, cause)
      }
      this.#older.shift()
    }
  }

  /** Where the next batch goes: behind the last one, or, as the first of a flush, into a sector of its own. */
  get #nextOffset(): number {
    return this.#place === 0 ? sectorAfter(this.#offset) : this.#offset
  }

  #fits(bytes: number, marginBytes = segmentMarginBytes): boolean {
    return sectorAfter(this.#nextOffset + bytes) + marginBytes <= this.#info.sizeBytes
  }

  /** What an empty segment can take. */
  #emptySegmentBytes(hardState: HardState | undefined): number {
    const startBytes =
      this.#infoBytes +
      Math.max(hardStateRecordBytes(this.#hardState), hardStateRecordBytes(hardState ?? this.#hardState)) +
      snapshotRecordBytes
    return this.#deps.segmentSizeBytes - sectorAfter(startBytes) - segmentMarginBytes - sectorBytes
  }

  #measureRoom(): { readonly checkedMs: number; readonly freeBytes: number } {
    return { checkedMs: this.#deps.monotonicMs(), freeBytes: this.#deps.disk.freeBytes(this.#folder) }
  }

  #measureSnapshot(): void {
    if (this.#snapshot === undefined) return
    const path = join(snapshotDirectory(this.#deps.directory), snapshotName(this.#snapshot))
    this.#snapshotBytes = this.#deps.disk.stat(path)?.sizeBytes ?? 0
  }

  #ensureUsable(): void {
    assert(!this.#isClosed, 'a closed log is not used')
    if (this.#failure !== undefined) throw this.#failure
  }

  #noSpace(neededBytes: number): WalError {
    this.#room = this.#measureRoom()
    const what = `${this.#folder} has ${this.#room.freeBytes} bytes left and ${neededBytes} are needed`
    return new WalError('wal/no-space', what, { hint: 'free space on this file system: writing goes on then' })
  }

  #fail(what: string, cause: unknown): WalError {
    this.#failure = new WalError('wal/broken', what, {
      hint: 'see to the disk, then start again: what was acknowledged is read back, or the start refuses',
      cause,
    })
    return this.#failure
  }
}

function tooLarge(entry: LogEntry, largestBytes: number): WalError {
  const what = `entry ${entry.index} has ${entry.data.length} bytes; a segment has room for ${largestBytes}`
  return new WalError('wal/too-large', what, { hint: 'limit the size of what is proposed, or use larger segments' })
}
