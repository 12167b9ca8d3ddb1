/**
 * A map that is handed out as it is and copied before its next change: who was given it keeps one moment, and as long as
 * nothing changes nobody pays for that.
 */
export type SharedMap<K, V> = {
  readonly get: (key: K) => V | undefined
  readonly has: (key: K) => boolean
  readonly set: (key: K, value: V) => void
  readonly delete: (key: K) => void
  /** The map as it is now; it never changes. */
  readonly share: () => ReadonlyMap<K, V>
}

/** An empty one. */
export function createSharedMap<K, V>(): SharedMap<K, V> {
  let map = new Map<K, V>()
  let isShared = false
  const own = (): Map<K, V> => {
    if (isShared) map = new Map(map)
    isShared = false
    return map
  }
  return {
    get: (key) => map.get(key),
    has: (key) => map.has(key),
    set: (key, value) => void own().set(key, value),
    delete: (key) => {
      if (map.has(key)) own().delete(key)
    },
    share: () => {
      isShared = true
      return map
    },
  }
}
