import { createManualClock, createModelKv, type Kv } from '@cluster/kv'
import { seededRandom, silentLogger, silentMeter } from '@cluster/prelude'
import { expect, it } from 'vitest'
import { createEvents } from './events.ts'
import { createKeyspace } from './keyspace.ts'
import { createNetworkView } from './network-view.ts'

const prefix = '/coreos.com/network'

it('hears of the store again at once when it reconnects, although its watch hangs on a dead connection', async () => {
  const clock = createManualClock()
  const store = createModelKv({ clock })
  let watches = 0
  const kv: Kv = {
    range: (key, signal) => store.range(key, signal),
    get: (key, signal) => store.get(key, signal),
    put: (key, value, options) => store.put(key, value, options),
    delete: (key, options) => store.delete(key, options),
    deletePrefix: (key, signal) => store.deletePrefix(key, signal),
    watch: (key, after, signal) => {
      watches += 1
      return watches === 1 ? silence(signal) : store.watch(key, after, signal)
    },
  }
  const view = createNetworkView({
    kv,
    keyspace: createKeyspace(prefix),
    clock,
    random: seededRandom(1),
    log: silentLogger,
    events: createEvents(silentLogger, silentMeter, ''),
  })
  const stopping = new AbortController()
  const running = view.run(stopping.signal)
  await clock.advance(1000)
  await store.put(`${prefix}/config`, '{}')
  await clock.advance(60_000)
  expect(view.configText()).toBeUndefined()
  view.reconnect()
  await clock.advance(0)
  expect(view.configText()).toBe('{}')
  await store.put(`${prefix}/config`, '{"Network":"10.5.0.0/16"}')
  await clock.advance(1000)
  expect(view.configText()).toBe('{"Network":"10.5.0.0/16"}')
  stopping.abort()
  await running
  await store[Symbol.asyncDispose]()
})

/** What comes from a server that can no longer reach us: nothing, until we give up. */
async function* silence(signal: AbortSignal | undefined): AsyncGenerator<never, void, undefined> {
  await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))
}
