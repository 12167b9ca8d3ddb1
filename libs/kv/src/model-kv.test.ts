import { isClusterError } from '@cluster/prelude'
import { describe, expect, it } from 'vitest'
import type { KvEvent } from './kv.ts'
import { createManualClock } from './manual-clock.ts'
import { createModelKv } from './model-kv.ts'
import { toRevision } from './revision.ts'

const open = (options: { historyMax?: number } = {}) => {
  const clock = createManualClock()
  return { clock, kv: createModelKv({ clock, ...options }) }
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error) => (isClusterError(error) ? error.code : String(error)),
  )

/** Collects what a watch says until it ends; `ended` is the code it ended with, or `returned`. */
function collect(batches: AsyncIterable<readonly KvEvent[]>) {
  const events: KvEvent[] = []
  const run = async () => {
    for await (const batch of batches) events.push(...batch)
    return 'returned'
  }
  return { events, ended: run().catch((error) => (isClusterError(error) ? error.code : String(error))) }
}

describe('a store that fails', () => {
  it('refuses everything on the connection that is cut off, and only there', async () => {
    const { kv } = open()
    const other = kv.connect()
    kv.setUnavailable(true)
    expect(await codeOf(kv.range('/'))).toBe('kv/unavailable')
    expect(await codeOf(kv.put('/a', '1'))).toBe('kv/unavailable')
    await other.put('/a', '2')
    kv.setUnavailable(false)
    expect((await kv.get('/a'))?.value).toBe('2')
  })

  it('ends the watches of the connection that is cut off', async () => {
    const { kv, clock } = open()
    const watched = collect(kv.watch('/', kv.revision(), new AbortController().signal))
    await clock.advance(0)
    kv.setUnavailable(true)
    expect(await watched.ended).toBe('kv/unavailable')
  })

  it('answers late when slow, and writes even when the answer comes too late', async () => {
    const { kv, clock } = open()
    kv.setSlow(200)
    const late = kv.put('/a', '1')
    await clock.advance(200)
    expect((await late).ok).toBe(true)
    kv.setSlow(5000)
    const tooLate = codeOf(kv.put('/a', '2'))
    await clock.advance(1000)
    expect(await tooLate).toBe('kv/timeout')
    kv.setSlow(0)
    expect((await kv.get('/a'))?.value).toBe('2')
  })

  it('lets nothing expire while frozen, and catches up with expiries and writes when it thaws', async () => {
    const { kv, clock } = open()
    await kv.put('/short', 'x', { ttlSeconds: 5 })
    const watched = collect(kv.connect().watch('/', kv.revision(), new AbortController().signal))
    await clock.advance(0)
    kv.freeze()
    const write = codeOf(kv.put('/short', 'again', { ttlSeconds: 5 }))
    await clock.advance(120_000)
    expect(await write).toBe('kv/timeout')
    expect(await watched.ended).toBe('kv/timeout')
    kv.thaw()
    const seen = collect(kv.watch('/', toRevision(1), new AbortController().signal))
    await clock.advance(0)
    expect(seen.events.map((event) => event.type)).toEqual(['delete', 'put'])
  })
})

describe('history', () => {
  it('keeps as many events as it is told', async () => {
    const { kv } = open({ historyMax: 3 })
    for (const value of ['1', '2', '3', '4']) await kv.put('/a', value)
    const tooOld = collect(kv.watch('/', toRevision(0), new AbortController().signal))
    expect(await tooOld.ended).toBe('kv/compacted')
    const signal = AbortSignal.abort()
    expect(await collect(kv.watch('/', toRevision(1), signal)).ended).toBe('returned')
  })
})

describe('the clock of keys', () => {
  it('wakes watchers when a key expires, without anybody asking', async () => {
    const { kv, clock } = open()
    await kv.put('/a', '1', { ttlSeconds: 3 })
    await kv.put('/b', '1', { ttlSeconds: 1 })
    const stop = new AbortController()
    const watched = collect(kv.watch('/', kv.revision(), stop.signal))
    await clock.advance(10_000)
    expect(watched.events).toEqual([
      { type: 'delete', key: '/b', revision: 3, expired: true },
      { type: 'delete', key: '/a', revision: 4, expired: true },
    ])
    stop.abort()
    expect(await watched.ended).toBe('returned')
    expect(clock.sleepers()).toBe(0)
  })

  it('stops its timer when disposed of', async () => {
    const { kv, clock } = open()
    await kv.put('/a', '1', { ttlSeconds: 3 })
    expect(clock.sleepers()).toBe(1)
    await kv[Symbol.asyncDispose]()
    expect(clock.sleepers()).toBe(0)
  })
})
