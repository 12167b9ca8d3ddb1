/**
 * Places units: campaign for the lease, look, plan, act. Every choice is the scheduler's; every write is a
 * compare-and-set, so that an engine which lost its lease meanwhile does no harm. Source: spec/fleet.md §5.1.
 */
import type { Revision } from '@cluster/kv'
import type { Clock, Random } from '@cluster/prelude'
import { type Policy, planCluster } from '@cluster/scheduler'
import { createDoorbell } from '../doorbell.ts'
import type { FleetEvents } from '../events.ts'
import type { ObservedCluster } from '../observed-cluster.ts'
import { runReconcileLoop } from '../reconcile-loop.ts'
import { type ClusterView, clusterStateOf } from '../registry/cluster-view.ts'
import { engineVersion } from '../registry/codec.ts'
import type { KeyMeaning } from '../registry/keyspace.ts'
import type { Registry } from '../registry/registry.ts'
import type { StoreHealth } from '../store-health.ts'
import { executeClusterTask } from './execute.ts'
import { createHousekeeping } from './housekeeping.ts'
import { createLeadership } from './leadership.ts'

export type EngineOptions = {
  readonly machine: string
  readonly registry: Registry
  readonly observed: ObservedCluster
  readonly health: StoreHealth
  readonly policy: Policy
  /** How often the lease is renewed and, without any event, the cluster looked at. The lease lives five times as long. */
  readonly intervalMs: number
  readonly events: FleetEvents
  readonly clock: Clock
  readonly random: Random
}

export type Engine = {
  /** Runs until the signal fires. The lease is kept: `release` gives it back. */
  readonly run: (signal: AbortSignal) => Promise<void>
  readonly release: (signal: AbortSignal) => Promise<void>
}

/** Changes of these keys can change a placement. States, heartbeats and texts cannot. */
const relevant: ReadonlySet<KeyMeaning['kind']> = new Set<KeyMeaning['kind']>([
  'job-object',
  'target-state',
  'target',
  'unit-text',
  'machine',
  'machine-metadata',
  'engine-lease',
  'engine-version',
])

const textGraceMs = 10 * 60_000
const leftoverGraceMs = 60_000
/** How long the engine waits for its own last write to come back to it before it plans again. */
const catchUpMs = 1000

export function createEngine(options: EngineOptions): Engine {
  const { machine, registry, observed, health, policy, intervalMs, events, clock, random } = options
  const doorbell = createDoorbell(clock)
  observed.onChange(({ kinds, resync }) => {
    if (resync || [...kinds].some((kind) => relevant.has(kind))) doorbell.ring()
  })
  const leadership = createLeadership({
    registry,
    machine,
    ttlSeconds: Math.max(1, Math.ceil((5 * intervalMs) / 1000)),
    renewEveryMs: intervalMs,
    clock,
    onWrite: observed.wrote,
  })
  const housekeeping = createHousekeeping({ textGraceMs, leftoverGraceMs })
  let didLead = false
  let wasTooOld = false
  let lastWrite: { readonly revision: Revision; readonly atMs: number } | undefined
  let lostBefore: ReadonlySet<string> = new Set()
  let bouncedBefore: ReadonlySet<string> = new Set()

  const round = async (signal: AbortSignal): Promise<number> => {
    const view = observed.view()
    // No view is not an empty view: nothing is decided until the registry can be read again.
    if (view === undefined) return intervalMs
    if (view.engineVersion > engineVersion) {
      if (!wasTooOld) events.engineVersionTooNew({ found: view.engineVersion, ours: engineVersion })
      wasTooOld = true
      return intervalMs
    }
    wasTooOld = false
    if (view.engineVersion < engineVersion) await registry.raiseEngineVersion(view.engineVersion, signal)

    const standing = await campaign(view, signal)
    if (standing === 'follows') return intervalMs
    if (lastWrite !== undefined && view.revision < lastWrite.revision) {
      if (clock.monotonicMs() - lastWrite.atMs < catchUpMs) return catchUpMs
    }

    const startedMs = clock.monotonicMs()
    const absent = absentMachines(view, startedMs)
    for (const lost of absent.lost.keys()) {
      if (!lostBefore.has(lost)) events.machineAway({ machine: lost, units: absent.lost.get(lost) ?? 0 })
    }
    lostBefore = new Set(absent.lost.keys())
    const plan = planCluster(clusterStateOf(view, absent.unconfirmed), policy)
    const bounced = new Set<string>()
    for (const task of plan.tasks) {
      if (signal.aborted || !leadership.holds()) break
      const outcome = await executeClusterTask(registry, task, signal)
      if (outcome.kind === 'bounced') {
        events.engineTaskBounced(task)
        const what = `${task.kind} ${task.unit}`
        bounced.add(what)
        // Something that the view does not show is in its way, such as a foreign directory: the others go on.
        if (bouncedBefore.has(what)) continue
        break
      }
      lastWrite = { revision: outcome.revision, atMs: clock.monotonicMs() }
      observed.wrote(outcome.revision)
      events.engineTask(task)
    }
    bouncedBefore = bounced
    await tidy(view, signal)
    events.engineRound({ seconds: (clock.monotonicMs() - startedMs) / 1000, tasks: plan.tasks.length })
    return Math.min(intervalMs, absent.lookAgainInMs)
  }

  const campaign = async (view: ClusterView, signal: AbortSignal): Promise<'leads' | 'follows'> => {
    const isLost = (id: string): boolean =>
      !view.machines.has(id) && observed.losses.wasWatched(id, clock.monotonicMs())
    let standing: 'leads' | 'follows' = 'follows'
    try {
      standing = await leadership.campaign(view, isLost, signal)
      health.succeeded()
    } catch (error) {
      health.failed()
      throw error
    } finally {
      const doesLead = standing === 'leads'
      if (doesLead && !didLead) events.leads({ machine })
      if (!doesLead && didLead) events.leadsNoMore({ machine })
      didLead = doesLead
    }
    return standing
  }

  /** Machines that units are placed on and that are not there. */
  const absentMachines = (view: ClusterView, nowMs: number): AbsentMachines => {
    const units = new Map<string, number>()
    for (const { machine: target } of view.units.values()) {
      if (target !== undefined && !view.machines.has(target)) units.set(target, (units.get(target) ?? 0) + 1)
    }
    const unconfirmed: string[] = []
    const lost = new Map<string, number>()
    let lookAgainInMs = Number.POSITIVE_INFINITY
    for (const [id, count] of units) {
      const graceMs = policy.lossGraceTtls === 0 ? nowMs : observed.losses.confirmedAtMs(id, health.healthySinceMs())
      if (graceMs !== undefined && graceMs <= nowMs) lost.set(id, count)
      else {
        unconfirmed.push(id)
        if (graceMs !== undefined) lookAgainInMs = Math.min(lookAgainInMs, graceMs - nowMs)
      }
    }
    return { unconfirmed, lost, lookAgainInMs }
  }

  const tidy = async (view: ClusterView, signal: AbortSignal): Promise<void> => {
    for (const waste of housekeeping.due(view, clock.monotonicMs())) {
      if (signal.aborted || !leadership.holds()) return
      if (waste.kind === 'text') {
        const removed = await registry.removeText(waste.hash, waste.revision, signal)
        if (removed.ok) events.textRemoved({ hash: waste.hash })
      } else {
        await registry.removeLeftovers(waste.keys, signal)
        events.leftoversRemoved({ unit: waste.unit })
      }
    }
  }

  return {
    run: (signal) => runReconcileLoop({ doorbell, round, onFailure: events.engineFailed, random }, signal),
    release: (signal) => leadership.release(signal),
  }
}

type AbsentMachines = {
  readonly unconfirmed: readonly string[]
  /** By machine, how many units it had. */
  readonly lost: ReadonlyMap<string, number>
  readonly lookAgainInMs: number
}
