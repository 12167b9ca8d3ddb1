/** Items in name order of a unit that goes with each, the smallest first. */
import { byName, type UnitEntry } from './unit-entry.ts'

export type EntryHeap<T> = {
  readonly push: (entry: UnitEntry, item: T) => void
  readonly pop: () => { readonly entry: UnitEntry; readonly item: T } | undefined
  /** Pops, having pushed: cheap when what is pushed is the smallest. */
  readonly pushAndPop: (entry: UnitEntry, item: T) => { readonly entry: UnitEntry; readonly item: T }
}

/** An empty heap; each call takes O(log n). */
export function createEntryHeap<T>(): EntryHeap<T> {
  type Node = { readonly entry: UnitEntry; readonly item: T }
  const nodes: Node[] = []
  /** Puts a node where the smallest was. */
  const sink = (node: Node): void => {
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      let child = nodes[below]
      const right = nodes[below + 1]
      if (child !== undefined && right !== undefined && byName(right.entry, child.entry) < 0) {
        child = right
        below++
      }
      if (child === undefined || byName(node.entry, child.entry) <= 0) break
      nodes[at] = child
      at = below
    }
    nodes[at] = node
  }
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
      if (last !== undefined && nodes.length > 0) sink(last)
      return top
    },
    pushAndPop(entry, item) {
      const top = nodes[0]
      const node = { entry, item }
      if (top === undefined || byName(entry, top.entry) <= 0) return node
      sink(node)
      return top
    },
  }
}
