/**
 * Units that need a look. A pass over all units in name order, in which most visits change nothing, becomes a pass
 * over these: whoever is not on the agenda would be visited in vain.
 */
import { createEntryHeap, type EntryHeap } from './entry-heap.ts'
import { byName, type UnitEntry } from './unit-entry.ts'

export type Agenda = {
  readonly add: (entry: UnitEntry) => void
  readonly delete: (entry: UnitEntry) => void
  readonly clear: () => void
  /**
   * Visits the members in name order, and those that are added meanwhile unless the pass is past their name. Members
   * stay until they are deleted.
   */
  readonly inOrder: (visit: (entry: UnitEntry) => void) => void
  readonly members: ReadonlySet<UnitEntry>
}

export function createAgenda(): Agenda {
  const members = new Set<UnitEntry>()
  /** Those that were added during a visit. */
  const late: UnitEntry[] = []
  let isVisiting = false
  return {
    members,
    add: (entry) => {
      if (isVisiting && !members.has(entry)) late.push(entry)
      members.add(entry)
    },
    delete: (entry) => void members.delete(entry),
    clear: () => members.clear(),
    inOrder(visit) {
      if (members.size === 0) return
      const sorted = [...members].sort(byName)
      /** Made with the first one: mostly there is none. */
      let additions: EntryHeap<undefined> | undefined
      let index = 0
      let addition: ReturnType<EntryHeap<undefined>['pop']>
      const isPassed = (entry: UnitEntry, cursor: UnitEntry): boolean => byName(entry, cursor) <= 0
      for (;;) {
        const regular = sorted[index]
        const isRegular = regular !== undefined && (addition === undefined || byName(regular, addition.entry) <= 0)
        const entry = isRegular ? regular : addition?.entry
        if (entry === undefined) return
        if (isRegular) index++
        else addition = additions?.pop()
        if (!members.has(entry)) continue
        isVisiting = true
        visit(entry)
        isVisiting = false
        if (late.length === 0) continue
        additions ??= createEntryHeap()
        for (const each of late) if (!isPassed(each, entry)) additions.push(each, undefined)
        late.length = 0
        if (addition !== undefined) additions.push(addition.entry, undefined)
        addition = additions.pop()
      }
    },
  }
}
