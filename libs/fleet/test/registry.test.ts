/** What stands in the store after each operation: fleet's own layout, nothing more and nothing less. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { idOf, service, startCluster, type TestCluster } from './test-cluster.ts'

const hash = '8385c9176f09a5ee3bbb88d45c6fc3f0b69d1f52'
const object =
  '{"Name":"a.service","UnitHash":[131,133,201,23,111,9,165,238,59,187,136,212,92,111,195,240,182,157,31,82]}'
const state = (active: string, sub: string) =>
  `{"loadState":"loaded","activeState":"${active}","subState":"${sub}","machineState":{"ID":"${idOf(0)}","PublicIP":"","Metadata":null,"Capabilities":null,"Version":""},"unitHash":"${hash}"}`
const quiet = {
  'engine/version': '1',
  'lease/engine-leader': `{"MachineID":"${idOf(0)}","Version":1}`,
  [`machines/${idOf(0)}/object`]: `{"ID":"${idOf(0)}","PublicIP":"10.0.0.1","Metadata":{"az":"a","disk":"ssd"},"Capabilities":{"DISABLE_ENGINE":false,"GRPC":false},"Version":"1.0.0"}`,
}
const text = { [`unit/${hash}`]: '{"Raw":"[Service]\\nExecStart=/bin/sleep infinity\\n"}' }

let cluster: TestCluster
beforeEach(async () => {
  cluster = await startCluster({ size: 1, metadata: [{ disk: 'ssd', az: 'a' }] })
})
afterEach(() => cluster[Symbol.asyncDispose]())

const dump = async (): Promise<Record<string, string>> => {
  const { entries } = await cluster.store.range('/_coreos.com/fleet')
  return Object.fromEntries(entries.map(({ key, value }) => [key.slice('/_coreos.com/fleet/'.length), value]))
}
const want = async (desiredState: string): Promise<void> => {
  await cluster.ask('PUT', '/fleet/v1/units/a.service', { desiredState })
  await cluster.clock.advance(10)
}

it('an empty cluster holds the engine version, a lease and its machines', async () => {
  expect(await dump()).toEqual(quiet)
  const { entries } = await cluster.store.range('/_coreos.com/fleet')
  expect(Object.fromEntries(entries.map(({ key, ttlSeconds }) => [key.slice(19), ttlSeconds]))).toEqual({
    'engine/version': undefined,
    'lease/engine-leader': 10,
    [`machines/${idOf(0)}/object`]: 6,
  })
})

it('a unit leaves the keys of each of its states and nothing else', async () => {
  await cluster.put('a.service', service(), 'inactive')
  await cluster.clock.advance(10)
  const submitted = { ...quiet, ...text, 'job/a.service/object': object, 'job/a.service/target-state': 'inactive' }
  expect(await dump()).toEqual(submitted)

  await want('loaded')
  const loaded = {
    ...submitted,
    'job/a.service/target': idOf(0),
    'job/a.service/target-state': 'loaded',
    'state/a.service': state('inactive', 'dead'),
    [`states/a.service/${idOf(0)}`]: state('inactive', 'dead'),
  }
  expect(await dump()).toEqual(loaded)

  await want('launched')
  expect(await dump()).toEqual({
    ...loaded,
    'job/a.service/job-state': idOf(0),
    'job/a.service/target-state': 'launched',
    'state/a.service': state('active', 'running'),
    [`states/a.service/${idOf(0)}`]: state('active', 'running'),
  })

  await want('loaded')
  await cluster.clock.advance(1100)
  expect(await dump()).toEqual(loaded)

  await want('inactive')
  expect(await dump()).toEqual(submitted)

  await cluster.ask('DELETE', '/fleet/v1/units/a.service')
  await cluster.clock.advance(10)
  expect(await dump()).toEqual({ ...quiet, ...text })
})

it('states and heartbeats are kept up, and nothing changes while nothing happens', async () => {
  await cluster.put('a.service', service())
  await cluster.clock.advance(10)
  const before = await dump()
  await cluster.clock.advance(60_000)
  expect(await dump()).toEqual(before)
})

it('an engine leaves a registry of a newer engine alone', async () => {
  await cluster.store.put('/_coreos.com/fleet/engine/version', '2')
  await cluster.put('a.service', service())
  await cluster.clock.advance(10_000)
  expect(await cluster.value('job/a.service/target')).toBeUndefined()
  await cluster.store.put('/_coreos.com/fleet/engine/version', '1')
  await cluster.clock.advance(12_000)
  expect(await cluster.value('job/a.service/target')).toBe(idOf(0))
  await cluster.store.delete('/_coreos.com/fleet/engine/version')
  await cluster.clock.advance(4000)
  expect(await cluster.value('engine/version')).toBe('1')
})

it('the lease of an engine without a version is taken over, after what was left of it', async () => {
  const key = '/_coreos.com/fleet/lease/engine-leader'
  await cluster.store.put(key, '0123456789abcdef', { ttlSeconds: 8 })
  await cluster.clock.advance(4000)
  expect(await cluster.value('lease/engine-leader')).toBe(`{"MachineID":"${idOf(0)}","Version":1}`)
  await cluster.put('a.service', service())
  await cluster.clock.advance(100)
  expect(await cluster.value('job/a.service/target')).toBeUndefined()
  await cluster.clock.advance(8000)
  expect(await cluster.value('job/a.service/target')).toBe(idOf(0))
})

it('the lease of another engine is respected until it expires', async () => {
  await cluster.store.put('/_coreos.com/fleet/lease/engine-leader', '{"MachineID":"someone","Version":1}', {
    ttlSeconds: 6,
  })
  await cluster.put('a.service', service())
  await cluster.clock.advance(4000)
  expect(await cluster.value('job/a.service/target')).toBeUndefined()
  await cluster.clock.advance(5000)
  expect(await cluster.value('job/a.service/target')).toBe(idOf(0))
})

it('a unit written by hand without a target state is not scheduled', async () => {
  await cluster.store.put(`/_coreos.com/fleet/unit/${hash}`, text[`unit/${hash}`] ?? '')
  await cluster.store.put('/_coreos.com/fleet/job/a.service/object', object)
  await cluster.clock.advance(9000)
  expect(await cluster.value('job/a.service/target')).toBeUndefined()
  await want('launched')
  expect(cluster.runsOn('a.service')).toEqual([0])
})
