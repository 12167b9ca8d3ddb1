/**
 * Places units: campaign for the lease, look, plan, act. Every choice is the scheduler's; every write is a
 * compare-and-set, so that an engine which lost its lease meanwhile does no harm. Source: spec/fleet.md §5.1.
 */
import type { Revision } from '@cluster/kv'
import { type Clock, createDoorbell, type Random } from '@cluster/prelude'
import { type BrakePolicy, type BrakeReason, brakeText, type Policy } from '@cluster/scheduler'
import type { FleetEvents } from '../events.ts'
import type { ObservedCluster } from '../observed-cluster.ts'
import { runReconcileLoop } from '../reconcile-loop.ts'
import type { ClusterView } from '../registry/cluster-view.ts'
import { type BrakeRecord, encodeBrakeRecord, engineVersion } from '../registry/codec.ts'
import type { KeyMeaning } from '../registry/keyspace.ts'
import type { Registry } from '../registry/registry.ts'
import { inSlices } from '../slices.ts'
import type { StoreHealth } from '../store-health.ts'
import { type BrakeVerdict, createBrakeWatch } from './brake-watch.ts'
import { executeClusterTask } from './execute.ts'
import { createHeldPlan } from './held-plan.ts'
import { createHousekeeping } from './housekeeping.ts'
import { createLeadership } from './leadership.ts'

export type EngineOptions = {
  readonly machine: string
  readonly registry: Registry
  readonly observed: ObservedCluster
  readonly health: StoreHealth
  readonly policy: Policy
  /** When the loss of several machines is held back; `off`: never. */
  readonly brake: BrakePolicy | 'off'
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
  'cordon',
  'brake',
  'brake-release',
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
  const held = createHeldPlan(policy)
  const brakes = createBrakeWatch(options.brake)
  let didLead = false
  let wasTooOld = false
  let lastWrite: { readonly revision: Revision; readonly atMs: number } | undefined
  let bouncedBefore: ReadonlySet<string> = new Set()
  let saidHeld = ''

  const wrote = (revision: Revision): void => {
    lastWrite = { revision, atMs: clock.monotonicMs() }
    observed.wrote(revision)
  }

  const round = async (signal: AbortSignal): Promise<number> => {
    const view = observed.view()
    // No view is not an empty view: nothing is decided until the registry can be read again.
    if (view === undefined) return intervalMs
    // Taken note of even when nothing comes of this round: it is not told again.
    const touched = observed.takeTouched()
    brakes.saw(view, touched.machines, clock.monotonicMs())
    held.note(touched)
    if (view.engineVersion > engineVersion) {
      if (!wasTooOld) events.engineVersionTooNew({ found: view.engineVersion, ours: engineVersion })
      wasTooOld = true
      return intervalMs
    }
    wasTooOld = false
    if (view.engineVersion < engineVersion) await registry.raiseEngineVersion(view.engineVersion, signal)

    const didLeadBefore = didLead
    const standing = await campaign(view, signal)
    if (standing === 'follows') {
      held.forget()
      brakes.forget()
      saidHeld = ''
      return intervalMs
    }
    if (!didLeadBefore) brakes.takeOver(view)
    if (lastWrite !== undefined && view.revision < lastWrite.revision) {
      if (clock.monotonicMs() - lastWrite.atMs < catchUpMs) return catchUpMs
    }

    const startedMs = clock.monotonicMs()
    const placed = held.look(view)
    const absent = absentMachines(view, placed.on, startedMs)
    const verdict = brakes.judge({
      view,
      nowMs: startedMs,
      lost: absent.lost,
      placedUnits: placed.count,
      unitsOn: placed.on,
      preview: () => held.preview(new Set(absent.unconfirmed)),
    })
    for (const lost of verdict.letGo) events.machineAway({ machine: lost, units: placed.on.get(lost) ?? 0 })
    sayBrake(verdict)
    const tasks = await inSlices(held.plan(new Set([...absent.unconfirmed, ...verdict.withheld])))
    const bounced = new Set<string>()
    for (const task of tasks) {
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
      wrote(outcome.revision)
      if (task.kind === 'unschedule') brakes.moved(view, task.machine, clock.monotonicMs())
      events.engineTask(task)
    }
    bouncedBefore = bounced
    await tellBrake(view, verdict, placed.on, signal)
    await tidy(view, signal)
    events.engineRound({ seconds: (clock.monotonicMs() - startedMs) / 1000, tasks: tasks.length })
    return Math.min(intervalMs, absent.lookAgainInMs)
  }

  const sayBrake = ({ state, wasReleased }: BrakeVerdict): void => {
    if (state.kind === 'held') {
      const machines = state.reason.lostMachines
      const isNews = saidHeld !== machines.join()
      saidHeld = machines.join()
      events.brakeHolds({ text: brakeText(state.reason), machines, units: state.reason.wouldMove }, isNews)
    } else if (state.kind === 'idle') {
      if (saidHeld !== '') events.brakeEnds({ how: wasReleased ? 'somebody released it' : 'the machines are back' })
      saidHeld = ''
    }
  }

  /** Brings what the registry says of the brake up to date, for every API and for the next leader. */
  const tellBrake = async (
    view: ClusterView,
    { state }: BrakeVerdict,
    unitsOn: ReadonlyMap<string, number>,
    signal: AbortSignal,
  ): Promise<void> => {
    if (signal.aborted || !leadership.holds()) return
    if (state.kind !== 'as-before') {
      const record = state.kind === 'held' ? recordOf(state.reason, view) : undefined
      if (!isSameRecord(record, view.brake)) {
        const revision = await registry.writeBrake(record, signal)
        if (revision !== undefined) wrote(revision)
      }
    }
    // A release is for the machines that were away then, and for as long as they are.
    const release = view.brakeRelease
    if (release === undefined) return
    const left = release.machines.filter((id) => !view.machines.has(id) && unitsOn.has(id))
    if (left.length > 0 && release.machines.every((id) => !view.machines.has(id))) return
    const narrowed = await registry.narrowBrakeRelease(release, left, signal)
    if (narrowed.ok) wrote(narrowed.value)
  }

  const recordOf = (reason: BrakeReason, { brake }: ClusterView): BrakeRecord => ({
    ...reason,
    sinceMs: brake?.sinceMs ?? clock.nowMs(),
  })

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
  const absentMachines = (view: ClusterView, unitsOn: ReadonlyMap<string, number>, nowMs: number): AbsentMachines => {
    const unconfirmed: string[] = []
    const lost: string[] = []
    let lookAgainInMs = Number.POSITIVE_INFINITY
    for (const id of unitsOn.keys()) {
      if (view.machines.has(id)) continue
      const graceMs = policy.lossGraceTtls === 0 ? nowMs : observed.losses.confirmedAtMs(id, health.healthySinceMs())
      if (graceMs !== undefined && graceMs <= nowMs) lost.push(id)
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
  readonly lost: readonly string[]
  readonly lookAgainInMs: number
}

const isSameRecord = (one: BrakeRecord | undefined, other: BrakeRecord | undefined): boolean =>
  (one && encodeBrakeRecord(one)) === (other && encodeBrakeRecord(other))
