import { afterEach, expect, it } from 'vitest'
import { idOf, service, startCluster, type TestCluster } from './test-cluster.ts'

const clusters: TestCluster[] = []
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster[Symbol.asyncDispose]()
})
async function start(size = 3): Promise<TestCluster> {
  const cluster = await startCluster({ size })
  clusters.push(cluster)
  await cluster.clock.advance(10_000)
  return cluster
}
const cordon = (cluster: TestCluster, index: number, body?: object): Promise<{ readonly status: number }> =>
  cluster.ask('PUT', `/fleet/v1/cordons/${idOf(index)}`, body)
const uncordon = (cluster: TestCluster, index: number) => cluster.ask('DELETE', `/fleet/v1/cordons/${idOf(index)}`)
const placeOf = (cluster: TestCluster, unit: string) => cluster.value(`job/${unit}/target`)

it('a cordoned machine keeps what it has and gets nothing more, also after it was away', async () => {
  const cluster = await start(2)
  await cluster.put('a.service', service())
  await cluster.clock.advance(10)
  expect(cluster.runsOn('a.service')).toEqual([0])
  expect((await cordon(cluster, 1)).status).toBe(204)
  for (const unit of ['b.service', 'c.service']) await cluster.put(unit, service())
  await cluster.clock.advance(10)
  expect([cluster.runsOn('b.service'), cluster.runsOn('c.service')]).toEqual([[0], [0]])
  expect((await cluster.ask('GET', '/fleet/v1/machines')).json['machines']).toMatchObject([
    { id: idOf(0) },
    { id: idOf(1), cordon: 'cordoned' },
  ])
  expect((await cluster.ask('GET', '/fleet/v1/cordons')).json).toEqual({
    cordons: [{ drain: false, machineID: idOf(1) }],
  })
  await cluster.machine(1).powerOff()
  await cluster.clock.advance(10_000)
  await cluster.machine(1).start()
  await cluster.clock.advance(1000)
  await cluster.put('d.service', service())
  await cluster.clock.advance(10)
  expect(cluster.runsOn('d.service')).toEqual([0])
  const why = await cluster.ask('GET', '/fleet/v1/units/d.service/why')
  expect(why.text).toContain('"rule":"cordoned"')
  await uncordon(cluster, 1)
  await cluster.put('e.service', service())
  await cluster.clock.advance(10)
  expect(cluster.runsOn('e.service')).toEqual([1])
  expect((await cluster.ask('GET', '/fleet/v1/cordons')).json).toEqual({ cordons: [] })
})

it('a drained machine is left by what fits elsewhere, and keeps what does not, until somebody ends the drain', async () => {
  const cluster = await start()
  await cluster.put('here.service', service(`MachineID=${idOf(1)}`))
  await cluster.put('global.service', service('Global=true'))
  for (const n of [1, 2, 3]) await cluster.put(`w@${n}.service`, service('Conflicts=w@*.service'))
  await cluster.put('free.service', service())
  await cluster.clock.advance(100)
  const onOne = ['w@1.service', 'w@2.service', 'w@3.service'].find((unit) => cluster.runsOn(unit).includes(1))
  expect(onOne).toBeDefined()
  expect((await cordon(cluster, 1, { drain: true })).status).toBe(204)
  await cluster.clock.advance(1000)
  expect(cluster.runsOn('free.service')).not.toEqual([1])
  // Every other machine has one of its kind, and one names this machine.
  expect(cluster.runsOn(onOne ?? '')).toEqual([1])
  expect(cluster.runsOn('here.service')).toEqual([1])
  expect(cluster.runsOn('global.service')).toEqual([0, 1, 2])
  // Room elsewhere is taken as soon as there is some.
  await cluster.ask('DELETE', `/fleet/v1/units/${onOne === 'w@1.service' ? 'w@2.service' : 'w@1.service'}`)
  await cluster.clock.advance(1000)
  expect(cluster.runsOn(onOne ?? '')).not.toEqual([1])
  expect(cluster.runsOn(onOne ?? '')).toHaveLength(1)
  expect((await cluster.ask('GET', '/fleet/v1/machines')).text).toContain('"cordon":"draining"')

  await uncordon(cluster, 1)
  await cluster.put('back.service', service())
  await cluster.clock.advance(100)
  expect(cluster.runsOn('back.service')).toEqual([1])
})

it('a drain goes on under a new leader, and a drained machine that dies keeps its cordon', async () => {
  const cluster = await start()
  await cluster.put('a.service', service())
  await cluster.put('b.service', service())
  await cluster.clock.advance(100)
  await cluster.machine(0).kill()
  expect((await cluster.ask('PUT', `/fleet/v1/cordons/${idOf(1)}`, { drain: true }, cluster.machine(2))).status).toBe(
    204,
  )
  await cluster.clock.advance(30_000)
  expect([await placeOf(cluster, 'a.service'), await placeOf(cluster, 'b.service')]).toEqual([idOf(2), idOf(2)])
  await cluster.machine(1).powerOff()
  await cluster.clock.advance(10_000)
  expect((await cluster.ask('GET', '/fleet/v1/cordons', undefined, cluster.machine(2))).json).toEqual({
    cordons: [{ drain: true, machineID: idOf(1) }],
  })
})

it.each([
  ['/fleet/v1/cordons/m1', 'PUT', '{"drain":1}', 400],
  ['/fleet/v1/cordons/m1', 'PUT', '[1]', 400],
  ['/fleet/v1/cordons/m1', 'PUT', '7', 400],
  ['/fleet/v1/cordons/m1', 'PUT', '{', 400],
  ['/fleet/v1/cordons/m%20x', 'PUT', '', 400],
  ['/fleet/v1/cordons/m1', 'GET', '', 405],
  ['/fleet/v1/cordons', 'PUT', '', 405],
  ['/fleet/v1/cordons/m1/x', 'PUT', '', 404],
  ['/fleet/v1/brake', 'PUT', '', 405],
  ['/fleet/v1/brake/x', 'GET', '', 404],
])('%s by %s with %j is answered %i', async (path, method, body, status) => {
  const cluster = await start(1)
  expect((await cluster.ask(method, path, body === '' ? undefined : body)).status).toBe(status)
})
