import { describe, expect, it } from 'vitest'
import { escapeGoJson } from '../go-json.ts'
import type { Command, Outcome, StoreEvent, Watcher } from '../v2.ts'
import { renderRefusal } from './render.ts'
import { createStore } from './store.ts'

const nowMs = 1_700_000_000_000

/** A store whose commands are spelled shortly. */
function openTestStore(options: Parameters<typeof createStore>[0] = {}) {
  const store = createStore(options)
  let logIndex = 0
  const apply = (command: Command, timeMs = nowMs): Outcome => store.apply(command, { index: ++logIndex, timeMs })
  const set = (path: string, value = '', more: Partial<Extract<Command, { kind: 'set' }>> = {}) =>
    apply({ kind: 'set', path, value, isDirectory: false, deadlineMs: undefined, isRefresh: false, ...more })
  const update = (path: string, value = '', more: Partial<Extract<Command, { kind: 'update' }>> = {}) =>
    apply({ kind: 'update', path, value, deadlineMs: undefined, isRefresh: false, ...more })
  const remove = (path: string, isRecursive = false) =>
    apply({ kind: 'delete', path, isDirectory: isRecursive, isRecursive })
  const get = (path: string) => store.read(path, { isRecursive: true, isSorted: true }, nowMs)
  const watch = (path: string, isRecursive: boolean, isStream: boolean, fromIndex = 0): Watcher => {
    const watching = store.watch(path, { isRecursive, isStream, fromIndex }, () => undefined)
    if (watching.kind === 'refused') throw new Error(watching.cause)
    return watching.watcher
  }
  return { store, apply, set, update, remove, get, watch }
}

const body = (outcome: { readonly kind: string; readonly body?: string }): unknown => JSON.parse(outcome.body ?? 'null')
const indexes = (events: readonly StoreEvent[]): readonly number[] => events.map((event) => event.index)

describe('answers', () => {
  it('carry the old node, and say whether there was none', () => {
    const { set } = openTestStore()
    expect(set('/1/a', '1')).toEqual({
      kind: 'done',
      index: 1,
      isCreated: true,
      body: '{"action":"set","node":{"key":"/a","value":"1","modifiedIndex":1,"createdIndex":1}}\n',
    })
    expect(set('/1/a', '<2>')).toEqual({
      kind: 'done',
      index: 2,
      isCreated: false,
      body:
        '{"action":"set","node":{"key":"/a","value":"\\u003c2\\u003e","modifiedIndex":2,"createdIndex":2},' +
        '"prevNode":{"key":"/a","value":"1","modifiedIndex":1,"createdIndex":1}}\n',
    })
  })

  it('of an empty root have neither key nor indexes nor nodes', () => {
    expect(openTestStore().get('/1')).toMatchObject({ body: '{"action":"get","node":{"dir":true}}\n' })
  })

  it('name the first missing element, not the key (keys-missing-cause)', () => {
    const { set, get } = openTestStore()
    set('/1/a/b')
    expect(get('/1/a/x/y')).toEqual({ kind: 'refused', code: 100, cause: '/a/x', index: 1 })
    expect(get('/1/a/b/c/d')).toEqual({ kind: 'refused', code: 104, cause: '/a/b', index: 1 })
  })

  it('leave the cause out when it is that of the root (keys-root)', () => {
    const { apply } = openTestStore()
    const outcome = apply({ kind: 'compare-and-delete', path: '/1', compare: { value: 'x', index: undefined } })
    expect(outcome).toEqual({ kind: 'refused', code: 102, cause: '', index: 0 })
    expect(renderRefusal(102, '', 0)).toBe('{"errorCode":102,"message":"Not a file","index":0}\n')
  })

  it('name both sides of a failed comparison, whatever the index (keys-cas-index)', () => {
    const { apply, set } = openTestStore()
    set('/1/a', 'a"b')
    const outcome = apply({
      kind: 'compare-and-swap',
      path: '/1/a',
      value: 'new',
      compare: { value: 'x', index: 2n ** 64n - 1n },
      deadlineMs: undefined,
      isRefresh: false,
    })
    expect(outcome).toMatchObject({ code: 101, cause: '[x != a"b] [18446744073709551615 != 1]' })
    if (outcome.kind === 'refused') expect(escapeGoJson(outcome.cause)).toContain('a\\"b')
  })

  it('of an update of a directory show an index that is not stored (keys-update-dir)', () => {
    const { set, update, get } = openTestStore()
    set('/1/d', '', { isDirectory: true })
    expect(body(update('/1/d'))).toMatchObject({ node: { dir: true, modifiedIndex: 2, createdIndex: 1 } })
    expect(get('/1/d')).toMatchObject({ body: expect.stringContaining('"modifiedIndex":1,"createdIndex":1') })
  })

  it('of an expired directory do not say that it was one (ttl-expire-dir)', () => {
    const { set, apply, watch } = openTestStore()
    set('/1/d', '', { isDirectory: true, deadlineMs: nowMs + 1000 })
    set('/1/d/a', '1')
    const watcher = watch('/1', true, true)
    apply({ kind: 'sync', timeMs: nowMs + 1000 }, nowMs + 1001)
    expect(watcher.take().map((event) => event.body)).toEqual([
      '{"action":"expire","node":{"key":"/d","modifiedIndex":3,"createdIndex":1},"prevNode":{"key":"/d","dir":true,' +
        '"expiration":"2023-11-14T22:13:21Z","modifiedIndex":1,"createdIndex":1}}\n',
    ])
  })

  it('of a child made in order are named by the index, in twenty digits', () => {
    const { apply } = openTestStore()
    const outcome = apply({
      kind: 'create-in-order',
      path: '/1',
      value: 'x',
      isDirectory: false,
      deadlineMs: undefined,
    })
    expect(body(outcome)).toMatchObject({ action: 'create', node: { key: '/00000000000000000001' } })
  })
})

describe('the stats', () => {
  it('count some refusals as success and one failure twice (stats-store)', () => {
    const { store, apply, set, update, remove } = openTestStore()
    set('/1/f')
    set('/1/d', '', { isDirectory: true })
    apply({ kind: 'create', path: '/1/f/x', value: '', isDirectory: false, deadlineMs: undefined })
    update('/1')
    update('/1/d', 'x')
    update('/1/none')
    remove('/1')
    remove('/1/d')
    apply({ kind: 'compare-and-delete', path: '/1/f', compare: { value: 'x', index: undefined } })
    expect(store.stats).toMatchObject({
      setsSuccess: 2,
      setsFail: 1,
      createFail: 1,
      updateSuccess: 2,
      updateFail: 1,
      deleteSuccess: 1,
      deleteFail: 1,
      compareAndDeleteSuccess: 1,
      compareAndDeleteFail: 0,
    })
  })

  it('are in the order of the answer', () => {
    expect(Object.keys(createStore().stats).slice(0, 4)).toEqual(['getsSuccess', 'getsFail', 'setsSuccess', 'setsFail'])
    expect(Object.keys(createStore().stats).at(-1)).toBe('watchers')
  })
})

describe('a watcher', () => {
  it('of a stream is told twice that its own node went, once of others (watch-stream-twice)', () => {
    const { set, remove, watch } = openTestStore()
    set('/1/d/x')
    const own = watch('/1/d', false, true)
    const below = watch('/1/d/x', false, true)
    const never = watch('/1/d/none', true, true)
    const above = watch('/1', true, true)
    remove('/1/d', true)
    expect([own, below, never, above].map((watcher) => watcher.take().length)).toEqual([2, 1, 0, 1])
  })

  it('that finds its event in the history gets one, and as a stream stays open and hears no more (watch-stream-index)', () => {
    const { store, set, watch } = openTestStore()
    for (const value of ['1', '2', '3']) set('/1/a', value)
    const stream = watch('/1/a', false, true, 2)
    set('/1/a', '4')
    expect(indexes(stream.take())).toEqual([2])
    expect(stream.isOver).toBe(false)
    expect(store.stats.watchers).toBe(0)
    expect(watch('/1/a', false, false, 1).isOver).toBe(true)
  })

  it('sees hidden keys in the history but not live (watch-hidden-history)', () => {
    const { set, watch } = openTestStore()
    set('/1/d/_h/x')
    expect(indexes(watch('/1/d', true, false, 1).take())).toEqual([1])
    const live = watch('/1/d', true, true)
    const inside = watch('/1/d/_h', true, true)
    set('/1/d/_h/x')
    expect([live.take().length, inside.take().length]).toEqual([0, 1])
  })

  it('of the past is told of a namesake of a removed directory (watch-dir-delete-history)', () => {
    const { set, remove, watch } = openTestStore()
    set('/1/d/a')
    remove('/1/d', true)
    expect(indexes(watch('/1/dx', false, false, 2).take())).toEqual([2])
  })

  it('is over, not missing single events, when it is a hundred events behind', () => {
    const { set, watch, store } = openTestStore()
    const stream = watch('/1/a', false, true)
    for (let i = 0; i < 102; i++) set('/1/a', `${i}`)
    expect([stream.isOver, stream.isOverrun, store.stats.watchers]).toEqual([true, true, 0])
    expect(indexes(stream.take())).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
  })

  it('is woken once until its queue is taken', () => {
    const { store, set } = openTestStore()
    let woken = 0
    const watching = store.watch('/1/a', { isRecursive: false, isStream: true, fromIndex: 0 }, () => woken++)
    set('/1/a')
    set('/1/a')
    expect(woken).toBe(1)
    if (watching.kind === 'watching') watching.watcher.take()
    set('/1/a')
    expect(woken).toBe(2)
  })

  it('of an index that has left the history is refused with the oldest (watch-outdated)', () => {
    const { store, set } = openTestStore()
    for (let i = 0; i < 1005; i++) set('/1/a', `${i}`)
    expect(store.watch('/1/a', { isRecursive: false, isStream: false, fromIndex: 5 }, () => undefined)).toEqual({
      kind: 'refused',
      code: 401,
      cause: 'the requested history has been cleared [6/5]',
      index: 1005,
    })
  })

  it('finds less of the past when the bodies of the history are large', () => {
    const { store, set } = openTestStore({ historyBytesMax: 10_000 })
    for (let i = 0; i < 10; i++) set(`/1/a${i}`, 'x'.repeat(2000))
    expect(store.watch('/1/a0', { isRecursive: false, isStream: false, fromIndex: 3 }, () => undefined)).toMatchObject({
      code: 401,
      cause: 'the requested history has been cleared [7/3]',
    })
  })

  it.each([true, false])('never sees a refresh (stream: %s)', (isStream) => {
    const { set, watch } = openTestStore()
    set('/1/a', 'kept')
    const live = watch('/1/a', false, isStream)
    const refreshed = set('/1/a', '', { isRefresh: true, deadlineMs: nowMs + 5000 })
    expect(body(refreshed)).toMatchObject({ node: { value: 'kept', ttl: 5 }, prevNode: { value: 'kept' } })
    expect(live.take()).toEqual([])
    expect(watch('/1/a', false, isStream, 2).take()).toEqual([])
  })
})

describe('a sync', () => {
  it('ends a thousand nodes at most, so that nothing stops', () => {
    const { store, set, apply } = openTestStore()
    for (let i = 0; i < 1500; i++) set(`/1/k${i}`, '', { deadlineMs: nowMs + i })
    apply({ kind: 'sync', timeMs: nowMs + 5000 })
    expect([store.nodeCount, store.nextDeadlineMs]).toEqual([502, nowMs + 1000])
    apply({ kind: 'sync', timeMs: nowMs + 5000 })
    expect([store.nodeCount, store.nextDeadlineMs]).toEqual([2, undefined])
  })

  it('ends what has equal deadlines in the order of creation, a directory before what it holds', () => {
    const { set, update, apply, watch } = openTestStore()
    const deadlineMs = nowMs + 10
    set('/1/z/y', '', { deadlineMs })
    set('/1/a', '', { deadlineMs })
    update('/1/z', '', { deadlineMs })
    const watcher = watch('/1', true, true)
    apply({ kind: 'sync', timeMs: nowMs + 10 })
    expect(watcher.take().map((event) => /"key":"([^"]*)"/.exec(event.body)?.[1])).toEqual(['/z', '/a'])
  })
})

describe('what the server asks for itself', () => {
  it('is not counted', () => {
    const { store, set } = openTestStore()
    set('/2/users/b', 'B')
    set('/2/users/_a', 'A')
    expect(store.valueOf('/2/users/b')).toBe('B')
    expect(store.valueOf('/2/users')).toBeUndefined()
    expect(store.childrenOf('/2/users')).toEqual(['_a', 'b'])
    expect(store.childrenOf('/2/users/b')).toBeUndefined()
    store.countRead(true)
    store.countRead(false)
    expect(store.stats).toMatchObject({ getsSuccess: 1, getsFail: 1 })
  })
})
