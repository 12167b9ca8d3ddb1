import { expect, it } from 'vitest'
import { createChangeHub } from './signals.ts'

const listenTo = (hub: ReturnType<typeof createChangeHub>) => {
  const stop = new AbortController()
  return { stop, changes: hub.listen(stop.signal)[Symbol.asyncIterator]() }
}

it('gives a slow listener one set of all that changed', async () => {
  const hub = createChangeHub()
  const { changes } = listenTo(hub)
  hub.announce(['a'])
  hub.announce(['b', 'a'])
  expect(await changes.next()).toEqual({ done: false, value: new Set(['a', 'b']) })
})

it('wakes a listener that waits', async () => {
  const hub = createChangeHub()
  const { changes } = listenTo(hub)
  const next = changes.next()
  hub.announce(['a'])
  expect(await next).toEqual({ done: false, value: new Set(['a']) })
})

it('tells every listener, each in its own time', async () => {
  const hub = createChangeHub()
  const one = listenTo(hub)
  const two = listenTo(hub)
  hub.announce(['a'])
  expect((await one.changes.next()).value).toEqual(new Set(['a']))
  hub.announce(['b'])
  expect((await two.changes.next()).value).toEqual(new Set(['a', 'b']))
})

it('ends when the signal fires, when the hub closes, and when it was already over', async () => {
  const hub = createChangeHub()
  const one = listenTo(hub)
  const next = one.changes.next()
  one.stop.abort()
  expect((await next).done).toBe(true)
  const two = listenTo(hub)
  const other = two.changes.next()
  hub.close()
  expect((await other).done).toBe(true)
  const late = listenTo(hub)
  hub.announce(['a'])
  expect((await late.changes.next()).done).toBe(true)
  expect((await hub.listen(AbortSignal.abort())[Symbol.asyncIterator]().next()).done).toBe(true)
})

it('an announcement of nothing wakes nobody', async () => {
  const hub = createChangeHub()
  const { changes } = listenTo(hub)
  const next = changes.next()
  hub.announce([])
  hub.announce(['a'])
  expect((await next).value).toEqual(new Set(['a']))
})
