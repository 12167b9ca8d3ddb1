import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRestore, createStore, type Store } from '../src/v2.ts'

const set = (store: Store, path: string, value: string, deadlineMs?: number) =>
  store.apply({ kind: 'set', path, value, isDirectory: false, deadlineMs, isRefresh: false }, { index: 0, timeMs: 0 })

function snapshotOf(store: Store): readonly Uint8Array[] {
  const parts: Uint8Array[] = []
  const snapshot = store.snapshot()
  for (let part = snapshot.next(); part !== undefined; part = snapshot.next()) parts.push(part.slice())
  return parts
}

function restore(parts: readonly Uint8Array[]): Store {
  const target = createRestore()
  for (const part of parts) target.add(part)
  return target.finish()
}

const codeOf = (act: () => unknown): unknown => {
  try {
    act()
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
  return undefined
}

const filled = (): Store => {
  const store = createStore({ partBytesMax: 600 })
  set(store, '/1/a', 'x'.repeat(2000))
  set(store, '/1/d/e', 'ü', 5000)
  set(store, '/1/d/_h', '')
  return store
}

describe('a snapshot', () => {
  it('brings back tree, indexes, deadlines, stats and history', () => {
    const store = filled()
    const copy = restore(snapshotOf(store))
    expect([copy.index, copy.nodeCount, copy.nextDeadlineMs]).toEqual([3, 6, 5000])
    expect(copy.stats).toEqual(store.stats)
    const everything = { isRecursive: true, isSorted: true }
    expect(copy.read('/1', everything, 0)).toEqual(store.read('/1', everything, 0))
    const watching = copy.watch('/1/d', { isRecursive: true, isStream: false, fromIndex: 1 }, () => undefined)
    expect(watching.kind === 'watching' && watching.watcher.take()[0]?.index).toBe(2)
    expect(snapshotOf(restore(snapshotOf(copy)))).toEqual(snapshotOf(copy))
  })

  it('is of the moment in which it was begun', () => {
    const store = filled()
    const before = snapshotOf(store)
    const snapshot = store.snapshot()
    const parts: Uint8Array[] = []
    for (let part = snapshot.next(); part !== undefined; part = snapshot.next()) {
      parts.push(part.slice())
      set(store, '/1/a', `${parts.length}`)
      store.apply({ kind: 'delete', path: '/1/d', isDirectory: true, isRecursive: true }, { index: 0, timeMs: 0 })
      set(store, '/1/n', '')
    }
    expect(parts).toEqual(before)
    expect(before.length).toBeGreaterThan(4)
  })

  it('of format 1 is read, whatever the format of today', async () => {
    // One part a line, in hex; written once and never again.
    const lines = await readFile(new URL('snapshot-version-1.txt', import.meta.url), 'utf8')
    const parts = lines
      .trim()
      .split('\n')
      .map((line) => Uint8Array.from(Buffer.from(line, 'hex')))
    const store = restore(parts)
    expect(store.read('/1', { isRecursive: true, isSorted: true }, 0)).toMatchObject({
      body:
        '{"action":"get","node":{"dir":true,"nodes":[{"key":"/d","dir":true,"nodes":[{"key":"/d/e",' +
        '"value":"\u00c3\u00bc\\"","expiration":"1970-01-01T00:00:07Z","ttl":7,"modifiedIndex":4,"createdIndex":2}],' +
        '"modifiedIndex":2,"createdIndex":2}]}}\n',
    })
    expect(store.valueOf('/1/d/_h')).toBe('v'.repeat(400))
    expect([store.index, store.nextDeadlineMs]).toEqual([5, 7000])
    expect(store.stats).toMatchObject({ getsFail: 1, setsSuccess: 3, updateSuccess: 1, deleteSuccess: 1 })
    const watching = store.watch('/1/a', { isRecursive: false, isStream: false, fromIndex: 2 }, () => undefined)
    expect(watching.kind === 'watching' && watching.watcher.take()).toMatchObject([{ index: 5 }])
  })

  it('of a newer format is named as such', () => {
    const [first] = snapshotOf(filled())
    const newer = Uint8Array.from(first ?? [])
    newer[0] = 2
    expect(codeOf(() => createRestore().add(newer))).toBe('kv-store/unknown-version')
  })

  it('that lacks a part, has one twice, or has something behind its end is refused', () => {
    const parts = snapshotOf(filled())
    const bad = 'kv-store/invalid-snapshot'
    expect(codeOf(() => restore(parts.slice(0, -1)))).toBe(bad)
    expect(codeOf(() => restore(parts.slice(1)))).toBe(bad)
    expect(codeOf(() => restore(parts.filter((_, i) => i !== 2)))).toBe(bad)
    expect(codeOf(() => restore([...parts.slice(0, 2), ...parts.slice(1)]))).toBe(bad)
    expect(codeOf(() => restore([...parts, ...parts.slice(-1)]))).toBe(bad)
    expect(codeOf(() => restore([]))).toBe(bad)
  })

  it('that is damaged is a store or refused by code, never anything else', () => {
    const parts = snapshotOf(filled())
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(255), fc.boolean(), (which, place, byte, isCut) => {
        const damaged = parts.map((part) => Uint8Array.from(part))
        const part = damaged[which % damaged.length] ?? new Uint8Array(0)
        if (isCut) damaged[which % damaged.length] = part.slice(0, place % part.length)
        else part[place % part.length] = byte
        expect([undefined, 'kv-store/invalid-snapshot', 'kv-store/unknown-version']).toContain(
          codeOf(() => restore(damaged)),
        )
      }),
      { numRuns: 400 },
    )
  })
})
