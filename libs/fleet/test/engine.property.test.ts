import { type Random, seededRandom } from '@cluster/prelude'
import { defaultPolicy, planCluster } from '@cluster/scheduler'
import { expect, it } from 'vitest'
import { engineStateOf } from '../src/engine/held-plan.ts'
import { createKeyspace, createRegistry } from '../src/index.ts'
import { idOf, service, startCluster, type TestCluster } from './test-cluster.ts'

const names = ['a@1.service', 'a@2.service', 'b.service', 'c.service', 'd.service', 'e.service']
const texts = [[], ['Conflicts=a@*.service'], ['MachineOf=b.service'], ['MachineMetadata=disk=ssd'], ['Global=true']]

const oneOf = <T>(random: Random, all: readonly T[]): T => {
  const found = all[Math.floor(random.next() * all.length)]
  if (found === undefined) throw new Error('nothing to choose from')
  return found
}

/** What people, networks and power supplies do. */
async function disturb(cluster: TestCluster, random: Random): Promise<void> {
  const unit = oneOf(random, names)
  const index = oneOf(random, [0, 1, 2, 3])
  const machine = cluster.machine(index)
  const registry = createRegistry(cluster.store, createKeyspace())
  switch (
    oneOf(random, ['put', 'put', 'destroy', 'state', 'foreign', 'cordon', 'uncordon', 'label', 'cut', 'restart'])
  ) {
    case 'put':
      await cluster.put(unit, service(...oneOf(random, texts)))
      break
    case 'destroy':
      await registry.destroyUnit(unit)
      break
    case 'state':
      await cluster.ask('PUT', `/fleet/v1/units/${unit}`, { desiredState: oneOf(random, ['inactive', 'launched']) })
      break
    case 'foreign':
      // Somebody else places units as well: tasks bounce.
      if ((await registry.readUnit(unit)) !== undefined) await registry.schedule(unit, idOf(index))
      break
    case 'cordon':
      await registry.cordon(idOf(index), { drain: random.next() < 0.5 })
      break
    case 'uncordon':
      await registry.uncordon(idOf(index))
      break
    case 'label':
      await registry.setMetadata(idOf(index), 'disk', oneOf(random, ['ssd', 'hdd', '']))
      break
    case 'cut':
      machine.kv.setUnavailable(true)
      await cluster.clock.advance(oneOf(random, [500, 3000, 9000]))
      machine.kv.setUnavailable(false)
      break
    default:
      await machine.kill()
      await cluster.clock.advance(oneOf(random, [0, 8000]))
      await machine.start()
  }
  await cluster.clock.advance(oneOf(random, [0, 1, 50, 2500]))
}

it.each([1, 2, 3, 4, 5, 6])(
  'in the end nothing is left to do for one who plans from scratch (seed %i)',
  async (seed) => {
    const random = seededRandom(seed)
    await using cluster = await startCluster({ size: 4, metadata: [{ disk: 'ssd' }, {}, { disk: 'ssd' }, {}] })
    await cluster.clock.advance(10_000)
    for (let count = 0; count < 40; count++) await disturb(cluster, random)
    await cluster.clock.advance(60_000)
    const view = await createRegistry(cluster.store, createKeyspace()).readView()
    expect(view.machines.size).toBe(4)
    expect(planCluster(engineStateOf(view), defaultPolicy).tasks).toEqual([])
    // And what is placed runs where it is placed.
    for (const { name, machine, targetState, requirements } of view.units.values()) {
      if (requirements.global || targetState !== 'launched' || machine === undefined) continue
      expect([name, cluster.runsOn(name).map(idOf)]).toEqual([name, [machine]])
    }
  },
)
