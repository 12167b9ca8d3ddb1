/**
 * fleetd as a library: presence, agent, publisher, engine and API of one machine, put together over a store and a
 * unit manager. Several in one process are a cluster, as the tests do.
 */
import type { Handler } from '@cluster/http'
import type { Kv } from '@cluster/kv'
import type { Clock, Logger, Meter, Random } from '@cluster/prelude'
import { type BrakePolicy, defaultBrakePolicy, defaultPolicy, type Policy } from '@cluster/scheduler'
import type { UnitManager } from '@cluster/systemd'
import { createAgent } from './agent/agent.ts'
import { createVolatileRecordStore, openLocalMemory, type RecordStore } from './agent/local-record.ts'
import { createPresence } from './agent/presence.ts'
import { createPublisher } from './agent/publisher.ts'
import { createApi } from './api/routes.ts'
import { createEngine } from './engine/engine.ts'
import { createEvents } from './events.ts'
import { createObservedCluster } from './observed-cluster.ts'
import type { ClusterView } from './registry/cluster-view.ts'
import { createKeyspace, defaultPrefix } from './registry/keyspace.ts'
import { createRegistry } from './registry/registry.ts'
import { createStoreHealth } from './store-health.ts'

export type FleetMachine = {
  /** Unique in the cluster: 32 hex digits of /etc/machine-id. */
  readonly id: string
  /** Changes with every boot; what was remembered in another one is not used. */
  readonly bootId: string
  /** Address to publish; `''` for none. */
  readonly publicIp: string
  readonly metadata: Readonly<Record<string, string>>
}

export type FleetConfig = {
  readonly prefix?: string
  /** How long this machine counts as alive without a sign. Whole seconds, default 6. */
  readonly agentTtlSeconds?: number
  /** How often the engine's lease is renewed; the lease lives five times as long. Default 2 s. */
  readonly engineIntervalMs?: number
  /** This machine never leads. */
  readonly engineDisabled?: boolean
  /** Entries on a page of the API, 1 to 65,535. Default 100. */
  readonly tokenLimit?: number
  /** When units of several machines lost at once stay where they were until somebody looks; `off`: never. */
  readonly brake?: BrakePolicy | 'off'
  /** Whether a stop takes all units with it. Default: they go on running, so that a restart of the daemon is free. */
  readonly drainOnStop?: boolean
}

export type FleetOptions = {
  readonly kv: Kv
  readonly units: UnitManager
  readonly machine: FleetMachine
  /** Published, and said in the `Server` header. */
  readonly version: string
  readonly config?: FleetConfig
  readonly policy?: Policy
  /** Where to remember what must survive a crash of the process; default: nowhere. */
  readonly records?: RecordStore
  /** Figures as Prometheus' text, for `/metrics`. */
  readonly metricsText?: () => Promise<string>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly meter: Meter
}

export type Fleet = {
  /** The API v1. Answers 503 until this machine is registered. */
  readonly api: Handler
  /** Runs until the signal fires and everything has ended. */
  readonly run: (signal: AbortSignal) => Promise<void>
  /** Whether this machine is registered and the store answers. */
  readonly isServing: () => boolean
  /** Other metadata or address, in place: nothing is restarted. */
  readonly reconfigure: (change: Partial<Pick<FleetMachine, 'publicIp' | 'metadata'>>) => void
}

const agentIntervalMs = 5000
/** The first view of a list serves its later pages for this long, while nothing changes. */
const pageViewMs = 2000
/** What a stop may take beyond the units' own time to stop. */
const farewellMs = 5000
/** How long a drain waits for units that do not stop; longer than systemd's own patience with a unit (90 s). */
const drainMs = 105_000

export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const { kv, units, version, clock, random, log, meter, policy = defaultPolicy } = options
  const {
    prefix = defaultPrefix,
    agentTtlSeconds = 6,
    engineIntervalMs = 2000,
    engineDisabled = false,
    tokenLimit = 100,
    brake = defaultBrakePolicy,
    drainOnStop = false,
  } = options.config ?? {}
  let machine = options.machine
  const { id } = machine
  const ttlMs = agentTtlSeconds * 1000

  const keyspace = createKeyspace(prefix)
  const registry = createRegistry(kv, keyspace)
  const events = createEvents(log, meter, clock)
  const health = createStoreHealth(clock.monotonicMs, ttlMs * 0.75)
  const observed = createObservedCluster({
    kv,
    keyspace,
    health,
    clock,
    random,
    log,
    losses: { ttlMs, deletedGraceMs: ttlMs / 3 },
    looseAfterMs: ttlMs,
  })
  const memory = await openLocalMemory(
    options.records ?? createVolatileRecordStore(),
    { machine: id, bootId: machine.bootId },
    log,
  )
  const presence = createPresence({
    registry,
    machine: () => ({ id, publicIp: machine.publicIp, metadata: machine.metadata, engineDisabled, version }),
    ttlSeconds: agentTtlSeconds,
    memory,
    observed,
    health,
    events,
    clock,
    random,
  })
  const agent = createAgent({
    machine: () => machine,
    observed,
    units,
    memory,
    policy,
    intervalMs: agentIntervalMs,
    events,
    onActed: () => publisher.ring(),
    log,
    clock,
    random,
  })
  const publisher = createPublisher({
    machine: id,
    registry,
    observed,
    units,
    launched: agent.launched,
    ttlSeconds: agentTtlSeconds,
    events,
    clock,
    random,
  })
  const engine = createEngine({
    machine: id,
    registry,
    observed,
    health,
    policy,
    brake,
    intervalMs: engineIntervalMs,
    events,
    clock,
    random,
  })

  let pageView: { readonly view: ClusterView; readonly readMs: number } | undefined
  observed.onChange(() => {
    pageView = undefined
  })
  const readView = async (page: number, signal: AbortSignal): Promise<ClusterView> => {
    if (page > 1 && pageView !== undefined && clock.monotonicMs() - pageView.readMs < pageViewMs) return pageView.view
    const view = await registry.readView(signal)
    pageView = { view, readMs: clock.monotonicMs() }
    return view
  }
  const api = createApi({
    registry,
    readView,
    tokenLimit,
    policy,
    events,
    version,
    isServing: presence.isCurrent,
    trouble: presence.trouble,
    metricsText: options.metricsText,
  })

  const watchUnits = async (signal: AbortSignal): Promise<void> => {
    for await (const names of units.changes(signal)) {
      publisher.ring()
      const known = agent.launched()
      // Only what may have been taken away behind our back is the agent's business.
      if ([...names].some((name) => known.has(name))) agent.ring()
    }
  }

  const drain = async (): Promise<void> => {
    const limit = new AbortController()
    const timer = clock.sleep(drainMs, limit.signal).then(() => limit.abort())
    // A unit that does not stop must not hold the machine's place in the cluster for ever.
    await Promise.race([agent.unloadAll(limit.signal), timer])
    limit.abort()
    await timer
  }

  const farewell = async (): Promise<void> => {
    const deadline = new AbortController()
    const timer = clock.sleep(farewellMs, deadline.signal).then(() => deadline.abort())
    const attempts = [engine.release(deadline.signal)]
    if (drainOnStop) attempts.push(publisher.withdraw(deadline.signal).then(() => presence.leave(deadline.signal)))
    await Promise.allSettled(attempts)
    deadline.abort()
    await timer
    await memory.settled()
  }

  return {
    api,
    isServing: presence.isCurrent,
    reconfigure(change) {
      machine = { ...machine, ...change }
      presence.refresh()
      agent.ring()
    },
    async run(signal) {
      // If one part ends with an error the others end too: a daemon that does half of its work is worse than none.
      const stop = new AbortController()
      const both = AbortSignal.any([signal, stop.signal])
      const part = async (work: Promise<void>): Promise<void> => {
        try {
          await work
        } catch (error) {
          stop.abort()
          throw error
        }
      }
      const afterRegistration = async (work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
        if (await presence.registered(both)) await work(both)
      }
      // The machine stays registered until a drain has ended its units: nobody may start them elsewhere before.
      const leaving = new AbortController()
      const standing = Promise.allSettled([part(observed.run(leaving.signal)), part(presence.run(leaving.signal))])
      const worked = await Promise.allSettled([
        part(afterRegistration(agent.run)),
        part(afterRegistration(publisher.run)),
        part(afterRegistration(watchUnits)),
        ...(engineDisabled ? [] : [part(afterRegistration(engine.run))]),
      ])
      if (drainOnStop) await drain()
      leaving.abort()
      const outcomes = [...(await standing), ...worked]
      await farewell()
      const failure = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failure !== undefined) throw failure.reason
    },
  }
}
