/**
 * A map of which moments are handed out: who was given one keeps it while the map goes on. A moment costs neither a copy
 * of the map nor of what it holds, only of the changes since the map was last made whole, about the root of its size.
 */
export type SharedMap<K, V> = {
  readonly get: (key: K) => V | undefined
  readonly set: (key: K, value: V) => void
  readonly delete: (key: K) => void
  /** The map as it is now; it never changes. */
  readonly share: () => ReadonlyMap<K, V>
}

/** A key that the whole map has and that is deleted; no value is this one. */
const gone = Symbol('gone')

/** So many changes are carried along whatever the size. */
const changesMin = 64

/** An empty one. */
export function createSharedMap<K, V>(): SharedMap<K, V> {
  /** Whole but for `changes`; as long as it was never handed out it has no changes but is changed itself. */
  let whole = new Map<K, V>()
  let changes = new Map<K, V | typeof gone>()
  let size = 0
  let isHandedOut = false
  let moment: ReadonlyMap<K, V> | undefined

  const get = (key: K): V | undefined => {
    const changed = changes.get(key)
    if (changed === gone) return undefined
    return changed ?? whole.get(key)
  }
  const change = (key: K, value: V | typeof gone): void => {
    if (!isHandedOut) {
      if (value === gone) whole.delete(key)
      else whole.set(key, value)
      return
    }
    if (moment !== undefined) changes = new Map(changes)
    moment = undefined
    changes.set(key, value)
    if (changes.size < changesMin || changes.size * changes.size < whole.size) return
    whole = new Map(whole)
    for (const [each, changed] of changes) {
      if (changed === gone) whole.delete(each)
      else whole.set(each, changed)
    }
    changes = new Map()
    isHandedOut = false
  }
  const has = (key: K): boolean => {
    const changed = changes.get(key)
    return changed === undefined ? whole.has(key) : changed !== gone
  }

  return {
    get,
    set(key, value) {
      if (!has(key)) size++
      change(key, value)
    },
    delete(key) {
      if (!has(key)) return
      size--
      change(key, gone)
    },
    share() {
      isHandedOut = true
      moment ??= changes.size === 0 ? whole : layered(whole, changes, size)
      return moment
    },
  }
}

/** One map over another, neither of which changes any more. */
function layered<K, V>(whole: ReadonlyMap<K, V>, changes: ReadonlyMap<K, V | typeof gone>, size: number) {
  function* entries(): Generator<[K, V], undefined> {
    for (const [key, value] of whole) {
      const changed = changes.get(key)
      if (changed !== gone) yield [key, changed ?? value]
    }
    for (const [key, value] of changes) if (value !== gone && !whole.has(key)) yield [key, value]
  }
  function* keys(): Generator<K, undefined> {
    for (const [key] of entries()) yield key
  }
  function* values(): Generator<V, undefined> {
    for (const [, value] of entries()) yield value
  }
  const map: ReadonlyMap<K, V> = {
    size,
    get(key) {
      const changed = changes.get(key)
      if (changed === gone) return undefined
      return changed ?? whole.get(key)
    },
    has(key) {
      const changed = changes.get(key)
      return changed === undefined ? whole.has(key) : changed !== gone
    },
    entries,
    keys,
    values,
    [Symbol.iterator]: entries,
    forEach(callback) {
      for (const [key, value] of entries()) callback(value, key, map)
    },
  }
  return map
}
