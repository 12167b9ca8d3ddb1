import { seededRandom } from '@cluster/prelude'
import { describe, expect, it } from 'vitest'
import { createRestore, createStore, type Store } from '../src/v2.ts'

const at = { index: 0, timeMs: 0 }
const set = (store: Store, path: string, value: string) =>
  store.apply({ kind: 'set', path, value, isDirectory: false, deadlineMs: undefined, isRefresh: false }, at)
const remove = (store: Store, path: string) =>
  store.apply({ kind: 'delete', path, isDirectory: true, isRecursive: true }, at)

/** Values of all size classes, some of several pages. */
const sizes = [0, 1, 15, 16, 17, 100, 256, 500, 513, 700, 3000, 20_000, 32_768, 32_769, 65_536, 65_537, 200_000]

describe('many keys and large values', () => {
  it('are what was written last, through overwriting, removing and restoring', () => {
    const random = seededRandom(7)
    const pick = (below: number): number => Math.floor(random.next() * below)
    const store = createStore()
    const expected = new Map<string, string>()
    for (let i = 0; i < 20_000; i++) {
      const path = `/1/d${pick(40)}/k${pick(150)}`
      if (pick(4) === 0 && expected.has(path)) {
        remove(store, path)
        expected.delete(path)
      } else {
        const size = sizes[i % 50 === 0 ? pick(sizes.length) : pick(10)] ?? 0
        const value = `${i}`.padEnd(size, 'v').slice(0, size)
        set(store, path, value)
        expected.set(path, value)
      }
      if (i % 4000 === 3999) {
        remove(store, '/1/d7')
        for (const key of [...expected.keys()]) if (key.startsWith('/1/d7/')) expected.delete(key)
      }
    }
    const restore = createRestore()
    const parts = store.snapshot()
    for (let part = parts.next(); part !== undefined; part = parts.next()) {
      expect(part.length).toBeLessThanOrEqual(262_144)
      restore.add(part)
    }
    const copy = restore.finish()
    for (const which of [store, copy]) {
      const wrong = [...expected].filter(([path, value]) => which.valueOf(path) !== value)
      expect(wrong).toEqual([])
      let count = 0
      for (const directory of which.childrenOf('/1') ?? []) count += which.childrenOf(`/1/${directory}`)?.length ?? 0
      expect(count).toBe(expected.size)
    }
  })

  it('take the room of the removed when they are written again', () => {
    const store = createStore()
    const fill = (): void => {
      for (let i = 0; i < 3000; i++) set(store, `/1/d/${i}`, 'v'.repeat(300))
    }
    fill()
    remove(store, '/1/d')
    for (let i = 0; i < 1000; i++) set(store, '/1/other', 'x')
    expect(store.nodeCount).toBe(3)
    fill()
    expect(store.childrenOf('/1/d')?.length).toBe(3000)
  })

  it('are listed in slices that show one moment', () => {
    const store = createStore()
    const names = Array.from({ length: 5000 }, (_, i) => `k${i}`)
    for (const name of names) set(store, `/1/d/${name}`, 'old')
    for (const isSorted of [false, true]) {
      const reading = store.read('/1/d', { isRecursive: false, isSorted }, 0)
      if (reading.kind !== 'sliced') throw new Error('not sliced')
      let body = ''
      let step = 0
      for (let part = reading.next(); part !== undefined; part = reading.next()) {
        body += part
        // Between any two parts: a change, a removal and an addition at both ends.
        set(store, `/1/d/${names[step] ?? ''}`, 'new')
        remove(store, `/1/d/${names[4999 - step] ?? ''}`)
        set(store, `/1/d/added${step}`, 'new')
        step++
      }
      const answer: unknown = JSON.parse(body)
      const listed = isObject(answer) && isObject(answer['node']) ? answer['node']['nodes'] : undefined
      const nodes = (Array.isArray(listed) ? listed : []).filter(isObject)
      const seen = nodes.map((node) => `${node['key']}`)
      if (isSorted) expect(seen).toEqual([...seen].sort())
      else {
        expect(seen).toEqual(names.map((name) => `/d/${name}`))
        expect(new Set(nodes.map((node) => node['value']))).toEqual(new Set(['old']))
      }
      expect(reading.next()).toBeUndefined()
      for (const name of store.childrenOf('/1/d') ?? []) if (name.startsWith('added')) remove(store, `/1/d/${name}`)
      for (const name of names) set(store, `/1/d/${name}`, 'old')
    }
  })

  it('in one path of very many elements take no longer than as many paths', () => {
    const store = createStore()
    const path = `/1${'/d'.repeat(100_000)}`
    const woken: number[] = []
    store.watch('/1/d', { isRecursive: true, isStream: true, fromIndex: 0 }, () => woken.push(store.index))
    set(store, path, 'deep')
    expect([store.nodeCount, store.valueOf(path), woken]).toEqual([100_002, 'deep', [1]])
    const listing = { path: '/1', isRecursive: true, isSorted: false }
    expect(store.apply({ kind: 'get', ...listing }, at)).toMatchObject({ kind: 'done', body: '', isTooLarge: true })
    remove(store, '/1/d')
    for (let i = 0; i < 60; i++) store.apply({ kind: 'sync', timeMs: 0 }, at)
    expect([store.nodeCount, store.childrenOf('/1')]).toEqual([2, []])
  })

  it('can be removed while versions of them wait to be given back', () => {
    const store = createStore({ sliceNodesMax: 10 })
    const names = Array.from({ length: 300 }, (_, i) => `/1/d/k${i}`)
    for (let round = 0; round < 3; round++) {
      for (const name of names) set(store, name, 'old')
      const reading = store.read('/1/d', { isRecursive: false, isSorted: false }, 0)
      for (const name of names) set(store, name, 'new')
      if (reading.kind === 'sliced') reading.close()
      // The last first: the versions of these wait longest.
      for (const name of names.slice(100).reverse()) remove(store, name)
      remove(store, '/1/d')
    }
    for (let i = 0; i < 10; i++) store.apply({ kind: 'sync', timeMs: 0 }, at)
    set(store, '/1/d/k1', 'again')
    expect([store.nodeCount, store.childrenOf('/1/d')]).toEqual([4, ['k1']])
  })

  it('can be given up half-way', () => {
    const store = createStore()
    for (let i = 0; i < 3000; i++) set(store, `/1/d/${i}`, 'x')
    const reading = store.read('/1', { isRecursive: true, isSorted: false }, 0)
    if (reading.kind !== 'sliced') throw new Error('not sliced')
    reading.next()
    reading.close()
    expect(reading.next()).toBeUndefined()
    remove(store, '/1/d')
    expect(store.read('/1', { isRecursive: true, isSorted: false }, 0)).toMatchObject({ kind: 'done' })
  })
})

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
