/** A store as bytes, written from a view, a part at a time: docs/formats/keyspace.md. */
import { pureLatin1 } from '../latin1.ts'
import { field, nameLengthMask, type Slot } from './slot-table.ts'
import { eventFlag, formatVersion, nodeFlag, partHeaderBytes, tag } from './snapshot-format.ts'
import { counterNames } from './stats.ts'
import type { StoreState } from './store-state.ts'
import { rootSlot, type Tree } from './tree.ts'
import { varintBytesMax, writeVarint } from './varint.ts'
import type { HistoryEvent } from './watch-history.ts'

/** No record needs more in front of its bytes: tag, flags, deadline, seven numbers. The header is the first of its part. */
const recordHeadBytesMax = 10 + 7 * varintBytesMax

/** Fills parts with records; a record whose bytes do not fit goes on in the next part. */
class PartWriter {
  readonly bytes: Uint8Array
  at = partHeaderBytes
  readonly #view: DataView
  #number = 0

  constructor(partBytesMax: number) {
    this.bytes = new Uint8Array(partBytesMax)
    this.#view = new DataView(this.bytes.buffer)
  }

  varint(value: number): void {
    this.at = writeVarint(this.bytes, value, this.at)
  }

  byte(value: number): void {
    this.bytes[this.at++] = value
  }

  float(value: number): void {
    this.#view.setFloat64(this.at, value, true)
    this.at += 8
  }

  get room(): number {
    return this.bytes.length - this.at
  }

  /** The part as it is; the next one begins, in the same memory. */
  take(): Uint8Array {
    this.bytes[0] = formatVersion
    this.#view.setUint32(1, this.#number++, true)
    const part = this.bytes.subarray(0, this.at)
    this.at = partHeaderBytes
    return part
  }
}

/** Copies bytes `from` to `to` of what a record carries to a place. */
type Payload = (from: number, to: number, target: Uint8Array, at: number) => void

/** The parts of a snapshot: the tree as an epoch shows it, and all else as it is at this moment. */
export function encodeSnapshot(state: StoreState, epoch: number): Generator<Uint8Array, void, void> {
  // Taken now: a generator runs only when it is asked for its first part.
  const header = [state.index, state.tree.nodeCount, ...counterNames.map((name) => state.counters[name])]
  return encodeParts(state.tree, epoch, header, state.history.toArray(), new PartWriter(state.partBytesMax))
}

function* encodeParts(
  tree: Tree,
  epoch: number,
  header: readonly number[],
  events: readonly HistoryEvent[],
  writer: PartWriter,
): Generator<Uint8Array, void, void> {
  writer.byte(tag.header)
  for (const value of header) writer.varint(value)

  let depth = 0
  let slot = tree.firstChild(rootSlot, epoch)
  while (slot !== 0) {
    if (writer.room < recordHeadBytesMax) yield writer.take()
    yield* writeNode(writer, tree, slot, tree.versionAt(slot, epoch), depth)
    const child = tree.isDirectory(slot) ? tree.firstChild(slot, epoch) : 0
    if (child !== 0) {
      depth++
      slot = child
      continue
    }
    let next = tree.nextSibling(slot, epoch)
    while (next === 0 && depth > 0) {
      slot = tree.slots.get(slot, field.parent)
      depth--
      next = tree.nextSibling(slot, epoch)
    }
    slot = next
  }

  for (const event of events) {
    if (writer.room < recordHeadBytesMax) yield writer.take()
    writer.byte(tag.event)
    writer.byte(
      (event.isRefresh ? eventFlag.isRefresh : 0) | (event.isDirectoryRemoval ? eventFlag.isDirectoryRemoval : 0),
    )
    writer.varint(event.index)
    writer.varint(event.path.length)
    writer.varint(event.body.length)
    const text = event.path + event.body
    yield* writePayload(writer, text.length, (from, to, target, at) =>
      pureLatin1.latin1Write(target, text.slice(from, to), at),
    )
  }

  if (writer.room < recordHeadBytesMax) yield writer.take()
  writer.byte(tag.end)
  yield writer.take()
}

function* writeNode(
  writer: PartWriter,
  tree: Tree,
  slot: Slot,
  version: Slot,
  depth: number,
): Generator<Uint8Array, void, void> {
  const { slots, slabs } = tree
  const isDirectory = tree.isDirectory(slot)
  const deadlineMs = tree.deadlineOf(version)
  const nameRef = slots.get(slot, field.nameRef)
  const nameLength = slots.get(slot, field.nameLengthAndFlags) & nameLengthMask
  const valueRef = isDirectory ? 0 : slots.get(version, field.valueRef)
  const valueLength = isDirectory ? 0 : slots.get(version, field.valueLength)
  writer.byte(tag.node)
  writer.byte((isDirectory ? nodeFlag.isDirectory : 0) | (deadlineMs === undefined ? 0 : nodeFlag.hasDeadline))
  if (deadlineMs !== undefined) writer.float(deadlineMs)
  writer.varint(depth)
  writer.varint(tree.createdOf(version))
  writer.varint(tree.modifiedOf(version))
  writer.varint(nameLength)
  writer.varint(valueLength)
  const length = nameLength + valueLength
  if (length + varintBytesMax <= writer.room) {
    writer.varint(length)
    slabs.copy(nameRef, nameLength, 0, nameLength, writer.bytes, writer.at)
    slabs.copy(valueRef, valueLength, 0, valueLength, writer.bytes, writer.at + nameLength)
    writer.at += length
    return
  }
  yield* writePayload(writer, length, (from, to, target, at) => {
    if (from < nameLength) slabs.copy(nameRef, nameLength, from, Math.min(to, nameLength), target, at)
    if (to > nameLength) {
      const start = Math.max(from, nameLength)
      slabs.copy(valueRef, valueLength, start - nameLength, to - nameLength, target, at + start - from)
    }
  })
}

/** What fits now, with its length in front; the rest as records of their own in the parts that follow. */
function* writePayload(writer: PartWriter, length: number, payload: Payload): Generator<Uint8Array, void, void> {
  let done = 0
  for (;;) {
    const piece = Math.min(length - done, writer.room - varintBytesMax)
    writer.varint(piece)
    payload(done, done + piece, writer.bytes, writer.at)
    writer.at += piece
    done += piece
    if (done === length) return
    yield writer.take()
    writer.byte(tag.more)
  }
}
