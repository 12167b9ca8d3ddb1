import { setImmediate } from 'node:timers/promises'
import { createManualClock, createModelKv, type Kv } from '@cluster/kv'
import { type Logger, seededRandom, silentLogger } from '@cluster/prelude'
import { expect, it } from 'vitest'
import { createObservedCluster } from './observed-cluster.ts'
import { encodeMachine } from './registry/codec.ts'
import { createKeyspace } from './registry/keyspace.ts'
import { createStoreHealth } from './store-health.ts'

it('a burst of own writes that all come back, each late, is no sign of a loose watch; one that stays away is', async () => {
  const clock = createManualClock()
  await using store = createModelKv({ clock })
  const kv: Kv = {
    range: (...given) => store.range(...given),
    get: (...given) => store.get(...given),
    put: (...given) => store.put(...given),
    delete: (...given) => store.delete(...given),
    deletePrefix: (...given) => store.deletePrefix(...given),
    watch: async function* (...given) {
      for await (const events of store.watch(...given)) {
        await clock.sleep(30)
        yield events
      }
    },
  }
  const warnings: string[] = []
  const log: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) }
  const observed = createObservedCluster({
    kv,
    keyspace: createKeyspace('/f'),
    health: createStoreHealth(clock.monotonicMs, 4500),
    clock,
    random: seededRandom(1),
    log,
    losses: { ttlMs: 6000, deletedGraceMs: 2000 },
    looseAfterMs: 6000,
  })
  const write = async (key: string, value: string): Promise<void> => {
    const written = await store.put(key, value)
    if (written.ok) observed.wrote(written.value)
  }
  const stop = new AbortController()
  const ended = observed.run(stop.signal)
  await clock.advance(10)
  for (let count = 0; count < 2000; count++) {
    await write('/f/job/a.service/target', `m${count}`)
    await clock.advance(10)
  }
  expect(warnings).toEqual([])
  await clock.advance(100)
  // No watch of the prefix ever brings this one.
  await write('/elsewhere', 'x')
  await clock.advance(10_000)
  expect(warnings).toEqual(['the watch of the store is behind, reading again'])
  stop.abort()
  await clock.advance(100)
  await ended
})

it('a large registry is read with pauses; until it is read the view before stands, and tells what differs only then', async () => {
  const clock = createManualClock()
  await using store = createModelKv({ clock })
  const keyspace = createKeyspace('/f')
  const ids = Array.from({ length: 400 }, (_, index) => `m${index}`)
  const register = async (id: string, version: string): Promise<void> => {
    const value = encodeMachine({ id, publicIp: '', metadata: { version }, engineDisabled: false, version })
    await store.put(keyspace.machine(id), value)
  }
  for (const id of ids) await register(id, '1')
  const connection = store.connect()
  const observed = createObservedCluster({
    kv: connection,
    keyspace,
    health: createStoreHealth(clock.monotonicMs, 4500),
    clock,
    random: seededRandom(1),
    log: silentLogger,
    losses: { ttlMs: 6000, deletedGraceMs: 2000 },
    looseAfterMs: 6000,
  })
  const stop = new AbortController()
  const ended = observed.run(stop.signal)
  const versions = (): ReadonlySet<unknown> =>
    new Set([...(observed.view()?.machines.values() ?? [])].map(({ version }) => version))
  const seen: ReadonlySet<unknown>[] = []
  const until = async (version: string): Promise<void> => {
    while (!versions().has(version)) {
      seen.push(versions())
      await clock.advance(1)
      await setImmediate()
    }
  }
  await until('1')
  expect(observed.takeTouched()).toEqual({ units: new Set(), machines: new Set(ids) })
  expect(observed.takeTouched()).toEqual({ units: new Set(), machines: new Set() })

  connection.setUnavailable(true)
  for (const id of ids) await register(id, '2')
  await clock.advance(1000)
  connection.setUnavailable(false)
  await until('2')
  expect(versions()).toEqual(new Set(['2']))
  expect(observed.takeTouched().machines).toEqual(new Set(ids))
  // Never a part of it.
  expect(Math.max(...seen.map(({ size }) => size))).toBeLessThanOrEqual(1)
  stop.abort()
  await clock.advance(10)
  await ended
})
