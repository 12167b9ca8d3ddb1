/**
 * Nodes in the order in which they end: a heap on typed arrays. Equal deadlines are told apart by createdIndex and
 * depth in the tree, so that every replica, restored or replayed, ends them in the same order.
 */
import { field, type Slot, type SlotTable } from './slot-table.ts'

const placesPerChunk = 65_536
const firstPlaces = 256

export class TtlQueue {
  readonly #slots: SlotTable
  /** Place 0 is unused: a node whose place is 0 has no deadline. */
  readonly #nodes: Uint32Array[] = [new Uint32Array(firstPlaces)]
  readonly #deadlines: Float64Array[] = [new Float64Array(firstPlaces)]
  readonly #depths: Uint32Array[] = [new Uint32Array(firstPlaces)]
  #size = 0

  constructor(slots: SlotTable) {
    this.#slots = slots
  }

  get size(): number {
    return this.#size
  }

  /** The node that ends first, 0 when none does. */
  get first(): Slot {
    return this.#size === 0 ? 0 : this.#nodeAt(1)
  }

  /** When a node ends; undefined: never. */
  deadlineOf(slot: Slot): number | undefined {
    const place = this.#slots.get(slot, field.ttlPlace)
    return place === 0 ? undefined : this.#deadlineAt(place)
  }

  /** Sets, moves or (undefined) removes the deadline of a node. Also to be called when its createdIndex has changed. */
  put(slot: Slot, deadlineMs: number | undefined): void {
    let place = this.#slots.get(slot, field.ttlPlace)
    if (deadlineMs === undefined) {
      if (place !== 0) this.#remove(slot, place)
      return
    }
    if (place === 0) {
      this.#size++
      place = this.#size
      this.#makeRoom(place)
    }
    this.#place(place, slot, deadlineMs, this.#depthOf(slot))
    this.#settle(place)
  }

  #remove(slot: Slot, place: number): void {
    this.#slots.set(slot, field.ttlPlace, 0)
    const last = this.#size
    this.#size--
    if (place === last) return
    this.#place(place, this.#nodeAt(last), this.#deadlineAt(last), this.#depthAt(last))
    this.#settle(place)
  }

  #settle(start: number): void {
    let place = start
    while (place > 1 && this.#isBefore(place, place >>> 1)) {
      this.#swap(place, place >>> 1)
      place >>>= 1
    }
    for (;;) {
      let least = place
      const left = place * 2
      if (left <= this.#size && this.#isBefore(left, least)) least = left
      if (left < this.#size && this.#isBefore(left + 1, least)) least = left + 1
      if (least === place) return
      this.#swap(place, least)
      place = least
    }
  }

  #isBefore(a: number, b: number): boolean {
    const deadlineA = this.#deadlineAt(a)
    const deadlineB = this.#deadlineAt(b)
    if (deadlineA !== deadlineB) return deadlineA < deadlineB
    const nodeA = this.#nodeAt(a)
    const nodeB = this.#nodeAt(b)
    const createdA = this.#createdOf(nodeA)
    const createdB = this.#createdOf(nodeB)
    if (createdA !== createdB) return createdA < createdB
    // One command creates nodes of one path only.
    return this.#depthAt(a) < this.#depthAt(b)
  }

  #createdOf(slot: Slot): number {
    return (this.#slots.get(slot, field.indexHigh) >>> 16) * 2 ** 32 + this.#slots.get(slot, field.createdLow)
  }

  #depthOf(slot: Slot): number {
    let depth = 0
    for (let at = slot; at !== 0; at = this.#slots.get(at, field.parent)) depth++
    return depth
  }

  #swap(a: number, b: number): void {
    const node = this.#nodeAt(a)
    const deadlineMs = this.#deadlineAt(a)
    const depth = this.#depthAt(a)
    this.#place(a, this.#nodeAt(b), this.#deadlineAt(b), this.#depthAt(b))
    this.#place(b, node, deadlineMs, depth)
  }

  #place(place: number, slot: Slot, deadlineMs: number, depth: number): void {
    const nodes = this.#nodes[place >>> 16]
    const deadlines = this.#deadlines[place >>> 16]
    const depths = this.#depths[place >>> 16]
    if (nodes === undefined || deadlines === undefined || depths === undefined) return
    depths[place & 0xffff] = depth
    nodes[place & 0xffff] = slot
    deadlines[place & 0xffff] = deadlineMs
    this.#slots.set(slot, field.ttlPlace, place)
  }

  #nodeAt(place: number): Slot {
    return this.#nodes[place >>> 16]?.[place & 0xffff] ?? 0
  }

  #deadlineAt(place: number): number {
    return this.#deadlines[place >>> 16]?.[place & 0xffff] ?? 0
  }

  #depthAt(place: number): number {
    return this.#depths[place >>> 16]?.[place & 0xffff] ?? 0
  }

  #makeRoom(place: number): void {
    const index = place >>> 16
    const nodes = this.#nodes[index]
    const deadlines = this.#deadlines[index]
    const depths = this.#depths[index]
    if (nodes === undefined || deadlines === undefined || depths === undefined) {
      this.#nodes.push(new Uint32Array(placesPerChunk))
      this.#deadlines.push(new Float64Array(placesPerChunk))
      this.#depths.push(new Uint32Array(placesPerChunk))
    } else if ((place & 0xffff) >= nodes.length) {
      const moreNodes = new Uint32Array(nodes.length * 4)
      moreNodes.set(nodes)
      this.#nodes[index] = moreNodes
      const moreDeadlines = new Float64Array(nodes.length * 4)
      moreDeadlines.set(deadlines)
      this.#deadlines[index] = moreDeadlines
      const moreDepths = new Uint32Array(nodes.length * 4)
      moreDepths.set(depths)
      this.#depths[index] = moreDepths
    }
  }
}
