/**
 * Which of many globs match a name, without trying them all: globs without wildcards are looked up, the others are
 * grouped by the text ahead of their first wildcard.
 */
import { matchGlob } from '@cluster/unit-file'

export type GlobIndex = {
  /** The number of a glob, the same for equal globs; `undefined` for one that was not indexed. */
  readonly idOf: (glob: string) => number | undefined
  /** Numbers of the globs that match the whole name, ascending. */
  readonly matching: (name: string) => readonly number[]
}

export function indexGlobs(globs: Iterable<string>): GlobIndex {
  const ids = new Map<string, number>()
  const byPrefix = new Map<string, string[]>()
  const prefixLengths = new Set<number>()
  for (const glob of globs) {
    if (ids.has(glob)) continue
    ids.set(glob, ids.size)
    const wildcard = glob.search(/[*?[\\]/)
    if (wildcard < 0) continue
    const prefix = glob.slice(0, wildcard)
    const group = byPrefix.get(prefix)
    if (group === undefined) byPrefix.set(prefix, [glob])
    else group.push(glob)
    prefixLengths.add(wildcard)
  }

  const matching = (name: string): readonly number[] => {
    const found: number[] = []
    const exact = ids.get(name)
    // A glob with wildcards may equal the name and match it too (`a[a]` does not, `a*` does): it is found below.
    if (exact !== undefined && !/[*?[\\]/.test(name)) found.push(exact)
    for (const length of prefixLengths) {
      if (length > name.length) continue
      for (const glob of byPrefix.get(name.slice(0, length)) ?? []) {
        const id = ids.get(glob)
        if (id !== undefined && matchGlob(glob, name)) found.push(id)
      }
    }
    return found.sort((one, other) => one - other)
  }

  return { idOf: (glob) => ids.get(glob), matching }
}
