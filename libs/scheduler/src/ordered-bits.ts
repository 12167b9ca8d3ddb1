/** A set of small whole numbers in order: a bit each, and above every 32 bits one that says whether any is set. */

export type OrderedBits = {
  readonly add: (value: number) => void
  readonly remove: (value: number) => void
  /** The smallest member that is `from` or above; -1 when there is none. */
  readonly next: (from: number) => number
}

/** @param capacity members are below it; every call takes O(log32 capacity) */
export function createOrderedBits(capacity: number): OrderedBits {
  const levels: Int32Array[] = []
  for (let size = Math.max(capacity, 1); ; ) {
    size = Math.ceil(size / 32)
    levels.push(new Int32Array(size))
    if (size === 1) break
  }

  const add = (value: number): void => {
    let index = value
    for (const level of levels) {
      const word = index >>> 5
      level[word] = (level[word] ?? 0) | (1 << (index & 31))
      index = word
    }
  }

  const remove = (value: number): void => {
    let index = value
    for (const level of levels) {
      const word = index >>> 5
      const rest = (level[word] ?? 0) & ~(1 << (index & 31))
      level[word] = rest
      if (rest !== 0) return
      index = word
    }
  }

  const next = (from: number): number => {
    let index = from
    for (let height = 0; height < levels.length; height++) {
      const word = index >>> 5
      const bits = (levels[height]?.[word] ?? 0) & (-1 << (index & 31))
      if (bits !== 0) return descend(height, (word << 5) + lowestBit(bits))
      index = word + 1
    }
    return -1
  }

  const descend = (height: number, start: number): number => {
    let index = start
    for (let below = height - 1; below >= 0; below--) index = (index << 5) + lowestBit(levels[below]?.[index] ?? 0)
    return index
  }

  return { add, remove, next }
}

const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits)
