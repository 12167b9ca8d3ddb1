/**
 * Makes this machine's systemd equal to what the registry wants of it. While the registry cannot be read nothing is
 * touched; nothing is touched either while the machine's own key is missing. Source: spec/fleet.md §6.
 */
import { type Clock, createDoorbell, type Logger, type Random } from '@cluster/prelude'
import { type MachineTask, type Policy, planMachine } from '@cluster/scheduler'
import type { LoadableUnit, UnitManager, UnitRuntime } from '@cluster/systemd'
import type { FleetEvents } from '../events.ts'
import { forEachLimited } from '../for-each-limited.ts'
import type { ObservedCluster } from '../observed-cluster.ts'
import { runReconcileLoop } from '../reconcile-loop.ts'
import type { ClusterView } from '../registry/cluster-view.ts'
import type { KeyMeaning } from '../registry/keyspace.ts'
import { createBackOff } from './back-off.ts'
import { executeMachineTasks } from './execute.ts'
import type { LocalMemory } from './local-record.ts'
import {
  adoptedProgress,
  currentUnitsOf,
  machineTargetOf,
  type OwnMachineInput,
  type Progress,
  withoutUntouchable,
} from './target.ts'

export type Agent = {
  readonly run: (signal: AbortSignal) => Promise<void>
  /** Something changed: look now. */
  readonly ring: () => void
  /** Units that were started and not stopped since. */
  readonly launched: () => ReadonlySet<string>
  /** Stops and unloads everything this daemon ever loaded; tried again until nothing is left or the signal fires. */
  readonly unloadAll: (signal: AbortSignal) => Promise<void>
}

export type AgentOptions = {
  readonly machine: () => OwnMachineInput
  readonly observed: ObservedCluster
  readonly units: UnitManager
  readonly memory: LocalMemory
  readonly policy: Policy
  /** How often to look without any event. */
  readonly intervalMs: number
  readonly events: FleetEvents
  /** Called after every round that did something: what is published of the units may have changed. */
  readonly onActed: () => void
  readonly log: Logger
  readonly clock: Clock
  readonly random: Random
}

const relevant: ReadonlySet<KeyMeaning['kind']> = new Set<KeyMeaning['kind']>([
  'job-object',
  'target-state',
  'target',
  'unit-text',
])

export function createAgent(options: AgentOptions): Agent {
  const { machine, observed, units, memory, policy, intervalMs, events, onActed, log, clock, random } = options
  const doorbell = createDoorbell(clock)
  const ownId = machine().id
  let seenRevision: number = memory.record().presenceRevision ?? 0
  let hasStoreLostData = false

  /** A store that knows no unit and whose history is younger than what we saw is another store, or a wiped one. */
  const doubt = (resync: boolean): void => {
    const view = observed.view()
    if (view === undefined) return
    if (view.units.size > 0) hasStoreLostData = false
    else if (resync && view.revision < seenRevision) {
      hasStoreLostData = true
      events.storeLostData({ revision: view.revision, before: seenRevision })
    }
    seenRevision = view.revision
  }

  observed.onChange(({ meanings, resync }) => {
    doubt(resync)
    const isRelevant = meanings.some(
      (meaning) =>
        relevant.has(meaning.kind) ||
        ((meaning.kind === 'machine' || meaning.kind === 'machine-metadata') && meaning.machine === ownId),
    )
    if (resync || isRelevant) doorbell.ring()
  })

  const progress = new Map<string, Progress>()
  const backOff = createBackOff(random)
  const busy = new Set<string>()
  let refusedBefore: ReadonlySet<string> = new Set()
  let isReloadPending = true

  const launched = (): ReadonlySet<string> =>
    new Set([...progress].flatMap(([unit, { state }]) => (state === 'launched' ? [unit] : [])))

  const remember = (): void => {
    const hashes = [...progress].flatMap(([unit, { state, hash }]) =>
      state === 'launched' && hash !== undefined ? [[unit, hash] as const] : [],
    )
    memory.remember({ launched: Object.fromEntries(hashes) })
  }

  /** Units of an earlier life are adopted, units that vanished behind our back are forgotten. */
  const takeStock = (runtimes: ReadonlyMap<string, UnitRuntime>): void => {
    const record = memory.record().launched
    for (const [unit, runtime] of runtimes) {
      if (!progress.has(unit)) progress.set(unit, adoptedProgress(runtime, record[unit]))
    }
    for (const unit of progress.keys()) if (!runtimes.has(unit)) progress.delete(unit)
  }

  const note = (task: MachineTask, view: ClusterView): void => {
    if (task.kind === 'reload') {
      backOff.succeeded('reload')
      return
    }
    const { unit } = task
    backOff.succeeded(unit)
    if (task.kind === 'unload') progress.delete(unit)
    else if (task.kind === 'load') progress.set(unit, { state: 'loaded', hash: view.units.get(unit)?.hash })
    else {
      const state = task.kind === 'start' ? 'launched' : 'loaded'
      progress.set(unit, { state, hash: progress.get(unit)?.hash })
    }
  }

  const round = async (signal: AbortSignal): Promise<number> => {
    const view = observed.view()
    // No view is not an empty view: what runs goes on running.
    if (view === undefined || hasStoreLostData) return intervalMs
    const runtimes = await units.list()
    takeStock(runtimes)
    const target = machineTargetOf(view, machine(), policy)
    const refused = new Set(target.refused.map(({ unit }) => unit))
    for (const { unit, verdict } of target.refused) {
      if (!refusedBefore.has(unit)) log.warn('unit kept off this machine', { unit, rule: verdict.kind })
    }
    refusedBefore = refused
    const wanted = withoutUntouchable(target.units, view, busy)
    const current = withoutUntouchable(currentUnitsOf(runtimes, progress), view, busy)
    const plan = planMachine({ units: wanted, isCertain: target.isCertain }, current, policy)

    const wishes = new Map(wanted.map(({ name, hash, targetState = 'inactive' }) => [name, `${hash} ${targetState}`]))
    const wishOf = (unit: string): string => wishes.get(unit) ?? 'none'
    const nowMs = clock.monotonicMs()
    let lookAgainInMs = intervalMs
    const waits = new Map<string, number>()
    for (const task of plan) {
      if (task.kind === 'reload') continue
      const remainingMs = backOff.remainingMs(task.unit, wishOf(task.unit), nowMs)
      if (remainingMs > 0) waits.set(task.unit, remainingMs)
    }
    for (const remainingMs of waits.values()) lookAgainInMs = Math.min(lookAgainInMs, remainingMs)
    const unitTasks = plan.filter((task) => task.kind !== 'reload' && !waits.has(task.unit))
    if (unitTasks.length === 0 || signal.aborted) return lookAgainInMs

    const changesFiles = unitTasks.some(({ kind }) => kind === 'load' || kind === 'unload')
    const outcome = await executeMachineTasks(
      plan.filter((task) => (task.kind === 'reload' ? changesFiles : !waits.has(task.unit))),
      {
        units,
        content: (unit) => contentOf(view, unit),
        onDone(task) {
          note(task, view)
          events.agentTask(task)
          onActed()
        },
        onFailed(task, error) {
          const unit = task.kind === 'reload' ? 'reload' : task.unit
          const waitMs = backOff.failed(unit, wishOf(unit), clock.monotonicMs())
          lookAgainInMs = Math.min(lookAgainInMs, waitMs)
          events.agentTaskFailed(task, error, Math.round(waitMs))
        },
        onSlow(unit, ended) {
          busy.add(unit)
          void ended.then(() => {
            busy.delete(unit)
            remember()
            doorbell.ring()
          })
        },
        isReloadPending,
        clock,
      },
    )
    isReloadPending = outcome.isReloadPending
    remember()
    onActed()
    return lookAgainInMs
  }

  return {
    ring: doorbell.ring,
    launched,
    run: (signal) => runReconcileLoop({ doorbell, round, onFailure: events.agentFailed, random }, signal),
    async unloadAll(signal) {
      while (!signal.aborted) {
        try {
          const loaded = [...(await units.list()).keys()]
          if (loaded.length === 0) return
          await forEachLimited(loaded, 8, async (unit) => {
            await units.unload(unit)
            progress.delete(unit)
            events.agentTask({ kind: 'unload', unit, reason: 'this machine is being drained' })
          })
        } catch (error) {
          events.agentFailed(error)
          await clock.sleep(1000, signal)
        }
      }
    },
  }
}

function contentOf(view: ClusterView, unit: string): LoadableUnit | undefined {
  const found = view.units.get(unit)
  if (found === undefined) return undefined
  const { text, hash, options } = found
  return { text, hash, hasInstall: options.some(({ section }) => section === 'Install') }
}
