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
  const byPrefix = new Map<string, Glob[]>()
  const prefixLengths = new Map<number, PrefixLength>()
  let nextId = 0

  const countLength = (size: number, by: number): void => {
    const uses = (prefixLengths.get(size)?.uses ?? 0) + by
    if (uses === 0) prefixLengths.delete(size)
    else prefixLengths.set(size, { size, uses, prefix: undefined, globs: undefined })
  }

  const acquire = (glob: string): boolean => {
    const found = known.get(glob)
    if (found !== undefined) found.uses++
    if (found !== undefined) return false
    const id = nextId++
    known.set(glob, { id, uses: 1 })
    const prefix = literalPrefix(glob)
    if (prefix === undefined) return true
    const group = byPrefix.get(prefix)
    const compiled = { id, text: glob, matches: globMatcher(glob) }
    if (group === undefined) byPrefix.set(prefix, [compiled])
    else group.push(compiled)
    countLength(prefix.length, 1)
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
    const group = (byPrefix.get(prefix) ?? []).filter(({ text }) => text !== glob)
    if (group.length === 0) byPrefix.delete(prefix)
    else byPrefix.set(prefix, group)
    countLength(prefix.length, -1)
    return true
  }

  const matching = (name: string): readonly number[] => {
    const found: number[] = []
    const exact = known.get(name)
    // A glob with wildcards may equal the name and match it too (`a[a]` does not, `a*` does): it is found below.
    if (exact !== undefined && literalPrefix(name) === undefined) found.push(exact.id)
    for (const length of prefixLengths.values()) {
      if (length.size > name.length) continue
      if (length.prefix === undefined || !name.startsWith(length.prefix)) {
        length.prefix = name.slice(0, length.size)
        length.globs = byPrefix.get(length.prefix)
      }
      for (const { id, matches } of length.globs ?? []) if (matches(name)) found.push(id)
    }
    return found.length > 1 ? found.sort((one, other) => one - other) : found
  }

  for (const glob of globs) acquire(glob)
  return { idOf: (glob) => known.get(glob)?.id, matching, acquire, release }
}

type Glob = { readonly id: number; readonly text: string; readonly matches: (name: string) => boolean }

/** Names come in order, so the next one mostly begins as the last one did: what was found for it is kept. */
type PrefixLength = {
  readonly size: number
  readonly uses: number
  prefix: string | undefined
  globs: readonly Glob[] | undefined
}

/** `matchGlob` of one glob; most are a text with one star, which is faster to tell. */
function globMatcher(glob: string): (name: string) => boolean {
  const [, prefix, suffix] = /^([ -)+->@-Z^-~]*)\*([ -)+->@-Z^-~]*)$/.exec(glob) ?? []
  if (prefix === undefined || suffix === undefined) return (name) => matchGlob(glob, name)
  const length = prefix.length + suffix.length
  return (name) => {
    if (name.length < length || !name.startsWith(prefix) || !name.endsWith(suffix)) return false
    const slash = name.indexOf('/', prefix.length)
    return slash < 0 || slash >= name.length - suffix.length
  }
}

/** The text ahead of the first wildcard; `undefined` for a glob without any, which matches itself alone. */
export function literalPrefix(glob: string): string | undefined {
  const wildcard = glob.search(/[*?[\\]/)
  return wildcard < 0 ? undefined : glob.slice(0, wildcard)
}
