/** Machines in the order in which fleet offers them units: fewest units first, then by ID. */
import { createOrderedBits, type OrderedBits } from './ordered-bits.ts'

export type LoadIndex = {
  /** Takes a machine in, with this load. */
  readonly enter: (machine: number, load: number) => void
  /** Leaves a machine out; its load must be the one it has. */
  readonly leave: (machine: number, load: number) => void
  /** The first machine in order of (load, rank) that `test` takes; -1 when it takes none. */
  readonly find: (test: (machine: number) => boolean) => number
}

/**
 * No machines yet. Each change takes O(log n), each step of `find` as well.
 *
 * @param capacity machines are their ranks in ID order, from 0 and below this
 */
export function createLoadIndex(capacity: number): LoadIndex {
  const counts = new Map<number, number>()
  const buckets = new Map<number, OrderedBits>()
  let loadsBelow = 1024
  let loads = createOrderedBits(loadsBelow)

  const enter = (machine: number, load: number): void => {
    let bucket = buckets.get(load)
    if (bucket === undefined) {
      bucket = createOrderedBits(capacity)
      buckets.set(load, bucket)
    }
    bucket.add(machine)
    const count = counts.get(load) ?? 0
    counts.set(load, count + 1)
    if (count > 0) return
    if (load >= loadsBelow) {
      while (load >= loadsBelow) loadsBelow *= 2
      loads = createOrderedBits(loadsBelow)
      for (const each of counts.keys()) loads.add(each)
    }
    loads.add(load)
  }

  const leave = (machine: number, load: number): void => {
    buckets.get(load)?.remove(machine)
    const count = (counts.get(load) ?? 0) - 1
    if (count > 0) {
      counts.set(load, count)
      return
    }
    loads.remove(load)
    // A cluster of many machines passes through many loads; only the current ones keep a bucket.
    counts.delete(load)
    buckets.delete(load)
  }

  return {
    enter,
    leave,
    find: (test) => {
      for (let load = loads.next(0); load >= 0; load = loads.next(load + 1)) {
        const bucket = buckets.get(load)
        if (bucket === undefined) continue
        for (let machine = bucket.next(0); machine >= 0; machine = bucket.next(machine + 1)) {
          if (test(machine)) return machine
        }
      }
      return -1
    },
  }
}
