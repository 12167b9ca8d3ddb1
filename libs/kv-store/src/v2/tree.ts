/**
 * The tree of nodes: finding, adding, changing and removing them, and looking at it as it was at an earlier moment.
 *
 * Views: opening one begins a new epoch. While views are open a removed node stays linked among its siblings, and a
 * node that is changed leaves its former version behind, both stamped with the epoch. They and everything below removed
 * directories wait in the graveyard until no view can see them, and are then given back a few at a time: neither a
 * snapshot nor the removal of a million keys stops anything.
 */
import { assert } from '@cluster/prelude'
import type { ByteString } from '../byte-string.ts'
import { isPlain } from '../go-json.ts'
import type { Latin1Codec } from '../latin1.ts'
import { ByteSlabs } from './byte-slabs.ts'
import { endHash, hashCharacter, NameIndex } from './name-index.ts'
import { field, flag, nameLengthMask, type Slot, SlotTable } from './slot-table.ts'
import { TtlQueue } from './ttl-queue.ts'

/** The node at the top, above `/0`, `/1` and `/2`. */
export const rootSlot: Slot = 1

/** An epoch for looking at the tree as it is. */
export const now = Number.POSITIVE_INFINITY

const slash = 47
const nameBytesMax = nameLengthMask

/** Where a walk ended that did not reach its node. */
export type WalkStop = {
  /** 100: something is missing; 104: something is a file that should be a directory. */
  code: 100 | 104
  /** Last directory that exists. */
  directory: Slot
  /** The element in the path at which the walk ended: `path[start]` to `path[end - 1]`. */
  start: number
  end: number
}

export type TreeOptions = { readonly codec: Latin1Codec; readonly hashSeed: number }

export class Tree {
  readonly slots = new SlotTable()
  readonly slabs: ByteSlabs
  readonly ttl = new TtlQueue(this.slots)
  /** Why the last `walk` returned 0. */
  readonly stop: WalkStop = { code: 100, directory: 0, start: 0, end: 0 }
  readonly #names: NameIndex
  readonly #openEpochs: number[] = []
  /** Deadlines of removed nodes that have passed while a view may still show them. */
  readonly #lateDeadlines = new Map<Slot, number | undefined>()
  #epoch = 0
  #graveyardHead: Slot = 0
  #graveyardTail: Slot = 0
  /** Where below the head of the graveyard `reclaim` stands; 0: at the head. */
  #reclaiming: Slot = 0

  constructor({ codec, hashSeed }: TreeOptions) {
    this.slabs = new ByteSlabs(codec)
    this.#names = new NameIndex(this.slots, this.slabs, hashSeed)
    const root = this.slots.allocate()
    assert(root === rootSlot, 'the root is the first node')
    this.slots.set(root, field.nameLengthAndFlags, flag.isDirectory | flag.isNamePlain)
  }

  /** Nodes below the root. */
  get nodeCount(): number {
    return this.slots.get(rootSlot, field.descendantCount)
  }

  get sizeBytes(): number {
    return this.slots.sizeBytes + this.slabs.sizeBytes + this.#names.sizeBytes
  }

  /** So many nodes are about to be added. */
  expect(nodeCount: number): void {
    this.#names.expect(nodeCount)
  }

  /** The node of a path, or 0 and the reason in `stop`. */
  walk(path: ByteString): Slot {
    let slot = rootSlot
    let start = 1
    const length = path.length
    while (start < length) {
      // The end of the name and its hash, in one pass.
      let end = start
      let hash = this.#names.startHash(slot)
      for (; end < length; end++) {
        const character = path.charCodeAt(end)
        if (character === slash) break
        hash = hashCharacter(hash, character)
      }
      const child = this.#names.find(slot, path, start, end, endHash(hash))
      if (child === 0) {
        const isDirectory = this.isDirectory(slot)
        this.stop.code = isDirectory ? 100 : 104
        this.stop.directory = isDirectory ? slot : 0
        this.stop.start = start
        // A file that should be a directory is the element before this one.
        this.stop.end = isDirectory ? end : start - 1
        return 0
      }
      slot = child
      start = end + 1
    }
    return slot
  }

  /** The child of that name, 0 when there is none. */
  childOf(directory: Slot, name: ByteString): Slot {
    return this.#names.find(directory, name, 0, name.length, this.#names.hash(directory, name, 0, name.length))
  }

  /**
   * Adds the node that the last `walk` of this path did not find, and the directories that are missing on the way to
   * it. The walk ended with 100.
   */
  addAtStop(path: ByteString, isDirectory: boolean, index: number): Slot {
    const existing = this.stop.directory
    let parent = existing
    let start = this.stop.start
    let added = 0
    for (;;) {
      let end = start
      while (end < path.length && path.charCodeAt(end) !== slash) end++
      const isLast = end >= path.length
      parent = this.#addUncounted(parent, path, start, end, !isLast || isDirectory, index)
      added++
      if (isLast) break
      start = end + 1
    }
    // Once for all that was added: a path may have hundreds of thousands of elements.
    let below = 0
    for (let at = this.slots.get(parent, field.parent); at !== existing; at = this.slots.get(at, field.parent)) {
      this.slots.set(at, field.descendantCount, ++below)
    }
    this.#count(existing, added)
    return parent
  }

  /** Adds a node named `path[start]` to `path[end - 1]`. An added file has no value. */
  add(parent: Slot, path: ByteString, start: number, end: number, isDirectory: boolean, index: number): Slot {
    const slot = this.#addUncounted(parent, path, start, end, isDirectory, index)
    this.#count(parent, 1)
    return slot
  }

  #addUncounted(parent: Slot, path: ByteString, start: number, end: number, isDirectory: boolean, index: number): Slot {
    const slots = this.slots
    const name = path.slice(start, end)
    assert(name.length <= nameBytesMax, 'a name is shorter than 16 MiB')
    const slot = slots.allocate()
    let flags = 0
    if (isDirectory) flags |= flag.isDirectory
    else flags |= flag.isValuePlain
    if (path.charCodeAt(start) === 95) flags |= flag.isHidden
    if (isPlain(name)) flags |= flag.isNamePlain
    const nameRef = this.slabs.allocate(name.length)
    this.slabs.write(nameRef, name)
    slots.set(slot, field.nameRef, nameRef)
    slots.set(slot, field.nameLengthAndFlags, name.length | flags)
    slots.set(slot, field.parent, parent)
    slots.set(slot, field.hash, this.#names.hash(parent, path, start, end))
    slots.set(slot, field.born, this.#epoch)
    slots.set(slot, field.createdLow, index >>> 0)
    const high = Math.floor(index / 2 ** 32)
    slots.set(slot, field.indexHigh, ((high << 16) | high) >>> 0)
    if (!isDirectory) slots.set(slot, field.modifiedLow, index >>> 0)
    this.#names.add(slot)
    const last = slots.get(parent, field.lastChild)
    if (last === 0) {
      slots.set(parent, field.firstChild, slot)
    } else {
      slots.set(last, field.next, slot)
      slots.set(slot, field.previous, last)
    }
    slots.set(parent, field.lastChild, slot)
    slots.set(parent, field.childCount, slots.get(parent, field.childCount) + 1)
    return slot
  }

  /** Gives a file a value and new indexes. */
  write(slot: Slot, value: ByteString, created: number, modified: number): void {
    const slots = this.slots
    const isPreserved = this.#preserve(slot)
    const oldLength = slots.get(slot, field.valueLength)
    const oldRef = slots.get(slot, field.valueRef)
    let ref = oldRef
    if (isPreserved || !this.slabs.isSameCell(oldLength, value.length)) {
      if (!isPreserved) this.slabs.free(oldRef, oldLength)
      ref = this.slabs.allocate(value.length)
      slots.set(slot, field.valueRef, ref)
    }
    this.slabs.write(ref, value)
    slots.set(slot, field.valueLength, value.length)
    const word = slots.get(slot, field.nameLengthAndFlags)
    const isValuePlain = this.slabs.isPlain(ref, value.length)
    slots.set(slot, field.nameLengthAndFlags, isValuePlain ? word | flag.isValuePlain : word & ~flag.isValuePlain)
    this.#setIndexes(slot, created, modified)
  }

  /** New indexes for a file whose value stays. */
  touch(slot: Slot, created: number, modified: number): void {
    if (this.#preserve(slot)) {
      // The version took the bytes with it.
      const length = this.slots.get(slot, field.valueLength)
      const value = this.slabs.read(this.slots.get(slot, field.valueRef), length)
      const ref = this.slabs.allocate(length)
      this.slabs.write(ref, value)
      this.slots.set(slot, field.valueRef, ref)
    }
    this.#setIndexes(slot, created, modified)
  }

  /** When a node is to end; undefined: never. */
  setDeadline(slot: Slot, deadlineMs: number | undefined): void {
    if (deadlineMs === undefined && this.slots.get(slot, field.ttlPlace) === 0) return
    if (this.isDirectory(slot)) this.#preserve(slot)
    this.ttl.put(slot, deadlineMs)
  }

  /** Takes a node and everything below it out of the tree. */
  remove(slot: Slot): void {
    const slots = this.slots
    const parent = slots.get(slot, field.parent)
    this.#names.remove(slot)
    slots.set(slot, field.nameLengthAndFlags, slots.get(slot, field.nameLengthAndFlags) | flag.isRemoved)
    slots.set(parent, field.childCount, slots.get(parent, field.childCount) - 1)
    const below = this.isDirectory(slot) ? slots.get(slot, field.descendantCount) : 0
    this.#count(parent, -1 - below)
    if (this.#openEpochs.length === 0) {
      if (slots.get(slot, field.ttlPlace) !== 0) this.ttl.put(slot, undefined)
      this.#unlink(slot)
      const hasNothingBelow = !this.isDirectory(slot) || slots.get(slot, field.firstChild) === 0
      // Versions that nobody has given back yet know it by its slot.
      if (hasNothingBelow && slots.get(slot, field.version) === 0) {
        this.#release(slot)
        return
      }
      // Its parent may be gone, and the slot in use again, before it is.
      slots.set(slot, field.parent, 0)
    }
    slots.set(slot, field.hash, this.#epoch)
    this.#bury(slot)
  }

  /** The node that ends first, 0 when none does. Passes over what is removed already. */
  firstToEnd(): Slot {
    for (;;) {
      const slot = this.ttl.first
      if (slot === 0 || this.#isInTree(slot)) return slot
      if (this.#openEpochs.length > 0) this.#lateDeadlines.set(slot, this.ttl.deadlineOf(slot))
      this.ttl.put(slot, undefined)
    }
  }

  isDirectory(slot: Slot): boolean {
    return (this.slots.get(slot, field.nameLengthAndFlags) & flag.isDirectory) !== 0
  }

  isHidden(slot: Slot): boolean {
    return (this.slots.get(slot, field.nameLengthAndFlags) & flag.isHidden) !== 0
  }

  isNamePlain(slot: Slot): boolean {
    return (this.slots.get(slot, field.nameLengthAndFlags) & flag.isNamePlain) !== 0
  }

  isValuePlain(version: Slot): boolean {
    return (this.slots.get(version, field.nameLengthAndFlags) & flag.isValuePlain) !== 0
  }

  nameOf(slot: Slot): ByteString {
    const length = this.slots.get(slot, field.nameLengthAndFlags) & nameLengthMask
    return this.slabs.read(this.slots.get(slot, field.nameRef), length)
  }

  /** The value of a file or of a version of one. */
  valueOf(version: Slot): ByteString {
    return this.slabs.read(this.slots.get(version, field.valueRef), this.slots.get(version, field.valueLength))
  }

  createdOf(version: Slot): number {
    return (this.slots.get(version, field.indexHigh) >>> 16) * 2 ** 32 + this.slots.get(version, field.createdLow)
  }

  modifiedOf(version: Slot): number {
    if (this.isDirectory(version)) return this.createdOf(version)
    return (this.slots.get(version, field.indexHigh) & 0xffff) * 2 ** 32 + this.slots.get(version, field.modifiedLow)
  }

  deadlineOf(version: Slot): number | undefined {
    if ((this.slots.get(version, field.nameLengthAndFlags) & flag.isVersion) === 0) {
      return this.ttl.deadlineOf(version) ?? this.#lateDeadlines.get(version)
    }
    const deadlineMs = this.slots.getFloat(version, field.hash)
    return Number.isNaN(deadlineMs) ? undefined : deadlineMs
  }

  childCountOf(slot: Slot): number {
    return this.slots.get(slot, field.childCount)
  }

  /** The full path of a node. */
  pathOf(slot: Slot): ByteString {
    let path = ''
    for (let at = slot; at !== rootSlot; at = this.slots.get(at, field.parent)) path = `/${this.nameOf(at)}${path}`
    return path === '' ? '/' : path
  }

  /** The tree as it is at this moment, for as long as the view is open. Returns its epoch. */
  openView(): number {
    this.#epoch++
    this.#openEpochs.push(this.#epoch)
    return this.#epoch
  }

  closeView(epoch: number): void {
    const at = this.#openEpochs.indexOf(epoch)
    if (at >= 0) this.#openEpochs.splice(at, 1)
  }

  /** The first child that an epoch shows, 0 when there is none. */
  firstChild(directory: Slot, epoch: number): Slot {
    return this.#visible(this.slots.get(directory, field.firstChild), epoch)
  }

  /** The next sibling that an epoch shows, 0 when there is none. */
  nextSibling(slot: Slot, epoch: number): Slot {
    return this.#visible(this.slots.get(slot, field.next), epoch)
  }

  /** The version of a node that an epoch shows. */
  versionAt(slot: Slot, epoch: number): Slot {
    let best = slot
    let version = this.slots.get(slot, field.version)
    while (version !== 0 && this.slots.get(version, field.born) >= epoch) {
      best = version
      version = this.slots.get(version, field.version)
    }
    return best
  }

  /** Whether anything waits to be given back. */
  get hasGarbage(): boolean {
    return this.#graveyardHead !== 0
  }

  /** Gives back nodes that nobody can see any more, in so many steps at most (down to a child, or one node). */
  reclaim(stepsMax: number): void {
    const slots = this.slots
    for (let left = stepsMax; left > 0 && this.#graveyardHead !== 0; left--) {
      const head = this.#graveyardHead
      const slot = this.#reclaiming === 0 ? head : this.#reclaiming
      if (slot === head && !this.#isUnseen(head)) return
      const word = slots.get(slot, field.nameLengthAndFlags)
      const child =
        (word & (flag.isVersion | flag.isDirectory)) === flag.isDirectory ? slots.get(slot, field.firstChild) : 0
      if (child !== 0) {
        this.#reclaiming = child
        continue
      }
      // Up again: what is below a removed directory goes before it.
      this.#reclaiming = slot === head ? 0 : slots.get(slot, field.parent)
      if (slot === head) this.#unbury(head)
      else this.#names.remove(slot)
      this.#unlink(slot)
      this.#release(slot)
    }
  }

  #isUnseen(buried: Slot): boolean {
    const isVersion = (this.slots.get(buried, field.nameLengthAndFlags) & flag.isVersion) !== 0
    const stamp = this.slots.get(buried, isVersion ? field.born : field.hash)
    return stamp < (this.#openEpochs[0] ?? now)
  }

  #bury(slot: Slot): void {
    this.slots.set(slot, field.hashNext, 0)
    if (this.#graveyardTail === 0) this.#graveyardHead = slot
    else this.slots.set(this.#graveyardTail, field.hashNext, slot)
    this.#graveyardTail = slot
  }

  #unbury(head: Slot): void {
    this.#graveyardHead = this.slots.get(head, field.hashNext)
    if (this.#graveyardHead === 0) this.#graveyardTail = 0
  }

  /** Leaves the present version of a node behind for open views, the bytes of its value with it. False: nobody needs it. */
  #preserve(slot: Slot): boolean {
    if (this.#openEpochs.length === 0) return false
    const slots = this.slots
    const newest = slots.get(slot, field.version)
    if (slots.get(slot, field.born) === this.#epoch) return false
    if (newest !== 0 && slots.get(newest, field.born) === this.#epoch) return false
    const version = slots.allocate()
    slots.set(version, field.parent, slot)
    slots.set(version, field.nameLengthAndFlags, slots.get(slot, field.nameLengthAndFlags) | flag.isVersion)
    slots.set(version, field.createdLow, slots.get(slot, field.createdLow))
    slots.set(version, field.indexHigh, slots.get(slot, field.indexHigh))
    if (!this.isDirectory(slot)) {
      slots.set(version, field.valueRef, slots.get(slot, field.valueRef))
      slots.set(version, field.valueLength, slots.get(slot, field.valueLength))
      slots.set(version, field.modifiedLow, slots.get(slot, field.modifiedLow))
    }
    slots.setFloat(version, field.hash, this.ttl.deadlineOf(slot) ?? Number.NaN)
    slots.set(version, field.born, this.#epoch)
    slots.set(version, field.version, newest)
    slots.set(slot, field.version, version)
    this.#bury(version)
    return true
  }

  #visible(start: Slot, epoch: number): Slot {
    const slots = this.slots
    let slot = start
    while (slot !== 0) {
      const isRemoved = (slots.get(slot, field.nameLengthAndFlags) & flag.isRemoved) !== 0
      if (slots.get(slot, field.born) < epoch && (!isRemoved || slots.get(slot, field.hash) >= epoch)) return slot
      slot = slots.get(slot, field.next)
    }
    return 0
  }

  #isInTree(slot: Slot): boolean {
    for (let at = slot; at !== rootSlot; at = this.slots.get(at, field.parent)) {
      if ((this.slots.get(at, field.nameLengthAndFlags) & flag.isRemoved) !== 0) return false
    }
    return true
  }

  #setIndexes(slot: Slot, created: number, modified: number): void {
    const slots = this.slots
    slots.set(slot, field.createdLow, created >>> 0)
    slots.set(slot, field.modifiedLow, modified >>> 0)
    const high = ((Math.floor(created / 2 ** 32) << 16) | Math.floor(modified / 2 ** 32)) >>> 0
    slots.set(slot, field.indexHigh, high)
  }

  #count(directory: Slot, by: number): void {
    const slots = this.slots
    for (let at = directory; at !== 0; at = slots.get(at, field.parent)) {
      slots.set(at, field.descendantCount, slots.get(at, field.descendantCount) + by)
    }
  }

  /** Takes a node out of its siblings, a version out of its node's list. */
  #unlink(slot: Slot): void {
    const slots = this.slots
    const parent = slots.get(slot, field.parent)
    if ((slots.get(slot, field.nameLengthAndFlags) & flag.isVersion) !== 0) {
      let newer = parent
      while (slots.get(newer, field.version) !== slot) newer = slots.get(newer, field.version)
      slots.set(newer, field.version, slots.get(slot, field.version))
      return
    }
    const next = slots.get(slot, field.next)
    const previous = slots.get(slot, field.previous)
    if (previous !== 0) slots.set(previous, field.next, next)
    else if (slots.get(parent, field.firstChild) === slot) slots.set(parent, field.firstChild, next)
    if (next !== 0) slots.set(next, field.previous, previous)
    else if (slots.get(parent, field.lastChild) === slot) slots.set(parent, field.lastChild, previous)
    slots.set(slot, field.next, 0)
    slots.set(slot, field.previous, 0)
  }

  #release(slot: Slot): void {
    const slots = this.slots
    const word = slots.get(slot, field.nameLengthAndFlags)
    if ((word & flag.isVersion) === 0) {
      if (slots.get(slot, field.ttlPlace) !== 0) this.ttl.put(slot, undefined)
      if (this.#lateDeadlines.size > 0) this.#lateDeadlines.delete(slot)
      this.slabs.free(slots.get(slot, field.nameRef), word & nameLengthMask)
    }
    if ((word & flag.isDirectory) === 0) {
      this.slabs.free(slots.get(slot, field.valueRef), slots.get(slot, field.valueLength))
    }
    slots.release(slot)
  }
}
