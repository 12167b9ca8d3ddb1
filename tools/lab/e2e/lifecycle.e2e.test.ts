/** A unit's life by fleetctl, as systemd in the machines and the keys in the store show it. */
import { beforeEach, describe, expect, it } from 'vitest'
import { monotonicMs } from '../src/machine.ts'
import { activeAfterMs, runningPlace, unitOn } from '../src/unit-on-machine.ts'
import { until } from '../src/until.ts'
import {
  eachOnOne,
  fleetctl,
  fleetctlDone,
  freshCluster,
  idOf,
  keyOf,
  keysBelow,
  livesOf,
  machineNames,
  placesOf,
  service,
  theLab,
  untilPlaces,
} from './scenario.ts'

beforeEach(freshCluster)

const files = { 'hello.service': service() }

describe('one unit', () => {
  it('start runs it on exactly one machine, and the store says which', async () => {
    const requestedMs = monotonicMs()
    await fleetctlDone('start hello.service', { files })
    const place = await runningPlace(theLab(), 'hello.service')
    expect(await activeAfterMs(theLab(), place, 'hello.service', requestedMs)).toBeGreaterThan(0)
    expect(await keyOf('job/hello.service/target')).toBe(idOf(place))
    expect(await keyOf('job/hello.service/target-state')).toBe('launched')
    await until(() => keyOf(`states/hello.service/${idOf(place)}`), {
      what: 'its state published',
      timeoutMs: 10_000,
      is: (text) => text?.includes('"activeState":"active"') === true,
    })
    for (const machine of machineNames.filter((name) => name !== place)) {
      expect((await unitOn(theLab(), machine, 'hello.service')).loadState).toBe('not-found')
    }
  })

  it('stop leaves it loaded where it was; start runs it there again', async () => {
    await fleetctlDone('start hello.service', { files })
    const place = await runningPlace(theLab(), 'hello.service')
    await fleetctlDone('stop hello.service')
    await until(() => unitOn(theLab(), place, 'hello.service'), {
      what: 'hello.service stopped',
      timeoutMs: 10_000,
      is: ({ activeState, loadState }) => activeState === 'inactive' && loadState === 'loaded',
    })
    expect(await keyOf('job/hello.service/target-state')).toBe('loaded')
    expect(await keyOf('job/hello.service/target')).toBe(idOf(place))
    await fleetctlDone('start hello.service')
    expect(await runningPlace(theLab(), 'hello.service')).toBe(place)
  })

  it('unload takes it off its machine and keeps its text; destroy leaves no key', async () => {
    await fleetctlDone('start hello.service', { files })
    const place = await runningPlace(theLab(), 'hello.service')
    await fleetctlDone('unload hello.service')
    await until(() => unitOn(theLab(), place, 'hello.service'), {
      what: 'hello.service gone from its machine',
      timeoutMs: 10_000,
      is: ({ loadState }) => loadState === 'not-found',
    })
    expect(await keyOf('job/hello.service/target-state')).toBe('inactive')
    expect(await keyOf('job/hello.service/target')).toBeUndefined()
    expect(await fleetctlDone('cat hello.service')).toContain('ExecStart=/bin/sleep infinity')
    await fleetctlDone('destroy hello.service')
    expect(await keysBelow('job/hello.service')).toEqual([])
    await until(() => keysBelow('states/hello.service'), {
      what: 'no state left of hello.service',
      timeoutMs: 10_000,
      is: (keys) => keys.length === 0,
    })
  })

  it('destroy stops it while it runs', async () => {
    await fleetctlDone('start hello.service', { files })
    await fleetctlDone('destroy hello.service')
    await untilPlaces(['hello.service'], 'hello.service nowhere', (places) => places['hello.service']?.length === 0)
    expect(await keysBelow('job/hello.service')).toEqual([])
  })

  it('load and submit run nothing', async () => {
    await fleetctlDone('submit hello.service', { files })
    expect(await keyOf('job/hello.service/target-state')).toBe('inactive')
    await fleetctlDone('load hello.service')
    const states = await livesOf(['hello.service'])
    expect(Object.values(states).map(({ activeState }) => activeState)).toEqual(['inactive'])
  })

  it('restart gives it another life on the same machine', async () => {
    await fleetctlDone('start hello.service', { files })
    const place = await runningPlace(theLab(), 'hello.service')
    const before = await unitOn(theLab(), place, 'hello.service')
    await fleetctlDone('restart hello.service')
    const after = await until(() => unitOn(theLab(), place, 'hello.service'), {
      what: 'another invocation',
      timeoutMs: 10_000,
      is: ({ activeState, invocationId }) => activeState === 'active' && invocationId !== before.invocationId,
    })
    expect(after.mainPid).not.toBe(before.mainPid)
  })
})

describe('templates', () => {
  it('of two kinds spread by Conflicts, each instance with its sidekick on the same machine', async () => {
    const template = (name: string): Readonly<Record<string, string>> => ({
      [`${name}@.service`]: service(`[X-Fleet]\nConflicts=${name}@*.service\n`),
      [`${name}-discovery@.service`]: `[Unit]\nBindsTo=${name}@%i.service\nAfter=${name}@%i.service\n${service(
        `[X-Fleet]\nMachineOf=${name}@%i.service\n`,
      )}`,
    })
    const instances = ['web@1', 'web@2', 'web@3', 'db@1', 'db@2'].map((name) => `${name}.service`)
    const sidekicks = instances.map((name) => name.replace('@', '-discovery@'))
    await fleetctlDone(`start ${[...instances, ...sidekicks].join(' ')}`, {
      files: { ...template('web'), ...template('db') },
    })
    const places = await untilPlaces([...instances, ...sidekicks], 'each on one machine', eachOnOne)
    const placesOfWeb = ['web@1.service', 'web@2.service', 'web@3.service'].flatMap((name) => places[name] ?? [])
    expect(new Set(placesOfWeb).size).toBe(3)
    expect(places['db@1.service']).not.toEqual(places['db@2.service'])
    instances.forEach((name, index) => {
      expect(places[sidekicks[index] ?? '']).toEqual(places[name])
    })
  })

  it('have one instance more than machines: it waits, says why, and takes the place that comes free', async () => {
    const template = { 'one@.service': service('[X-Fleet]\nConflicts=one@*.service\n') }
    const three = ['one@1.service', 'one@2.service', 'one@3.service']
    await fleetctlDone(`start ${three.join(' ')}`, { files: template })
    await untilPlaces(three, 'one on each machine', eachOnOne)
    await fleetctlDone('start --no-block one@4.service', { files: template })
    const why = await fleetctlDone('why one@4.service')
    expect(why).toMatch(/one@[123]\.service/)
    expect(await keyOf('job/one@4.service/target')).toBeUndefined()
    const [free] = (await placesOf(['one@2.service']))['one@2.service'] ?? []
    await fleetctlDone('destroy one@2.service')
    const places = await untilPlaces(['one@4.service'], 'the fourth runs', eachOnOne)
    expect(places['one@4.service']).toEqual([free])
  })

  it('whose server is stopped take their sidekick down with it', async () => {
    const pair = {
      'web@.service': service(),
      'web-discovery@.service': `[Unit]\nBindsTo=web@%i.service\nAfter=web@%i.service\n${service('[X-Fleet]\nMachineOf=web@%i.service\n')}`,
    }
    const both = ['web@1.service', 'web-discovery@1.service']
    await fleetctlDone(`start ${both.join(' ')}`, { files: pair })
    await untilPlaces(both, 'both run', eachOnOne)
    await fleetctlDone('stop web@1.service')
    await untilPlaces(both, 'neither runs', (places) =>
      Object.values(places).every((machines) => machines.length === 0),
    )
  })
})

describe('a global unit', () => {
  it('runs on every machine whose metadata fits, and leaves all of them when destroyed', async () => {
    const unit = { 'ssd.service': service('[X-Fleet]\nGlobal=true\nMachineMetadata=disk=ssd\n') }
    await fleetctlDone('start ssd.service', { files: unit })
    await untilPlaces(
      ['ssd.service'],
      'on both machines with an ssd',
      (places) => places['ssd.service']?.join() === 'm1,m2',
    )
    expect((await unitOn(theLab(), 'm3', 'ssd.service')).loadState).toBe('not-found')
    expect(await keyOf('job/ssd.service/target')).toBeUndefined()
    await fleetctlDone('destroy ssd.service')
    await untilPlaces(['ssd.service'], 'nowhere', (places) => places['ssd.service']?.length === 0)
  })

  it('and a unit that no machine can run: the reason is told for each machine', async () => {
    await fleetctlDone('start --no-block gpu.service', {
      files: { 'gpu.service': service('[X-Fleet]\nMachineMetadata=gpu=yes\n') },
    })
    const { code, stdout } = await fleetctl('why gpu.service')
    expect(code).toBe(0)
    expect(stdout).toContain('gpu')
    expect(await keyOf('job/gpu.service/target')).toBeUndefined()
  })
})
