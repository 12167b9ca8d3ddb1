/**
 * Which of many globs match a name, without trying them all: globs without wildcards are looked up, the others are
 * grouped by the text ahead of their first wildcard.
 */
import { matchGlob } from '@cluster/unit-file'

export type GlobIndex = {
  /** The number of a glob, the same for equal globs; `undefined` for one that is not in use. */
  readonly idOf: (glob: string) => number | undefined
  /** Numbers of the globs that match the whole name, ascending. */
  readonly matching: (name: string) => readonly number[]
  /** One more use of a glob; whether it is the first. */
  readonly acquire: (glob: string) => boolean
  /** One use less; whether it was the last, and the glob is gone. */
  readonly release: (glob: string) => boolean
}

/** The index of these globs, each in use as often as it is given. */
export function indexGlobs(globs: Iterable<string> = []): GlobIndex {
  const known = new Map<string, { readonly id: number; uses: number }>()
  const byPrefix = new Map<string, string[]>()
  const prefixLengths = new Map<number, number>()
  let nextId = 0

  const acquire = (glob: string): boolean => {
    const found = known.get(glob)
    if (found !== undefined) found.uses++
    if (found !== undefined) return false
    known.set(glob, { id: nextId++, uses: 1 })
    const prefix = literalPrefix(glob)
    if (prefix === undefined) return true
    const group = byPrefix.get(prefix)
    if (group === undefined) byPrefix.set(prefix, [glob])
    else group.push(glob)
    prefixLengths.set(prefix.length, (prefixLengths.get(prefix.length) ?? 0) + 1)
    return true
  }

  const release = (glob: string): boolean => {
    const found = known.get(glob)
    if (found === undefined) return false
    found.uses--
    if (found.uses > 0) return false
    known.delete(glob)
    const prefix = literalPrefix(glob)
    if (prefix === undefined) return true
    const group = (byPrefix.get(prefix) ?? []).filter((each) => each !== glob)
    if (group.length === 0) byPrefix.delete(prefix)
    else byPrefix.set(prefix, group)
    const left = (prefixLengths.get(prefix.length) ?? 0) - 1
    if (left === 0) prefixLengths.delete(prefix.length)
    else prefixLengths.set(prefix.length, left)
    return true
  }

  const matching = (name: string): readonly number[] => {
    const found: number[] = []
    const exact = known.get(name)
    // A glob with wildcards may equal the name and match it too (`a[a]` does not, `a*` does): it is found below.
    if (exact !== undefined && literalPrefix(name) === undefined) found.push(exact.id)
    for (const length of prefixLengths.keys()) {
      if (length > name.length) continue
      for (const glob of byPrefix.get(name.slice(0, length)) ?? []) {
        const id = known.get(glob)?.id
        if (id !== undefined && matchGlob(glob, name)) found.push(id)
      }
    }
    return found.length > 1 ? found.sort((one, other) => one - other) : found
  }

  for (const glob of globs) acquire(glob)
  return { idOf: (glob) => known.get(glob)?.id, matching, acquire, release }
}

/** The text ahead of the first wildcard; `undefined` for a glob without any, which matches itself alone. */
export function literalPrefix(glob: string): string | undefined {
  const wildcard = glob.search(/[*?[\\]/)
  return wildcard < 0 ? undefined : glob.slice(0, wildcard)
}
