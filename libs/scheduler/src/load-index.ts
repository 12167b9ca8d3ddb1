/** Machines in the order in which fleet offers them units: fewest units first, then by ID. */
import { createOrderedBits, type OrderedBits } from './ordered-bits.ts'

export type LoadIndex = {
  /** Takes a machine in, with this load. */
  readonly enter: (machine: number, load: number) => void
  /** Leaves a machine out; its load must be the one it has. */
  readonly leave: (machine: number, load: number) => void
  /** Gives a machine another load. */
  readonly move: (machine: number, from: number, to: number) => void
  /** The first machine in order of (load, rank) that `test` takes; -1 when it takes none. */
  readonly find: (test: (machine: number) => boolean) => number
}

type Bucket = { readonly machines: OrderedBits; count: number }

/**
 * No machines yet. Each change takes O(log n), each step of `find` as well.
 *
 * @param capacity machines are their ranks in ID order, from 0 and below this
 */
export function createLoadIndex(capacity: number): LoadIndex {
  const buckets: (Bucket | undefined)[] = []
  const spare: Bucket[] = []
  let loadsBelow = 1024
  let loads = createOrderedBits(loadsBelow)

  const open = (load: number): Bucket => {
    const bucket = spare.pop() ?? { machines: createOrderedBits(capacity), count: 0 }
    buckets[load] = bucket
    if (load >= loadsBelow) {
      while (load >= loadsBelow) loadsBelow *= 2
      const before = loads
      loads = createOrderedBits(loadsBelow)
      for (let each = before.next(0); each >= 0; each = before.next(each + 1)) loads.add(each)
    }
    loads.add(load)
    return bucket
  }

  const enter = (machine: number, load: number): void => {
    const bucket = buckets[load] ?? open(load)
    bucket.machines.add(machine)
    bucket.count++
  }

  const leave = (machine: number, load: number): void => {
    const bucket = buckets[load]
    if (bucket === undefined) return
    bucket.machines.remove(machine)
    bucket.count--
    if (bucket.count > 0) return
    // A cluster of many machines passes through many loads; only the current ones keep a bucket.
    buckets[load] = undefined
    spare.push(bucket)
    loads.remove(load)
  }

  return {
    enter,
    leave,
    move: (machine, from, to) => {
      leave(machine, from)
      enter(machine, to)
    },
    find: (test) => {
      for (let load = loads.next(0); load >= 0; load = loads.next(load + 1)) {
        const bucket = buckets[load]?.machines
        if (bucket === undefined) continue
        for (let machine = bucket.next(0); machine >= 0; machine = bucket.next(machine + 1)) {
          if (test(machine)) return machine
        }
      }
      return -1
    },
  }
}
