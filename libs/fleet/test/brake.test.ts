import { afterEach, expect, it } from 'vitest'
import { idOf, service, startCluster, type TestCluster, type TestClusterOptions } from './test-cluster.ts'

const clusters: TestCluster[] = []
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster[Symbol.asyncDispose]()
})

/** Ten machines with two units each. */
async function start(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await startCluster({ size: 10, ...options })
  clusters.push(cluster)
  // Losses are certain at once only in a store that has been well for a while.
  await cluster.clock.advance(10_000)
  for (const unit of units) await cluster.put(unit, service())
  await cluster.clock.advance(100)
  return cluster
}
const units = Array.from({ length: 20 }, (_, index) => `u${`${index}`.padStart(2, '0')}.service`)
const lose = (cluster: TestCluster, indexes: readonly number[]): Promise<unknown> =>
  Promise.all(indexes.map((index) => cluster.machine(index).powerOff()))
const placesOf = async (cluster: TestCluster): Promise<readonly (string | undefined)[]> =>
  Promise.all(units.map((unit) => cluster.value(`job/${unit}/target`)))
const running = (cluster: TestCluster): number => units.filter((unit) => cluster.runsOn(unit).length === 1).length
const stranded = async (cluster: TestCluster, indexes: readonly number[]): Promise<number> => {
  const lost = new Set(indexes.map(idOf))
  return (await placesOf(cluster)).filter((place) => place !== undefined && lost.has(place)).length
}
const said = (cluster: TestCluster, message: RegExp): readonly string[] =>
  cluster.machines.flatMap(({ log }) => log.map((line) => line.message).filter((line) => message.test(line)))
const brake = async (cluster: TestCluster, asked = cluster.machine(0)) =>
  (await cluster.ask('GET', '/fleet/v1/brake', undefined, asked)).json

const half = [5, 6, 7, 8, 9]

it('units of machines that vanish together stay, but for a third of all; everything else goes on', async () => {
  const cluster = await start()
  expect(running(cluster)).toBe(20)
  await lose(cluster, half)
  await cluster.clock.advance(90_000)
  const left = await stranded(cluster, half)
  expect(left).toBeGreaterThanOrEqual(4)
  expect(await brake(cluster)).toMatchObject({ held: true, allowed: 6, placedUnits: 20 })
  expect(said(cluster, /^the brake holds: .* machines vanished at once/)).toHaveLength(1)
  const list = await cluster.ask('GET', '/fleet/v1/machines')
  expect(list.headers['Warning']).toContain('the brake holds')
  const held = units[(await placesOf(cluster)).findIndex((place) => half.map(idOf).includes(place ?? ''))] ?? ''
  expect((await cluster.ask('GET', `/fleet/v1/units/${held}/why`)).text).toContain('the brake holds')
  await cluster.put('new.service', service())
  await cluster.clock.advance(100)
  expect(cluster.runsOn('new.service')).toHaveLength(1)

  expect((await cluster.ask('DELETE', '/fleet/v1/brake')).status).toBe(204)
  await cluster.clock.advance(100)
  expect(await stranded(cluster, half)).toBe(0)
  expect(running(cluster)).toBe(20)
  await cluster.clock.advance(5000)
  expect(await brake(cluster)).toEqual({ held: false, released: [] })
  expect((await cluster.keys()).filter((key) => key.startsWith('brake/'))).toEqual([])
  expect((await cluster.ask('DELETE', '/fleet/v1/brake')).status).toBe(409)
  expect(said(cluster, /^the brake holds no longer/)).toHaveLength(1)
})

it('machines that come back release it by themselves, and go on with their units', async () => {
  const cluster = await start()
  await lose(cluster, half)
  await cluster.clock.advance(30_000)
  const before = await placesOf(cluster)
  expect(await brake(cluster)).toMatchObject({ held: true })
  for (const index of half) await cluster.machine(index).start()
  await cluster.clock.advance(10_000)
  expect(await placesOf(cluster)).toEqual(before)
  expect(running(cluster)).toBe(20)
  expect(await brake(cluster)).toEqual({ held: false, released: [] })
})

it('a leader that takes over holds what the one before held, and heeds a release', async () => {
  const cluster = await start()
  await lose(cluster, half)
  await cluster.clock.advance(30_000)
  const left = await stranded(cluster, half)
  const leader = cluster.machines.findIndex(({ id }) => cluster.machine(0).id === id)
  await cluster.machine(leader).stop()
  await cluster.machine(leader).start()
  await cluster.clock.advance(30_000)
  expect(said(cluster, /^engine leads$/).length).toBeGreaterThan(1)
  expect(await stranded(cluster, half)).toBe(left)
  expect(await brake(cluster)).toMatchObject({ held: true })

  // The release is written while nobody leads.
  const leading = (await cluster.value('lease/engine-leader')) ?? ''
  const index = cluster.machines.findIndex(({ id }) => leading.includes(id))
  await cluster.machine(index).kill()
  const asked = cluster.machine(index === 0 ? 1 : 0)
  expect((await cluster.ask('DELETE', '/fleet/v1/brake', undefined, asked)).status).toBe(204)
  await cluster.clock.advance(30_000)
  expect(await stranded(cluster, half)).toBe(0)
})

it('a release is over for a machine that came back, while it goes on for the others', async () => {
  const cluster = await start()
  for (const index of [5, 6]) await cluster.put(`only-${index}.service`, service(`MachineID=${idOf(index)}`))
  await cluster.clock.advance(100)
  await lose(cluster, half)
  await cluster.clock.advance(30_000)
  expect((await cluster.ask('DELETE', '/fleet/v1/brake')).status).toBe(204)
  await cluster.clock.advance(10_000)
  expect(await brake(cluster)).toEqual({ held: false, released: half.map(idOf).sort() })
  await cluster.machine(5).start()
  await cluster.clock.advance(10_000)
  expect(await brake(cluster)).toEqual({ held: false, released: [idOf(6)] })
  await cluster.clock.advance(700_000)
  expect((await cluster.keys()).filter((key) => key.startsWith('brake/'))).toEqual([])
})

it('what an engine held back long ago is not told of any more when nothing is left of it', async () => {
  const cluster = await startCluster({ size: 3, config: { engineDisabled: true } })
  clusters.push(cluster)
  await cluster.store.put('/_coreos.com/fleet/brake/held', '{"lostMachines":["gone"],"wouldMove":3}')
  expect(await brake(cluster)).toEqual({ held: false, released: [] })
  expect((await cluster.ask('GET', '/fleet/v1/machines')).headers['Warning']).toBeUndefined()
  expect((await cluster.ask('DELETE', '/fleet/v1/brake')).status).toBe(409)
})

it('the loss of one of three is never held back, nor is that of many when it is switched off', async () => {
  const three = await startCluster({ size: 3 })
  clusters.push(three)
  await three.clock.advance(10_000)
  for (const unit of units) await three.put(unit, service())
  await lose(three, [2])
  await three.clock.advance(10_000)
  expect(await stranded(three, [2])).toBe(0)
  const without = await start({ config: { brake: 'off' } })
  await lose(without, half)
  await without.clock.advance(10_000)
  expect(await stranded(without, half)).toBe(0)
  expect(await brake(without)).toEqual({ held: false, released: [] })
})
