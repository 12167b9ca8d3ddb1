/** A store from the parts of its snapshot, taken one at a time: docs/formats/keyspace.md. */
import { assert } from '@cluster/prelude'
import type { ByteString } from '../byte-string.ts'
import { KvStoreError } from '../errors.ts'
import { type Latin1Codec, pureLatin1 } from '../latin1.ts'
import type { Slot } from './slot-table.ts'
import { eventFlag, formatVersion, nodeFlag, partHeaderBytes, tag } from './snapshot-format.ts'
import { counterNames } from './stats.ts'
import { createState, type StoreOptions, TreeStore } from './store.ts'
import type { Store } from './store-port.ts'
import type { StoreState } from './store-state.ts'
import { rootSlot } from './tree.ts'
import { ByteReader } from './varint.ts'

/** A store that is being made from the parts of a snapshot. */
export interface Restore {
  /**
   * Takes the next part.
   *
   * @throws KvStoreError `kv-store/unknown-version`, `kv-store/invalid-snapshot`
   */
  add(part: Uint8Array): void
  /**
   * The store, once all parts are there.
   *
   * @throws KvStoreError `kv-store/invalid-snapshot`
   */
  finish(): Store
}

/** Begins to make a store from the parts of a snapshot, which are to be added in their order. */
export const createRestore = (options: StoreOptions = {}): Restore => new PartReader(options)

/** A record whose bytes have not all come yet. */
type Unfinished = { readonly length: number; text: ByteString; readonly complete: (text: ByteString) => void }

class PartReader implements Restore {
  readonly #codec: Latin1Codec
  readonly #state: StoreState
  /** Directories from the root down to where the last node was put. */
  readonly #directories: Slot[] = [rootSlot]
  #partCount = 0
  #nodeCount = 0
  #hasHeader = false
  #isComplete = false
  #lastEventIndex = 0
  #unfinished: Unfinished | undefined

  constructor(options: StoreOptions) {
    this.#codec = options.codec ?? pureLatin1
    this.#state = createState(options)
  }

  add(part: Uint8Array): void {
    const version = part[0]
    if (version !== undefined && version > formatVersion) {
      throw new KvStoreError(
        'kv-store/unknown-version',
        `the snapshot has format ${version}, known is ${formatVersion}`,
        {
          hint: 'it was written by a newer version of the program: start that one',
        },
      )
    }
    if (version !== formatVersion || part.length < partHeaderBytes) throw this.#invalid('this is no part of a snapshot')
    const number = new DataView(part.buffer, part.byteOffset, part.byteLength).getUint32(1, true)
    if (number !== this.#partCount) throw this.#invalid(`part ${number} stands where ${this.#partCount} belongs`)
    if (this.#isComplete) throw this.#invalid('there is a part after the last one')
    const reader = new ByteReader(part, partHeaderBytes)
    while (reader.left > 0) {
      this.#readRecord(reader)
      if (reader.isBroken) throw this.#invalid('a record ends too early')
    }
    this.#partCount++
  }

  finish(): Store {
    if (!this.#isComplete) throw this.#invalid('its end is missing')
    if (this.#nodeCount !== this.#state.tree.nodeCount) {
      throw this.#invalid(`it has ${this.#state.tree.nodeCount} nodes, its header says ${this.#nodeCount}`)
    }
    return new TreeStore(this.#state)
  }

  #readRecord(reader: ByteReader): void {
    const kind = reader.byte()
    if (this.#isComplete) throw this.#invalid('there is something after its end')
    if ((kind === tag.header) === this.#hasHeader) throw this.#invalid('its header is missing or comes twice')
    if ((kind === tag.more) !== (this.#unfinished !== undefined)) throw this.#invalid('a record is not continued')
    switch (kind) {
      case tag.header:
        this.#readHeader(reader)
        return
      case tag.node:
        this.#readNode(reader)
        return
      case tag.event:
        this.#readEvent(reader)
        return
      case tag.more:
        this.#readMore(reader)
        return
      case tag.end:
        this.#isComplete = true
        return
      default:
        throw this.#invalid(`record ${kind} is unknown`)
    }
  }

  #readHeader(reader: ByteReader): void {
    this.#hasHeader = true
    this.#state.index = reader.varint()
    this.#nodeCount = reader.varint()
    this.#state.tree.expect(this.#nodeCount)
    for (const name of counterNames) this.#state.counters[name] = reader.varint()
  }

  #readNode(reader: ByteReader): void {
    const flags = reader.byte()
    const deadlineMs = (flags & nodeFlag.hasDeadline) === 0 ? undefined : reader.float()
    const depth = reader.varint()
    const created = reader.varint()
    const modified = reader.varint()
    const nameLength = reader.varint()
    const valueLength = reader.varint()
    const isDirectory = (flags & nodeFlag.isDirectory) !== 0
    this.#readPayload(reader, nameLength + valueLength, (text) => {
      this.#addNode(text, nameLength, { isDirectory, depth, created, modified, deadlineMs })
    })
  }

  #addNode(
    text: ByteString,
    nameLength: number,
    node: {
      readonly isDirectory: boolean
      readonly depth: number
      readonly created: number
      readonly modified: number
      readonly deadlineMs: number | undefined
    },
  ): void {
    const { tree, index } = this.#state
    const parent = this.#directories[node.depth]
    const name = text.slice(0, nameLength)
    if (parent === undefined) throw this.#invalid('a node stands below nothing')
    if (name === '' || name.includes('/')) throw this.#invalid('a node has a name that none can have')
    if (node.created > index || node.modified > index) throw this.#invalid('a node is newer than the store')
    let slot = tree.childOf(parent, name)
    // The store is born with two directories, which no command has made.
    const isBuiltIn = slot !== 0 && node.created === 0 && tree.createdOf(slot) === 0 && node.isDirectory
    if (slot !== 0 && !isBuiltIn) throw this.#invalid('two nodes have one name')
    if (slot === 0) slot = tree.add(parent, name, 0, nameLength, node.isDirectory, node.created)
    this.#directories.length = node.depth + 1
    if (node.isDirectory) this.#directories.push(slot)
    else tree.write(slot, text.slice(nameLength), node.created, node.modified)
    if (node.deadlineMs !== undefined) tree.setDeadline(slot, node.deadlineMs)
  }

  #readEvent(reader: ByteReader): void {
    const flags = reader.byte()
    const index = reader.varint()
    const pathLength = reader.varint()
    const bodyLength = reader.varint()
    if (this.#lastEventIndex !== 0 && index !== this.#lastEventIndex + 1) throw this.#invalid('an event is missing')
    this.#lastEventIndex = index
    this.#readPayload(reader, pathLength + bodyLength, (text) => {
      this.#state.history.add({
        index,
        path: text.slice(0, pathLength),
        body: text.slice(pathLength),
        isRefresh: (flags & eventFlag.isRefresh) !== 0,
        isDirectoryRemoval: (flags & eventFlag.isDirectoryRemoval) !== 0,
      })
    })
  }

  #readMore(reader: ByteReader): void {
    const record = this.#unfinished
    assert(record !== undefined, 'only an unfinished record is continued')
    this.#unfinished = undefined
    this.#readPayload(reader, record.length, record.complete, record.text)
  }

  #readPayload(reader: ByteReader, length: number, complete: (text: ByteString) => void, before = ''): void {
    const pieceLength = reader.varint()
    const start = reader.skip(pieceLength)
    if (reader.isBroken || before.length + pieceLength > length)
      throw this.#invalid('a record has more bytes than it says')
    const text = before + this.#codec.latin1Slice(reader.bytes, start, start + pieceLength)
    if (text.length === length) complete(text)
    else this.#unfinished = { length, text, complete }
  }

  #invalid(what: string): KvStoreError {
    return new KvStoreError(
      'kv-store/invalid-snapshot',
      `part ${this.#partCount} of the snapshot cannot be read: ${what}`,
      {
        hint: 'the snapshot is damaged: use an older one, or the copy of another member',
      },
    )
  }
}
