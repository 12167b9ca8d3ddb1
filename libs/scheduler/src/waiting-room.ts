/**
 * Units without a machine, by shape. A shape sleeps once no machine was found for it: nothing but an event on some
 * machine can change that, so only those machines are looked at when it wakes.
 */

import { createEntryHeap, type EntryHeap } from './entry-heap.ts'
import type { MachineEntry } from './machine-table.ts'
import type { MetadataRequirement, Shape } from './shape.ts'
import { createSortedEntries, type SortedEntries } from './sorted-entries.ts'
import type { UnitEntry } from './unit-entry.ts'

export type WaitingRoom = {
  readonly add: (entry: UnitEntry) => void
  readonly remove: (entry: UnitEntry) => void
  /** The machines that may fit a shape; any other certainly does not. */
  readonly candidatesOf: (shape: Shape) => 'unknown' | ReadonlySet<MachineEntry>
  /** No machine fits the shape now. */
  readonly sleep: (shape: Shape) => void
  /** Whether no waiting unit may find a machine. */
  readonly isAsleep: () => boolean
  /** No machine fits any waiting unit now. */
  readonly sleepAll: () => void
  /** The machine may fit a shape now. Nothing happens when no unit of that shape waits. */
  readonly wake: (shape: Shape, machine: MachineEntry) => void
  /** A machine is new, or has other metadata. */
  readonly wakeByMachine: (
    machine: MachineEntry,
    meets: (requirement: MetadataRequirement | undefined) => boolean,
  ) => void
  /** A machine with this ID came or went: what the ID stands for may have changed. */
  readonly wakeByMachineId: (id: string) => void
  /** A unit of the shape left the machine: what conflicts with it may fit. */
  readonly wakeByRoom: (left: Shape, machine: MachineEntry) => void
  /** A unit that waits has another shape now that differs in globs nobody carries. */
  readonly reshape: (entry: UnitEntry, before: Shape, change: () => void) => void
  /**
   * Visits the waiting units that may find a machine, in name order; of a shape that goes to sleep no more. Shapes
   * that wake meanwhile are visited from where the pass is.
   */
  readonly inOrder: (visit: (entry: UnitEntry) => void) => void
}

type Queue = {
  readonly shape: Shape
  readonly entries: SortedEntries
  candidates: 'unknown' | Set<MachineEntry>
  /** Whether the indexes know it. Whatever happens is no news to a shape that never slept, and most never do. */
  isIndexed: boolean
}

export function createWaitingRoom(): WaitingRoom {
  const queues = new Map<Shape, Queue>()
  /** Lists of queues that closed; most open for one unit and close at once. */
  const spare: SortedEntries[] = []
  const awake = new Set<Queue>()
  /** By glob, the shapes that carry it in Conflicts, and those whose names it matches. */
  const carriers = new Map<number, Set<Queue>>()
  const matched = new Map<number, Set<Queue>>()
  /** Shapes that depend on no peer. */
  const alone = new Set<Queue>()
  const byMachineId = new Map<string, Set<Queue>>()
  let pass: { readonly heap: EntryHeap<Queue>; cursor: UnitEntry | undefined } | undefined

  const open = (shape: Shape): Queue => {
    const entries = spare.pop() ?? createSortedEntries()
    const queue: Queue = { shape, entries, candidates: 'unknown', isIndexed: false }
    queues.set(shape, queue)
    return queue
  }
  const index = (queue: Queue): void => {
    if (queue.isIndexed) return
    queue.isIndexed = true
    const { shape } = queue
    for (const glob of shape.conflicts) addTo(carriers, glob, queue)
    for (const glob of shape.matchedBy) addTo(matched, glob, queue)
    if (shape.machineOf.length === 0) alone.add(queue)
    if (shape.machineId !== undefined) addTo(byMachineId, shape.machineId, queue)
  }
  const close = (queue: Queue): void => {
    const { shape } = queue
    queues.delete(shape)
    if (spare.length < 100) spare.push(queue.entries)
    awake.delete(queue)
    if (!queue.isIndexed) return
    for (const glob of shape.conflicts) removeFrom(carriers, glob, queue)
    for (const glob of shape.matchedBy) removeFrom(matched, glob, queue)
    alone.delete(queue)
    if (shape.machineId !== undefined) removeFrom(byMachineId, shape.machineId, queue)
  }
  const rouse = (queue: Queue): void => {
    if (awake.has(queue)) return
    awake.add(queue)
    if (pass === undefined) return
    const next = queue.entries.after(pass.cursor)
    if (next !== undefined) pass.heap.push(next, queue)
  }
  const wakeQueue = (queue: Queue, machine: MachineEntry): void => {
    if (queue.candidates !== 'unknown') queue.candidates.add(machine)
    rouse(queue)
  }
  const wakeQueueForAll = (queue: Queue): void => {
    queue.candidates = 'unknown'
    rouse(queue)
  }

  const lull = (queue: Queue): void => {
    queue.candidates = new Set()
    awake.delete(queue)
    index(queue)
  }

  const add = (entry: UnitEntry): void => {
    const queue = queues.get(entry.shape) ?? open(entry.shape)
    queue.entries.add(entry)
    if (queue.candidates === 'unknown') rouse(queue)
  }
  const remove = (entry: UnitEntry): void => {
    const queue = queues.get(entry.shape)
    if (queue === undefined) return
    queue.entries.delete(entry)
    if (queue.entries.size() === 0) close(queue)
  }

  return {
    add,
    remove,
    candidatesOf: (shape) => queues.get(shape)?.candidates ?? 'unknown',
    sleep(shape) {
      const queue = queues.get(shape)
      if (queue !== undefined) lull(queue)
    },
    isAsleep: () => awake.size === 0,
    sleepAll: () => {
      for (const queue of awake) lull(queue)
    },
    wake(shape, machine) {
      const queue = queues.get(shape)
      if (queue !== undefined) wakeQueue(queue, machine)
    },
    wakeByMachine(machine, meets) {
      for (const queue of alone) if (meets(queue.shape.metadata)) wakeQueue(queue, machine)
    },
    wakeByMachineId(id) {
      for (const queue of byMachineId.get(id) ?? []) wakeQueueForAll(queue)
      if (id.length > 8) for (const queue of byMachineId.get(id.slice(0, 8)) ?? []) wakeQueueForAll(queue)
    },
    wakeByRoom(left, machine) {
      for (const glob of left.conflicts) for (const queue of matched.get(glob) ?? []) wakeQueue(queue, machine)
      for (const glob of left.matchedBy) for (const queue of carriers.get(glob) ?? []) wakeQueue(queue, machine)
    },
    reshape(entry, before, change) {
      const candidates = queues.get(before)?.candidates
      remove(entry)
      change()
      const isNew = !queues.has(entry.shape)
      const queue = queues.get(entry.shape) ?? open(entry.shape)
      queue.entries.add(entry)
      if (isNew && candidates !== undefined && candidates !== 'unknown') {
        queue.candidates = new Set(candidates)
        index(queue)
      }
      if (queue.candidates === 'unknown' || queue.candidates.size > 0) rouse(queue)
    },
    inOrder(visit) {
      const heap = createEntryHeap<Queue>()
      for (const queue of awake) {
        const first = queue.entries.after(undefined)
        if (first !== undefined) heap.push(first, queue)
      }
      pass = { heap, cursor: undefined }
      for (let next = heap.pop(); next !== undefined; ) {
        const { entry, item: queue } = next
        if (awake.has(queue)) {
          pass.cursor = entry
          // It may have found a place meanwhile, behind a unit that it follows.
          if (entry.target === undefined && entry.shape === queue.shape) visit(entry)
        }
        const later = awake.has(queue) ? queue.entries.after(entry) : undefined
        next = later === undefined ? heap.pop() : heap.pushAndPop(later, queue)
      }
      pass = undefined
    },
  }
}

function addTo<Key>(groups: Map<Key, Set<Queue>>, key: Key, queue: Queue): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, new Set([queue]))
  else group.add(queue)
}

function removeFrom<Key>(groups: Map<Key, Set<Queue>>, key: Key, queue: Queue): void {
  const group = groups.get(key)
  group?.delete(queue)
  if (group?.size === 0) groups.delete(key)
}
