/** Machines in the order in which fleet offers them units: fewest units first, then by ID. */
import { createOrderedBits, type OrderedBits } from './ordered-bits.ts'

export type LoadIndex = {
  /** One unit more or less on a machine. */
  readonly change: (machine: number, by: number) => void
  readonly loadOf: (machine: number) => number
  /** The first machine in order of (load, rank) that `test` takes; -1 when it takes none. */
  readonly find: (test: (machine: number) => boolean) => number
}

/**
 * All machines with load 0. Each change takes O(log n), each step of `find` as well.
 *
 * @param machineCount machines are their ranks in ID order, 0 and up
 * @param loadMax no machine ever has more units
 */
export function createLoadIndex(machineCount: number, loadMax: number): LoadIndex {
  const loadOf = new Int32Array(machineCount)
  const counts = new Map<number, number>()
  const loads = createOrderedBits(loadMax + 1)
  const buckets = new Map<number, OrderedBits>()

  const enter = (machine: number, load: number): void => {
    let bucket = buckets.get(load)
    if (bucket === undefined) {
      bucket = createOrderedBits(machineCount)
      buckets.set(load, bucket)
    }
    bucket.add(machine)
    const count = counts.get(load) ?? 0
    counts.set(load, count + 1)
    if (count === 0) loads.add(load)
  }

  const leave = (machine: number, load: number): void => {
    buckets.get(load)?.remove(machine)
    const count = (counts.get(load) ?? 0) - 1
    counts.set(load, count)
    if (count > 0) return
    loads.remove(load)
    // A cluster of many machines passes through many loads; only the current ones keep a bucket.
    buckets.delete(load)
  }

  for (let machine = 0; machine < machineCount; machine++) enter(machine, 0)

  return {
    change: (machine, by) => {
      const before = loadOf[machine] ?? 0
      loadOf[machine] = before + by
      leave(machine, before)
      enter(machine, before + by)
    },
    loadOf: (machine) => loadOf[machine] ?? 0,
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
