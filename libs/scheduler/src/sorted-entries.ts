/** Units in name order, in short chunks: a change moves at most one chunk, however many units there are. */
import { compareText } from './order.ts'
import { byName, type UnitEntry } from './unit-entry.ts'

export type SortedEntries = {
  readonly size: () => number
  readonly add: (entry: UnitEntry) => void
  readonly delete: (entry: UnitEntry) => void
  /** The first one behind `entry` in name order, which need not be a member; the first of all without one. */
  readonly after: (entry: UnitEntry | undefined) => UnitEntry | undefined
  /** The last one with a smaller name. */
  readonly before: (name: string) => UnitEntry | undefined
  /** Those whose names begin with the text, in name order; the list must not change meanwhile. */
  readonly withPrefix: (prefix: string) => Iterable<UnitEntry>
  readonly [Symbol.iterator]: () => Iterator<UnitEntry>
}

const chunkMax = 512

/** @param sorted members to begin with, in name order */
export function createSortedEntries(sorted: readonly UnitEntry[] = []): SortedEntries {
  const chunks: UnitEntry[][] = []
  for (let from = 0; from < sorted.length; from += chunkMax / 2) chunks.push(sorted.slice(from, from + chunkMax / 2))
  let size = sorted.length

  /** The last chunk whose first member the test takes; 0 when it takes none. */
  const chunkOf = (isAhead: (first: UnitEntry) => boolean): number => {
    let low = 0
    let high = chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const first = chunks[middle]?.[0]
      if (first !== undefined && isAhead(first)) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }
  /** How many members of a chunk the test takes; it takes the first ones. */
  const countIn = (chunk: readonly UnitEntry[], isAhead: (entry: UnitEntry) => boolean): number => {
    let low = 0
    let high = chunk.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const entry = chunk[middle]
      if (entry !== undefined && isAhead(entry)) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    size: () => size,
    add(entry) {
      size++
      const end = chunks.at(-1)
      const latest = end?.at(-1)
      // Names mostly come in order; they fill one chunk after the other.
      if (end !== undefined && latest !== undefined && byName(latest, entry) < 0) {
        if (end.length < chunkMax) end.push(entry)
        else chunks.push([entry])
        return
      }
      const isAhead = (other: UnitEntry): boolean => byName(other, entry) <= 0
      const at = chunkOf(isAhead)
      const chunk = chunks[at]
      if (chunk === undefined) {
        chunks.push([entry])
        return
      }
      chunk.splice(countIn(chunk, isAhead), 0, entry)
      if (chunk.length > chunkMax) chunks.splice(at + 1, 0, chunk.splice(chunkMax / 2))
    },
    delete(entry) {
      const front = chunks[0]
      // Those that wait mostly leave in order.
      if (front !== undefined && front[0] === entry) {
        size--
        front.shift()
        if (front.length === 0) chunks.shift()
        return
      }
      const at = chunkOf((other) => byName(other, entry) <= 0)
      const chunk = chunks[at]
      if (chunk === undefined) return
      const index = countIn(chunk, (other) => byName(other, entry) < 0)
      if (chunk[index] !== entry) return
      size--
      if (index === 0) chunk.shift()
      else chunk.splice(index, 1)
      if (chunk.length === 0) chunks.splice(at, 1)
    },
    after(entry) {
      const first = chunks[0]?.[0]
      if (entry === undefined || first === undefined || byName(first, entry) > 0) return first
      const isAhead = (other: UnitEntry): boolean => byName(other, entry) <= 0
      const at = chunkOf(isAhead)
      const chunk = chunks[at] ?? []
      return chunk[countIn(chunk, isAhead)] ?? chunks[at + 1]?.[0]
    },
    before(name) {
      const isAhead = (other: UnitEntry): boolean => compareText(other.unit.name, name) < 0
      const chunk = chunks[chunkOf(isAhead)] ?? []
      return chunk[countIn(chunk, isAhead) - 1]
    },
    *withPrefix(prefix) {
      const isAhead = (other: UnitEntry): boolean => compareText(other.unit.name, prefix) < 0
      const first = chunkOf(isAhead)
      for (let at = first; at < chunks.length; at++) {
        const chunk = chunks[at] ?? []
        for (let index = at === first ? countIn(chunk, isAhead) : 0; index < chunk.length; index++) {
          const entry = chunk[index]
          if (entry === undefined) continue
          if (!entry.unit.name.startsWith(prefix)) return
          yield entry
        }
      }
    },
    *[Symbol.iterator]() {
      for (const chunk of chunks) yield* chunk
    },
  }
}
