import { createManualClock, createModelKv, type DeleteOptions, type Kv } from '@cluster/kv'
import { assert } from '@cluster/prelude'
import { expect, it } from 'vitest'
import { releaseLease } from './release-lease.ts'

const key = '/coreos.com/network/subnets/10.5.3.0-24'
const value = '{"PublicIP":"10.78.0.11"}'

/** A store that tells of the deletions that it is asked for. */
function tellingStore() {
  const store = createModelKv({ clock: createManualClock() })
  const deletions: (DeleteOptions | undefined)[] = []
  const kv: Kv = {
    range: (prefix, signal) => store.range(prefix, signal),
    get: (one, signal) => store.get(one, signal),
    put: (one, text, options) => store.put(one, text, options),
    delete: (one, options) => {
      deletions.push(options)
      return store.delete(one, options)
    },
    deletePrefix: (prefix, signal) => store.deletePrefix(prefix, signal),
    watch: (prefix, after, signal) => store.watch(prefix, after, signal),
  }
  return { kv, deletions, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

it('deletes without a condition, which is the only way that the original understands', async () => {
  await using store = tellingStore()
  const put = await store.kv.put(key, value, { ttlSeconds: 86_400 })
  assert(put.ok, 'a put without a condition')
  expect(await releaseLease(store.kv, { key, value, revision: put.value })).toMatchObject({ ok: true })
  expect(store.deletions).toEqual([{}])
  expect(await store.kv.get(key)).toBeUndefined()
})

it('leaves a lease alone that somebody else has by now', async () => {
  await using store = tellingStore()
  const put = await store.kv.put(key, value)
  assert(put.ok, 'a put without a condition')
  await store.kv.put(key, '{"PublicIP":"10.78.0.12"}')
  const released = await releaseLease(store.kv, { key, value, revision: put.value })
  expect(released).toMatchObject({ ok: false, error: { found: { value: '{"PublicIP":"10.78.0.12"}' } } })
  expect(store.deletions).toEqual([])
})

it('says so when the lease is gone', async () => {
  await using store = tellingStore()
  const put = await store.kv.put(key, value)
  assert(put.ok, 'a put without a condition')
  await store.kv.delete(key)
  const released = await releaseLease(store.kv, { key, value, revision: put.value })
  expect(released.ok ? undefined : released.error.found).toBeUndefined()
  expect(released.ok).toBe(false)
})
