import { seededRandom } from '@cluster/prelude'
import { describe, expect, it } from 'vitest'
import { KvError } from './errors.ts'
import { type FollowUpdate, follow } from './follow.ts'
import type { Kv } from './kv.ts'
import { createManualClock } from './manual-clock.ts'
import { createModelKv } from './model-kv.ts'

function start(change: (kv: Kv) => Kv = (kv) => kv) {
  const clock = createManualClock()
  const store = createModelKv({ clock })
  const own = store.connect()
  const stop = new AbortController()
  const updates = follow(change(own), '/p', { signal: stop.signal, clock, random: seededRandom(1) })
  return { clock, store, own, stop, updates }
}

/** The next update in a form that is easy to compare. */
async function next(updates: AsyncGenerator<FollowUpdate>): Promise<unknown> {
  const { value, done } = await updates.next()
  if (done === true) return 'ended'
  if (value.kind === 'unavailable') return { unavailable: value.error.code, since: value.sinceMonotonicMs }
  return {
    values: Object.fromEntries([...value.entries].map(([key, entry]) => [key, entry.value])),
    changed: [...value.changedKeys],
    expired: [...value.expiredKeys],
    resync: value.resync,
  }
}

describe('following a prefix', () => {
  it('starts with all of it, then tells each change', async () => {
    const { store, updates, stop } = start()
    await store.put('/p/a', '1')
    expect(await next(updates)).toEqual({ values: { '/p/a': '1' }, changed: ['/p/a'], expired: [], resync: true })
    await store.put('/p/b', '2')
    expect(await next(updates)).toMatchObject({ changed: ['/p/b'], resync: false })
    await store.put('/p/b', '2')
    expect(await next(updates)).toMatchObject({ changed: [], resync: false })
    stop.abort()
    expect(await next(updates)).toBe('ended')
  })

  it('starts with an empty view when the prefix is known to be empty', async () => {
    const { updates } = start()
    expect(await next(updates)).toEqual({ values: {}, changed: [], expired: [], resync: true })
  })

  it('tells which keys expired while it watched', async () => {
    const { store, updates, clock } = start()
    await store.put('/p/a', '1', { ttlSeconds: 5 })
    await next(updates)
    const update = next(updates)
    await clock.advance(5000)
    expect(await update).toEqual({ values: {}, changed: ['/p/a'], expired: ['/p/a'], resync: false })
  })

  it('says once that the store is away, since when, and reads anew when it is back', async () => {
    const { store, own, updates, clock } = start()
    await store.put('/p/a', '1')
    await next(updates)
    own.setUnavailable(true)
    expect(await next(updates)).toEqual({ unavailable: 'kv/unavailable', since: clock.monotonicMs() })
    await store.put('/p/b', '2')
    await store.delete('/p/a')
    const back = next(updates)
    await clock.advance(120_000)
    own.setUnavailable(false)
    await clock.advance(2000)
    // What vanished in between is a change, but nobody saw it expire.
    expect(await back).toEqual({ values: { '/p/b': '2' }, changed: ['/p/b', '/p/a'], expired: [], resync: true })
  })

  it('never gives an empty view of a store that it could not read', async () => {
    const { own, store, updates, clock } = start()
    await store.put('/p/a', '1')
    own.setUnavailable(true)
    expect(await next(updates)).toMatchObject({ unavailable: 'kv/unavailable' })
    const first = next(updates)
    own.setUnavailable(false)
    await clock.advance(2000)
    expect(await first).toMatchObject({ values: { '/p/a': '1' }, resync: true })
  })

  it('notices a frozen store, and what expired when it thaws is not told as expired', async () => {
    const { store, updates, clock } = start()
    await store.put('/p/a', '1', { ttlSeconds: 5 })
    await next(updates)
    const outage = next(updates)
    await clock.advance(0)
    store.freeze()
    await clock.advance(120_000)
    expect(await outage).toMatchObject({ unavailable: 'kv/timeout' })
    const back = next(updates)
    store.thaw()
    await clock.advance(3000)
    expect(await back).toEqual({ values: {}, changed: ['/p/a'], expired: [], resync: true })
  })

  it('reads again at once when history is gone', async () => {
    let isFirst = true
    const { store, updates, clock } = start((kv) => ({
      ...bound(kv),
      // Forgets what happened between the first read and its watch.
      watch: async function* (prefix, after, signal) {
        if (isFirst) {
          isFirst = false
          await store.put('/p/b', '1')
          store.compact()
        }
        yield* kv.watch(prefix, after, signal)
      },
    }))
    await next(updates)
    expect(await next(updates)).toEqual({ values: { '/p/b': '1' }, changed: ['/p/b'], expired: [], resync: true })
    expect(clock.sleepers()).toBe(0)
  })

  it('reads again when events were missed', async () => {
    let isFirst = true
    const { store, updates } = start((kv) => ({
      ...bound(kv),
      watch: async function* (prefix, after, signal) {
        for await (const events of kv.watch(prefix, after, signal)) {
          // The first event is lost on the way.
          if (!isFirst) yield events
          isFirst = false
        }
      },
    }))
    await next(updates)
    const again = next(updates)
    await store.put('/p/a', '1')
    await Promise.resolve()
    for (let turn = 0; turn < 50; turn++) await Promise.resolve()
    await store.delete('/p/a')
    expect(await again).toMatchObject({ values: {}, resync: true })
  })

  it('waits between attempts, longer each time, up to a limit', async () => {
    const { own, updates, clock } = start()
    let reads = 0
    const range = own.range.bind(own)
    own.range = (prefix, signal) => {
      reads += 1
      return range(prefix, signal)
    }
    own.setUnavailable(true)
    await next(updates)
    const back = next(updates)
    await clock.advance(60_000)
    expect(reads).toBeGreaterThanOrEqual(30)
    expect(reads).toBeLessThanOrEqual(70)
    own.setUnavailable(false)
    await clock.advance(2000)
    expect(await back).toMatchObject({ resync: true })
  })

  it('ends at once when the signal fires while the store is away', async () => {
    const { own, updates, stop } = start()
    own.setUnavailable(true)
    await next(updates)
    const end = next(updates)
    stop.abort()
    expect(await end).toBe('ended')
  })

  it('does not hide a prefix that is none, or a bug', async () => {
    const clock = createManualClock()
    const options = { signal: new AbortController().signal, clock, random: seededRandom(1) }
    const kv = createModelKv({ clock })
    await expect(follow(kv, 'p', options).next()).rejects.toMatchObject({ code: 'kv/invalid-key' })
    const broken: Kv = { ...bound(kv), range: () => Promise.reject(new TypeError('bug')) }
    await expect(follow(broken, '/p', options).next()).rejects.toThrow('bug')
    const refusing: Kv = { ...bound(kv), range: () => Promise.reject(new KvError('kv/refused', 'no rights')) }
    expect(await next(follow(refusing, '/p', options))).toMatchObject({ unavailable: 'kv/refused' })
  })
})

const bound = (kv: Kv): Kv => ({
  range: (prefix, signal) => kv.range(prefix, signal),
  get: (key, signal) => kv.get(key, signal),
  put: (key, value, options) => kv.put(key, value, options),
  delete: (key, options) => kv.delete(key, options),
  deletePrefix: (prefix, signal) => kv.deletePrefix(prefix, signal),
  watch: (prefix, after, signal) => kv.watch(prefix, after, signal),
})
