import { createManualClock, toRevision } from '@cluster/kv'
import { seededRandom, silentLogger, silentMeter } from '@cluster/prelude'
import { defaultPolicy } from '@cluster/scheduler'
import { createFakeSystemd, SystemdError, type UnitManager } from '@cluster/systemd'
import { expect, it } from 'vitest'
import { createEvents } from '../events.ts'
import type { ObservedCluster } from '../observed-cluster.ts'
import { encodeJobObject, encodeMachine, encodeUnitText } from '../registry/codec.ts'
import { createKeyspace } from '../registry/keyspace.ts'
import { createViewReader } from '../registry/view-reader.ts'
import { createAgent } from './agent.ts'
import { createVolatileRecordStore, openLocalMemory } from './local-record.ts'

const id = 'm1'
const keyspace = createKeyspace('/f')
const text = '[Service]\nExecStart=/bin/sleep infinity\n'
const hash = '8385c9176f09a5ee3bbb88d45c6fc3f0b69d1f52'

/** What the registry says when these units are launched on this machine. */
const viewOf = (units: readonly string[], at = 1) => {
  const entries = new Map([
    [keyspace.machine(id), encodeMachine({ id, publicIp: '', metadata: {}, engineDisabled: false, version: '1.0.0' })],
    [keyspace.unitText(hash), encodeUnitText(text)],
  ])
  for (const name of units) {
    entries.set(keyspace.jobObject(name), encodeJobObject({ name, hash }))
    entries.set(keyspace.targetState(name), 'launched')
    entries.set(keyspace.target(name), id)
  }
  const revision = toRevision(at)
  return createViewReader(keyspace).read(
    [...entries].map(([key, value]) => ({ key, value, revision })),
    revision,
  )
}

async function startAgent(change: (units: UnitManager) => Partial<UnitManager>) {
  const clock = createManualClock()
  const systemd = createFakeSystemd()
  const manager = systemd.open()
  const real: UnitManager = {
    list: () => manager.list(),
    load: (...given) => manager.load(...given),
    unload: (name) => manager.unload(name),
    reload: () => manager.reload(),
    start: (name) => manager.start(name),
    stop: (name) => manager.stop(name),
    changes: (signal) => manager.changes(signal),
    [Symbol.asyncDispose]: () => manager[Symbol.asyncDispose](),
  }
  let wanted: readonly string[] = []
  let revision = 1
  const listeners: Parameters<ObservedCluster['onChange']>[0][] = []
  const observed: ObservedCluster = {
    view: () => viewOf(wanted, revision),
    onChange: (listener) => void listeners.push(listener),
    takeTouched: () => ({ units: new Set(), machines: new Set() }),
    losses: {
      vanished: () => undefined,
      returned: () => undefined,
      resynced: () => undefined,
      confirmedAtMs: () => undefined,
      wasWatched: () => false,
    },
    wrote: () => undefined,
    run: async () => undefined,
  }
  const retries: number[] = []
  const agent = createAgent({
    machine: () => ({ id, metadata: {} }),
    observed,
    units: { ...real, ...change(real) },
    memory: await openLocalMemory(createVolatileRecordStore(), { machine: id, bootId: 'b' }, silentLogger),
    policy: defaultPolicy,
    intervalMs: 5000,
    events: {
      ...createEvents(silentLogger, silentMeter, clock),
      agentTaskFailed: (_task, _error, retryInMs) => void retries.push(retryInMs),
    },
    onActed: () => undefined,
    log: silentLogger,
    clock,
    random: seededRandom(1),
  })
  const stop = new AbortController()
  const ended = agent.run(stop.signal)
  return {
    clock,
    systemd,
    retries,
    want: async (units: readonly string[]) => {
      wanted = units
      agent.ring()
      await clock.advance(10)
    },
    /** The registry was read anew, and this is what it says now. */
    reread: async (units: readonly string[], at: number) => {
      wanted = units
      revision = at
      for (const listener of listeners) listener({ kinds: new Set(), meanings: [], resync: true })
      await clock.advance(20_000)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await clock.advance(0)
      await ended
      await real[Symbol.asyncDispose]()
    },
  }
}

it('a reload that failed long ago does not make the next failure wait longer', async () => {
  let doesFail = true
  await using agent = await startAgent((units) => ({
    reload: async () => {
      if (doesFail) throw new SystemdError('systemd/timeout', 'daemon-reload: no answer')
      await units.reload()
    },
  }))
  await agent.want(['a.service'])
  await agent.clock.advance(60_000)
  expect(agent.retries.length).toBeGreaterThan(5)
  expect(agent.retries.at(-1)).toBeGreaterThan(10_000)
  doesFail = false
  await agent.clock.advance(60_000)
  expect(agent.systemd.upNames()).toEqual(['a.service'])
  doesFail = true
  agent.retries.length = 0
  await agent.want(['a.service', 'b.service'])
  expect(agent.retries[0]).toBeLessThanOrEqual(500)
})

it('a unit whose file cannot be read for a while runs on', async () => {
  let isUnreadable = false
  await using agent = await startAgent((units) => ({
    list: async () => {
      const found = [...(await units.list())]
      return new Map(found.map(([name, unit]) => [name, isUnreadable ? { ...unit, hash: undefined } : unit]))
    },
  }))
  await agent.want(['a.service'])
  const before = agent.systemd.runtimeOf('a.service')?.invocationId
  expect(before).toBeDefined()
  isUnreadable = true
  await agent.clock.advance(20_000)
  expect(agent.systemd.runtimeOf('a.service')?.invocationId).toBe(before)
  expect(agent.systemd.calls()).toEqual(['load a.service', 'reload', 'start a.service'])
})

it('a store that lost its data stops no unit, until it knows units again', async () => {
  await using agent = await startAgent(() => ({}))
  await agent.reread(['a.service', 'b.service'], 900)
  const before = agent.systemd.runtimeOf('a.service')?.invocationId
  await agent.reread([], 7)
  await agent.reread([], 12)
  expect(agent.systemd.upNames()).toEqual(['a.service', 'b.service'])
  await agent.reread(['a.service'], 20)
  expect(agent.systemd.upNames()).toEqual(['a.service'])
  expect(agent.systemd.runtimeOf('a.service')?.invocationId).toBe(before)
})

it('a registry whose units were all destroyed while nobody looked is taken at its word', async () => {
  await using agent = await startAgent(() => ({}))
  await agent.reread(['a.service'], 900)
  await agent.reread([], 950)
  expect(agent.systemd.upNames()).toEqual([])
})
