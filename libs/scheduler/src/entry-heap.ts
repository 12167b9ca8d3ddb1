/** Items in name order of a unit that goes with each, the smallest first. */
import { byName, type UnitEntry } from './unit-entry.ts'

export type EntryHeap<T> = {
  readonly push: (entry: UnitEntry, item: T) => void
  readonly pop: () => { readonly entry: UnitEntry; readonly item: T } | undefined
}

/** An empty heap; both calls take O(log n). */
export function createEntryHeap<T>(): EntryHeap<T> {
  const nodes: { readonly entry: UnitEntry; readonly item: T }[] = []
  return {
    push(entry, item) {
      const node = { entry, item }
      let at = nodes.push(node) - 1
      while (at > 0) {
        const above = (at - 1) >>> 1
        const parent = nodes[above]
        if (parent === undefined || byName(parent.entry, entry) <= 0) break
        nodes[at] = parent
        at = above
      }
      nodes[at] = node
    },
    pop() {
      const top = nodes[0]
      const last = nodes.pop()
      if (last === undefined || nodes.length === 0) return top
      let at = 0
      for (;;) {
        let below = 2 * at + 1
        let child = nodes[below]
        const right = nodes[below + 1]
        if (child !== undefined && right !== undefined && byName(right.entry, child.entry) < 0) {
          child = right
          below++
        }
        if (child === undefined || byName(last.entry, child.entry) <= 0) break
        nodes[at] = child
        at = below
      }
      nodes[at] = last
      return top
    },
  }
}
