import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KvEvent, KvSnapshot } from './kv.ts'
import { createManualClock } from './manual-clock.ts'
import { createMirror } from './mirror.ts'
import { createModelKv } from './model-kv.ts'
import { toRevision } from './revision.ts'

const at = toRevision
const snapshot = (revision: number, values: Readonly<Record<string, string>>): KvSnapshot => ({
  revision: at(revision),
  entries: Object.entries(values).map(([key, value]) => ({ key, value, revision: at(revision) })),
})
const put = (key: string, value: string, revision: number): KvEvent => ({
  type: 'put',
  key,
  value,
  revision: at(revision),
})
const remove = (key: string, revision: number, expired = false): KvEvent => ({
  type: 'delete',
  key,
  revision: at(revision),
  expired,
})
const removeTree = (key: string, revision: number, expired = false): KvEvent => ({
  type: 'delete-prefix',
  key,
  revision: at(revision),
  expired,
})
const valuesOf = (mirror: ReturnType<typeof createMirror>) =>
  Object.fromEntries([...mirror.entries.values()].map(({ key, value }) => [key, value]))

describe('a batch of events', () => {
  it.each<[string, readonly KvEvent[], Readonly<Record<string, string>>, readonly string[], readonly string[]]>([
    ['changes a value', [put('/p/a', '2', 6)], { '/p/a': '2', '/p/d/b': '1' }, ['/p/a'], []],
    ['refreshes one', [put('/p/a', '1', 6)], { '/p/a': '1', '/p/d/b': '1' }, [], []],
    ['changes it there and back', [put('/p/a', '2', 6), put('/p/a', '1', 7)], { '/p/a': '1', '/p/d/b': '1' }, [], []],
    ['adds one', [put('/p/c', '1', 6)], { '/p/a': '1', '/p/d/b': '1', '/p/c': '1' }, ['/p/c'], []],
    ['adds and deletes one', [put('/p/c', '1', 6), remove('/p/c', 7)], { '/p/a': '1', '/p/d/b': '1' }, [], []],
    ['deletes one', [remove('/p/a', 6)], { '/p/d/b': '1' }, ['/p/a'], []],
    ['lets one expire', [remove('/p/a', 6, true)], { '/p/d/b': '1' }, ['/p/a'], ['/p/a']],
    [
      'lets one expire and come back',
      [remove('/p/a', 6, true), put('/p/a', '1', 7)],
      { '/p/a': '1', '/p/d/b': '1' },
      [],
      [],
    ],
    ['removes a tree', [removeTree('/p/d', 6)], { '/p/a': '1' }, ['/p/d/b'], []],
    ['lets everything expire', [removeTree('/p', 6, true)], {}, ['/p/a', '/p/d/b'], ['/p/a', '/p/d/b']],
    ['removes an empty tree', [removeTree('/p/none', 6)], { '/p/a': '1', '/p/d/b': '1' }, [], []],
    ['is known already', [remove('/p/x', 4), put('/p/a', '0', 5)], { '/p/a': '1', '/p/d/b': '1' }, [], []],
  ])('%s', (_, events, values, changed, expired) => {
    const mirror = createMirror('/p', snapshot(5, { '/p/a': '1', '/p/d/b': '1' }))
    expect(mirror.applyEvents(events)).toEqual({
      kind: 'moved',
      revision: Math.max(5, ...events.map(({ revision }) => revision)),
      changedKeys: new Set(changed),
      expiredKeys: new Set(expired),
    })
    expect(valuesOf(mirror)).toEqual(values)
  })

  it.each<[string, readonly KvEvent[]]>([
    ['a key it does not know is deleted', [remove('/p/x', 6)]],
    ['a key is deleted twice', [remove('/p/a', 6), remove('/p/a', 7)]],
    ['a key is deleted after its tree', [put('/p/d/n', '1', 6), removeTree('/p/d', 7), remove('/p/d/n', 8)]],
    ['revisions fall', [put('/p/a', '2', 7), put('/p/a', '3', 6)]],
  ])('is refused as a whole when %s', (_, events) => {
    const mirror = createMirror('/p', snapshot(5, { '/p/a': '1', '/p/d/b': '1' }))
    expect(mirror.applyEvents(events).kind).toBe('must-read')
    expect(valuesOf(mirror)).toEqual({ '/p/a': '1', '/p/d/b': '1' })
    expect(mirror.revision()).toBe(5)
  })
})

it('tells what a fresh snapshot changes, also when the store went back in time', () => {
  const mirror = createMirror('/p', snapshot(5, { '/p/a': '1', '/p/b': '1', '/p/c': '1' }))
  const change = mirror.applySnapshot(snapshot(3, { '/p/a': '1', '/p/b': '2', '/p/d': '1' }))
  expect(change).toEqual({
    kind: 'moved',
    revision: 3,
    changedKeys: new Set(['/p/b', '/p/c', '/p/d']),
    expiredKeys: new Set(),
  })
  expect(valuesOf(mirror)).toEqual({ '/p/a': '1', '/p/b': '2', '/p/d': '1' })
})

it('holds what a range would give, after any writes in any batches', async () => {
  const key = fc.constantFrom('/p/a', '/p/b', '/p/d/a', '/p/d/b', '/q/a')
  const write = fc.oneof(
    fc.record({ kind: fc.constant('put' as const), key, value: fc.constantFrom('1', '2') }),
    fc.record({ kind: fc.constant('delete' as const), key, value: fc.constant('') }),
    fc.record({ kind: fc.constant('tree' as const), key: fc.constantFrom('/p/d', '/p'), value: fc.constant('') }),
    fc.record({ kind: fc.constant('take' as const), key, value: fc.constant('') }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 30 }), async (writes) => {
      const kv = createModelKv({ clock: createManualClock() })
      await kv.put('/p/a', '0')
      const mirror = createMirror('/p', await kv.range('/p'))
      const stop = new AbortController()
      const events = kv.watch('/p', mirror.revision(), stop.signal)[Symbol.asyncIterator]()
      const before = new Map([...mirror.entries].map(([name, entry]) => [name, entry.value]))
      const changed = new Set<string>()
      const take = async () => {
        // The last put is always told, so that nobody waits for an event that does not come.
        await kv.put('/p/end', String(kv.revision()))
        while (mirror.revision() < kv.revision()) {
          const batch = await events.next()
          const change = batch.done === true ? undefined : mirror.applyEvents(batch.value)
          if (change?.kind !== 'moved') throw new Error('the mirror lost track')
          for (const name of change.changedKeys) changed.add(name)
        }
      }
      for (const { kind, key: name, value } of writes) {
        if (kind === 'put') await kv.put(name, value)
        else if (kind === 'delete') await kv.delete(name)
        else if (kind === 'tree') await kv.deletePrefix(name)
        else await take()
      }
      await take()
      stop.abort()
      const expected = new Map((await kv.range('/p')).entries.map((entry) => [entry.key, entry]))
      expect(new Map(mirror.entries)).toEqual(expected)
      for (const name of new Set([...before.keys(), ...expected.keys()])) {
        if (before.get(name) !== expected.get(name)?.value) expect(changed).toContain(name)
      }
    }),
  )
})
