/** What the engine tidies away must not be what somebody is writing at that moment. */
import { createManualClock, createModelKv, type Kv } from '@cluster/kv'
import { expect, it } from 'vitest'
import { createKeyspace } from '../src/registry/keyspace.ts'
import { createRegistry } from '../src/registry/registry.ts'

const unit = { name: 'a.service', hash: '11'.repeat(20), text: '[Service]\nExecStart=/bin/true\n' }
const keyspace = createKeyspace('/f')

it('leftovers that are written again by the creation of their unit stay', async () => {
  await using store = createModelKv({ clock: createManualClock() })
  const registry = createRegistry(store, keyspace)
  await store.put(keyspace.targetState(unit.name), 'launched')
  const leftovers = (await registry.readView()).leftovers.get(unit.name)?.keys ?? []
  expect(leftovers).toHaveLength(1)
  await registry.createUnit(unit, 'launched')
  await registry.removeLeftovers(leftovers)
  expect((await registry.readView()).units.get(unit.name)?.targetState).toBe('launched')
})

it('leftovers that nobody touches go', async () => {
  await using store = createModelKv({ clock: createManualClock() })
  const registry = createRegistry(store, keyspace)
  await store.put(keyspace.targetState(unit.name), 'launched')
  await registry.removeLeftovers((await registry.readView()).leftovers.get(unit.name)?.keys ?? [])
  expect((await store.range('/f')).entries).toEqual([])
})

it.each([0, 1, 2, 3, 4])(
  'a text that is collected after %i writes of a creation is there in the end',
  async (after) => {
    await using store = createModelKv({ clock: createManualClock() })
    await createRegistry(store, keyspace).createUnit(unit, 'launched')
    await store.deletePrefix(keyspace.job(unit.name))
    const [waste] = (await createRegistry(store, keyspace).readView()).unreferencedTexts
    if (waste === undefined) throw new Error('the text is not waste')
    const [hash, revision] = waste

    let writes = 0
    const collect = async (): Promise<void> => {
      if (writes++ === after) await createRegistry(store, keyspace).removeText(hash, revision)
    }
    const interrupted: Pick<Kv, 'put'> = {
      put: async (...put) => {
        await collect()
        return store.put(...put)
      },
    }
    const { range, get, watch, deletePrefix, delete: remove } = bound(store)
    const kv: Kv = { range, get, watch, deletePrefix, delete: remove, ...interrupted }
    await createRegistry(kv, keyspace).createUnit(unit, 'launched')
    await collect()
    const view = await createRegistry(store, keyspace).readView()
    expect([...view.units.keys()]).toEqual([unit.name])
  },
)

const bound = (kv: Kv): Kv => ({
  range: (...given) => kv.range(...given),
  get: (...given) => kv.get(...given),
  put: (...given) => kv.put(...given),
  delete: (...given) => kv.delete(...given),
  deletePrefix: (...given) => kv.deletePrefix(...given),
  watch: (...given) => kv.watch(...given),
})
