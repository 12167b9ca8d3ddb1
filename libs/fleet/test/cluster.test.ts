import { afterEach, describe, expect, it } from 'vitest'
import {
  idOf,
  optionsOf,
  requestOf,
  service,
  startCluster,
  type TestCluster,
  type TestClusterOptions,
} from './test-cluster.ts'

const clusters: TestCluster[] = []
const start = async (options?: TestClusterOptions): Promise<TestCluster> => {
  const cluster = await startCluster(options)
  clusters.push(cluster)
  return cluster
}
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster[Symbol.asyncDispose]()
})

describe('a unit', () => {
  it('that is started runs on one machine without any timer passing', async () => {
    const cluster = await start()
    expect((await cluster.put('a.service', service())).status).toBe(201)
    await cluster.clock.advance(1)
    expect(cluster.runsOn('a.service')).toEqual([0])
    expect(await cluster.value('job/a.service/target')).toBe(idOf(0))
    expect(await cluster.value('job/a.service/job-state')).toBe(idOf(0))
    expect((await cluster.ask('GET', '/fleet/v1/units/a.service')).json).toMatchObject({
      currentState: 'launched',
      desiredState: 'launched',
      machineID: idOf(0),
    })
    expect((await cluster.ask('GET', '/fleet/v1/state/a.service')).json).toMatchObject({
      systemdActiveState: 'active',
      hash: '8385c9176f09a5ee3bbb88d45c6fc3f0b69d1f52',
    })
  })

  it('that is stopped stays loaded, unloaded is gone from its machine, destroyed is gone altogether', async () => {
    const cluster = await start()
    await cluster.put('a.service', service())
    await cluster.clock.advance(1)
    await cluster.ask('PUT', '/fleet/v1/units/a.service', { desiredState: 'loaded' })
    await cluster.clock.advance(1)
    expect(cluster.runsOn('a.service')).toEqual([])
    expect(cluster.machine(0).systemd.textOf('a.service')).toContain('ExecStart')
    await cluster.clock.advance(1100)
    expect((await cluster.ask('GET', '/fleet/v1/units/a.service')).json).toMatchObject({ currentState: 'loaded' })
    await cluster.ask('PUT', '/fleet/v1/units/a.service', { desiredState: 'inactive' })
    await cluster.clock.advance(1)
    expect(cluster.machine(0).systemd.textOf('a.service')).toBeUndefined()
    expect(await cluster.value('job/a.service/target')).toBeUndefined()
    expect((await cluster.ask('GET', '/fleet/v1/state?unitName=a.service')).text).toBe('{}')
    await cluster.ask('PUT', '/fleet/v1/units/a.service', { desiredState: 'launched' })
    await cluster.clock.advance(1)
    expect((await cluster.ask('DELETE', '/fleet/v1/units/a.service')).status).toBe(204)
    await cluster.clock.advance(1)
    expect(cluster.runsOn('a.service')).toEqual([])
    expect((await cluster.keys()).filter((key) => key.startsWith('job/') || key.startsWith('state'))).toEqual([])
    await cluster.clock.advance(60_000)
    expect((await cluster.keys()).filter((key) => key.startsWith('job/'))).toEqual([])
  })

  it('is restarted by a fleetctl that asks for loaded and then waits until it is launched (trap 25)', async () => {
    const cluster = await start({ size: 1 })
    const { systemd } = cluster.machine(0)
    const state = async () => (await cluster.ask('GET', '/fleet/v1/units/a.service')).json['currentState']
    await cluster.put('a.service', service())
    await cluster.clock.advance(5000)
    await cluster.ask('PUT', '/fleet/v1/units/a.service', { desiredState: 'loaded' })
    await cluster.clock.advance(250)
    expect(systemd.upNames()).toEqual([])
    expect(await state()).toBe('launched')
    await cluster.ask('PUT', '/fleet/v1/units/a.service', { desiredState: 'launched' })
    await cluster.clock.advance(250)
    expect(systemd.upNames()).toEqual(['a.service'])
    for (let turn = 0; turn < 20; turn++) {
      await cluster.clock.advance(500)
      expect(await state()).toBe('launched')
    }
  })

  it('that is replaced is loaded anew with its new text', async () => {
    const cluster = await start()
    await cluster.put('a.service', service())
    await cluster.clock.advance(1)
    await cluster.put('a.service', `[Service]\nExecStart=/bin/sleep 1`)
    await cluster.clock.advance(1)
    expect(cluster.machine(0).systemd.textOf('a.service')).toBe('[Service]\nExecStart=/bin/sleep 1\n')
    expect(cluster.runsOn('a.service')).toEqual([0])
  })

  it('that is replaced by somebody who hangs up in the middle has its new text and its new target state', async () => {
    const cluster = await start({ size: 1 })
    await cluster.put('a.service', service(), 'inactive')
    const { kv, fleet } = cluster.machine(0)
    kv.setSlow(100)
    const hangUp = new AbortController()
    const options = optionsOf('[Service]\nExecStart=/bin/sleep 2')
    const request = requestOf('PUT', '/fleet/v1/units/a.service', { options, desiredState: 'loaded' })
    const before = await cluster.value('job/a.service/object')
    const answer = Promise.resolve(fleet().api({ ...request, signal: hangUp.signal }))
    for (let turn = 0; turn < 50 && (await cluster.value('job/a.service/object')) === before; turn++) {
      await cluster.clock.advance(20)
    }
    expect(await cluster.value('job/a.service/target-state')).toBe('inactive')
    hangUp.abort()
    await cluster.clock.advance(2000)
    expect((await answer).status).toBe(201)
    expect(await cluster.value('job/a.service/target-state')).toBe('loaded')
  })

  it('in conflict with another goes to another machine, and one too many waits and says why', async () => {
    const cluster = await start({ size: 2 })
    for (const n of [1, 2, 3]) await cluster.put(`w@${n}.service`, service('Conflicts=w@*.service'))
    await cluster.clock.advance(1)
    expect(cluster.runsOn('w@1.service')).toEqual([0])
    expect(cluster.runsOn('w@2.service')).toEqual([1])
    expect(cluster.runsOn('w@3.service')).toEqual([])
    const why = await cluster.ask('GET', '/fleet/v1/units/w@3.service/why')
    expect(why.status).toBe(200)
    expect(why.json).toMatchObject({ unit: 'w@3.service', situation: 'waiting' })
    expect(why.text).toContain('w@1.service')
    await cluster.ask('DELETE', '/fleet/v1/units/w@1.service')
    await cluster.clock.advance(1)
    expect(cluster.runsOn('w@3.service')).toEqual([0])
  })

  it('that is global runs wherever the metadata fits, also where it is set later', async () => {
    const cluster = await start({ metadata: [{ disk: 'ssd' }, {}, { disk: 'ssd' }] })
    await cluster.put('g.service', service('Global=true', 'MachineMetadata=disk=ssd'))
    await cluster.clock.advance(1)
    expect(cluster.runsOn('g.service')).toEqual([0, 2])
    await cluster.ask('PATCH', '/fleet/v1/machines', [
      { op: 'add', path: `/${idOf(1)}/metadata/disk`, value: { value: 'ssd' } },
      { op: 'remove', path: `/${idOf(0)}/metadata/disk` },
    ])
    await cluster.clock.advance(1)
    expect(cluster.runsOn('g.service')).toEqual([1, 2])
    const states = await cluster.ask('GET', '/fleet/v1/state?unitName=g.service')
    expect(states.json['states']).toHaveLength(2)
  })
})

describe('a machine', () => {
  it('that loses power is replaced soon after its key expires, also when it led', async () => {
    const cluster = await start()
    await cluster.put('a.service', service())
    await cluster.clock.advance(20_000)
    expect(cluster.runsOn('a.service')).toEqual([0])
    expect(await cluster.value('lease/engine-leader')).toContain(idOf(0))
    await cluster.machine(0).powerOff()
    const offMs = cluster.clock.nowMs()
    while (cluster.runsOn('a.service').length === 0 && cluster.clock.nowMs() - offMs < 30_000) {
      await cluster.clock.advance(100)
    }
    expect(cluster.runsOn('a.service')).toEqual([1])
    expect(cluster.clock.nowMs() - offMs).toBeLessThanOrEqual(7000)
    expect(cluster.machine(1).log.map(({ message }) => message)).toContain('a machine is lost, its units move')
  })

  it('that returns after it was cut off stops what has moved and nothing else', async () => {
    const cluster = await start({ metadata: [{ only: 'here' }, {}, {}] })
    await cluster.put('moves.service', service())
    await cluster.put('stays.service', service('Global=true'))
    await cluster.put('pinned.service', service('MachineMetadata=only=here'))
    await cluster.clock.advance(20_000)
    const runOf = (unit: string) => cluster.machine(0).systemd.runtimeOf(unit)?.invocationId
    const before = ['stays.service', 'pinned.service'].map(runOf)
    expect(before).not.toContain(undefined)
    cluster.machine(0).kv.setUnavailable(true)
    await cluster.clock.advance(20_000)
    expect(cluster.machine(0).systemd.upNames()).toEqual(['moves.service', 'pinned.service', 'stays.service'])
    expect(cluster.runsOn('moves.service')).toHaveLength(2)
    cluster.machine(0).kv.setUnavailable(false)
    await cluster.clock.advance(10_000)
    expect(cluster.runsOn('moves.service')).toHaveLength(1)
    expect(cluster.runsOn('moves.service')).not.toContain(0)
    expect(cluster.runsOn('stays.service')).toEqual([0, 1, 2])
    expect(['stays.service', 'pinned.service'].map(runOf)).toEqual(before)
  })

  it('whose key somebody deletes keeps its units and writes the key again', async () => {
    const cluster = await start()
    await cluster.put('a.service', service())
    await cluster.clock.advance(20_000)
    const before = cluster.machine(0).systemd.runtimeOf('a.service')?.invocationId
    await cluster.store.delete(`/_coreos.com/fleet/machines/${idOf(0)}/object`)
    await cluster.clock.advance(10)
    expect(await cluster.value(`machines/${idOf(0)}/object`)).toContain(idOf(0))
    await cluster.clock.advance(30_000)
    expect(cluster.runsOn('a.service')).toEqual([0])
    expect(cluster.machine(0).systemd.runtimeOf('a.service')?.invocationId).toBe(before)
  })

  it('whose fleetd is killed and restarted restarts no unit and does not wait for its own key', async () => {
    const cluster = await start()
    await cluster.put('a.service', service())
    await cluster.put('once.service', '[Service]\nType=oneshot\nExecStart=/bin/true')
    await cluster.clock.advance(20_000)
    const machine = cluster.machine(cluster.runsOn('a.service')[0] ?? 0)
    const before = machine.systemd.runtimeOf('a.service')?.invocationId
    await machine.kill()
    await machine.start()
    await cluster.clock.advance(100)
    expect(machine.fleet().isServing()).toBe(true)
    await cluster.clock.advance(20_000)
    expect(machine.systemd.runtimeOf('a.service')?.invocationId).toBe(before)
    expect(cluster.runsOn('a.service')).toHaveLength(1)
    const starts = cluster.machines
      .flatMap(({ systemd }) => systemd.calls())
      .filter((call) => call.startsWith('start '))
    expect(starts.sort()).toEqual(['start a.service', 'start once.service'])
  })

  it('whose fleetd stops leaves its units running; told to drain it takes them along', async () => {
    const cluster = await start()
    await cluster.put('a.service', service())
    await cluster.clock.advance(20_000)
    await cluster.machine(0).stop()
    expect(cluster.machine(0).systemd.upNames()).toEqual(['a.service'])
    await cluster.machine(0).start({ drainOnStop: true })
    await cluster.clock.advance(20_000)
    expect(cluster.runsOn('a.service')).toEqual([0])
    await cluster.machine(0).stop()
    expect(cluster.machine(0).systemd.upNames()).toEqual([])
    await cluster.clock.advance(5000)
    expect(cluster.runsOn('a.service')).toEqual([1])
    expect(
      (await cluster.ask('GET', '/fleet/v1/machines', undefined, cluster.machine(1))).json['machines'],
    ).toHaveLength(2)
  })

  it('that is drained stays registered until its last unit has ended, so that none runs twice', async () => {
    const cluster = await start({ config: { drainOnStop: true } })
    await cluster.put('slow.service', service())
    await cluster.clock.advance(20_000)
    expect(cluster.runsOn('slow.service')).toEqual([0])
    cluster.machine(0).systemd.slowStop('slow.service')
    const stopped = cluster.machine(0).stop()
    await cluster.clock.advance(30_000)
    expect(cluster.machine(0).systemd.runtimeOf('slow.service')?.activeState).toBe('deactivating')
    expect([1, 2].map((index) => cluster.machine(index).systemd.upNames())).toEqual([[], []])
    cluster.machine(0).systemd.finishStop('slow.service')
    await cluster.clock.advance(10_000)
    await stopped
    expect(cluster.runsOn('slow.service')).toEqual([1])
  })

  it('that is drained signs off in the end although a unit refuses to stop', async () => {
    const cluster = await start({ config: { drainOnStop: true } })
    await cluster.put('stuck.service', service())
    await cluster.clock.advance(20_000)
    cluster.machine(0).systemd.slowStop('stuck.service')
    const stopped = cluster.machine(0).stop()
    await cluster.clock.advance(180_000)
    await stopped
    expect(await cluster.value(`machines/${idOf(0)}/object`)).toBeUndefined()
  })

  it('that reboots gets its units back', async () => {
    const cluster = await start({ size: 1 })
    await cluster.put('a.service', service())
    await cluster.clock.advance(20_000)
    await cluster.machine(0).powerOff()
    await cluster.clock.advance(3000)
    await cluster.machine(0).start()
    await cluster.clock.advance(20_000)
    expect(cluster.runsOn('a.service')).toEqual([0])
  })
})

describe('the store', () => {
  it('frozen for two minutes stops and moves nothing', async () => {
    const cluster = await start()
    for (const name of ['a', 'b', 'c', 'd']) await cluster.put(`${name}.service`, service())
    await cluster.clock.advance(20_000)
    const before = cluster.machines.map(({ systemd }) => systemd.upNames())
    const calls = cluster.machines.map(({ systemd }) => systemd.calls().length)
    cluster.store.freeze()
    await cluster.clock.advance(120_000)
    expect((await cluster.ask('GET', '/fleet/v1/units')).status).toBe(503)
    cluster.store.thaw()
    await cluster.clock.advance(60_000)
    expect(cluster.machines.map(({ systemd }) => systemd.upNames())).toEqual(before)
    expect(cluster.machines.map(({ systemd }) => systemd.calls().length)).toEqual(calls)
    expect((await cluster.ask('GET', '/fleet/v1/units')).status).toBe(200)
    expect((await cluster.ask('GET', '/fleet/v1/machines')).json['machines']).toHaveLength(3)
  })

  it('away for longer than every TTL stops and moves nothing', async () => {
    const cluster = await start()
    for (const name of ['a', 'b', 'c']) await cluster.put(`${name}.service`, service())
    await cluster.clock.advance(20_000)
    const before = cluster.machines.map(({ systemd }) => systemd.upNames())
    for (const machine of cluster.machines) machine.kv.setUnavailable(true)
    await cluster.clock.advance(70_000)
    // One comes back long before the others.
    cluster.machine(2).kv.setUnavailable(false)
    await cluster.clock.advance(3000)
    cluster.machine(0).kv.setUnavailable(false)
    cluster.machine(1).kv.setUnavailable(false)
    await cluster.clock.advance(60_000)
    expect(cluster.machines.map(({ systemd }) => systemd.upNames())).toEqual(before)
  })

  it('with damaged and foreign values stops nothing, and says what is wrong', async () => {
    const cluster = await start()
    await cluster.put('a.service', service())
    await cluster.put('b.service', service('MachineMetadata=x=y'))
    await cluster.clock.advance(10_000)
    const key = (path: string) => `/_coreos.com/fleet/${path}`
    await cluster.store.put(key('job/a.service/object'), '{"Name":')
    await cluster.store.put(key('job/b.service/target-state'), 'bogus')
    await cluster.store.put(key('machines/zzz/object'), 'nonsense')
    await cluster.store.put(key('foreign/thing'), '1')
    await cluster.store.put(key('states/a.service/zzz'), '[]')
    await cluster.clock.advance(20_000)
    expect(cluster.runsOn('a.service')).toEqual([0])
    expect((await cluster.ask('GET', '/fleet/v1/units/a.service')).status).toBe(500)
    expect((await cluster.ask('GET', '/fleet/v1/units/b.service')).json).toMatchObject({ desiredState: 'bogus' })
    expect((await cluster.ask('GET', '/fleet/v1/machines')).json['machines']).toHaveLength(3)
    const said = cluster.machine(0).log.filter(({ message }) => message === 'a value in the registry cannot be used')
    expect(said.length).toBeGreaterThanOrEqual(4)
    expect((await cluster.put('a.service', service())).status).toBe(201)
    await cluster.clock.advance(10)
    expect((await cluster.ask('GET', '/fleet/v1/units/a.service')).json).toMatchObject({ currentState: 'launched' })
    expect(cluster.runsOn('a.service')).toEqual([0])
  })

  it('with a foreign directory where a target belongs keeps that unit waiting and no other', async () => {
    const cluster = await start({ size: 1 })
    await cluster.store.put('/_coreos.com/fleet/job/a.service/target/foreign', 'x')
    await cluster.put('a.service', service())
    await cluster.put('b.service', service())
    await cluster.clock.advance(10_000)
    expect(cluster.runsOn('b.service')).toEqual([0])
    expect(cluster.runsOn('a.service')).toEqual([])
  })

  it('keeps no text that no unit refers to, after a while', async () => {
    const cluster = await start({ size: 1 })
    await cluster.put('a.service', service())
    await cluster.put('a.service', '[Service]\nExecStart=/bin/sleep 2')
    const texts = async () => (await cluster.keys()).filter((key) => key.startsWith('unit/'))
    expect(await texts()).toHaveLength(2)
    await cluster.clock.advance(60_000)
    expect(await texts()).toHaveLength(2)
    await cluster.clock.advance(15 * 60_000)
    expect(await texts()).toHaveLength(1)
  })
})

describe('two machines with one ID', () => {
  it('are refused and told so', async () => {
    const cluster = await start({ size: 1 })
    const { createMachine } = await import('./test-cluster.ts')
    const twin = createMachine({
      clock: cluster.clock,
      kv: cluster.store.connect(),
      index: 0,
      metadata: {},
      config: {},
    })
    await twin.start()
    await cluster.clock.advance(20_000)
    expect(twin.fleet().isServing()).toBe(false)
    expect(cluster.machine(0).fleet().isServing()).toBe(true)
    expect(twin.log.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('stands in the registry') }),
      expect.objectContaining({ reason: expect.stringContaining('another live machine at 10.0.0.1') }),
    ])
    await twin.kill()
  })
})

describe('a unit that systemd refuses', () => {
  it('waits alone, the others go on', async () => {
    const cluster = await start({ size: 1 })
    cluster.machine(0).systemd.refuse('bad.service')
    await cluster.put('bad.service', service())
    await cluster.put('good.service', service())
    await cluster.put('zgood.service', service())
    await cluster.clock.advance(10)
    expect(cluster.machine(0).systemd.upNames()).toEqual(['good.service', 'zgood.service'])
    cluster.machine(0).systemd.allow('bad.service')
    await cluster.clock.advance(60_000)
    expect(cluster.runsOn('bad.service')).toEqual([0])
  })

  it('that stops slowly holds up nobody', async () => {
    const cluster = await start({ size: 1 })
    await cluster.put('slow.service', service())
    await cluster.clock.advance(10)
    cluster.machine(0).systemd.slowStop('slow.service')
    await cluster.ask('DELETE', '/fleet/v1/units/slow.service')
    await cluster.put('other.service', service())
    await cluster.clock.advance(2000)
    expect(cluster.runsOn('other.service')).toEqual([0])
    expect(cluster.machine(0).systemd.textOf('slow.service')).toBeDefined()
    cluster.machine(0).systemd.finishStop('slow.service')
    await cluster.clock.advance(10)
    expect(cluster.machine(0).systemd.textOf('slow.service')).toBeUndefined()
  })
})
