/** Tells the registry what this machine's units do: look, compare with what was said, write. */
import { type Clock, createDoorbell, type Random } from '@cluster/prelude'
import type { UnitManager } from '@cluster/systemd'
import type { FleetEvents } from '../events.ts'
import { forEachLimited } from '../for-each-limited.ts'
import type { ObservedCluster } from '../observed-cluster.ts'
import { runReconcileLoop } from '../reconcile-loop.ts'
import type { Registry } from '../registry/registry.ts'
import { type PublicationTask, type Published, planPublication, refreshAfterMs, stopNoticeMs } from './unit-states.ts'

export type Publisher = {
  readonly run: (signal: AbortSignal) => Promise<void>
  /** Something changed: look now. */
  readonly ring: () => void
  /** Takes back everything that was published. */
  readonly withdraw: (signal: AbortSignal) => Promise<void>
}

export type PublisherOptions = {
  readonly machine: string
  readonly registry: Registry
  readonly observed: ObservedCluster
  readonly units: UnitManager
  readonly launched: () => ReadonlySet<string>
  readonly ttlSeconds: number
  readonly events: FleetEvents
  readonly clock: Clock
  readonly random: Random
}

/** fleet's number of workers. */
const writesAtOnce = 5
const retryAfterMs = 1000

export function createPublisher(options: PublisherOptions): Publisher {
  const { machine, registry, observed, units, launched, ttlSeconds, events, clock, random } = options
  const doorbell = createDoorbell(clock)
  const refreshMs = refreshAfterMs(ttlSeconds)
  const published = new Map<string, Published>()

  observed.onChange(({ meanings, resync }) => {
    const view = observed.view()
    if (view === undefined) return
    if (resync) {
      // Whatever was said may have expired meanwhile; what an earlier life said of units it no longer has must go.
      published.clear()
      for (const [unit, states] of view.states) {
        const value = states.get(machine)
        if (value !== undefined) published.set(unit, { state: { value, atMs: Number.NEGATIVE_INFINITY } })
      }
      doorbell.ring()
    }
    for (const meaning of meanings) {
      if (meaning.kind !== 'unit-state' || meaning.machine !== machine) continue
      if (view.states.get(meaning.unit)?.has(machine) === true) continue
      const said = published.get(meaning.unit)
      if (said === undefined) continue
      const { state: _gone, ...rest } = said
      published.set(meaning.unit, rest)
      doorbell.ring()
    }
  })

  const execute = async (task: PublicationTask, signal: AbortSignal): Promise<void> => {
    const { unit } = task
    const said = published.get(unit) ?? {}
    const nowMs = clock.monotonicMs()
    switch (task.kind) {
      case 'put-state':
        await registry.publishState(unit, task.state, ttlSeconds, signal)
        published.set(unit, { ...said, state: { value: task.state, atMs: nowMs } })
        return
      case 'remove-state': {
        await registry.removeState(unit, machine, signal)
        const { state: _gone, ...rest } = said
        published.set(unit, rest)
        return
      }
      case 'start-heartbeat':
        // A heartbeat of a unit that is being destroyed would bring its directory back (spec/fleet.md trap 42).
        if (observed.view()?.units.has(unit) !== true) return
        await registry.startHeartbeat(unit, machine, ttlSeconds, signal)
        published.set(unit, { ...said, heartbeatAtMs: nowMs })
        return
      case 'refresh-heartbeat': {
        const refreshed = await registry.refreshHeartbeat(unit, machine, ttlSeconds, signal)
        const { heartbeatAtMs: _gone, stoppedAtMs: _over, ...rest } = said
        published.set(unit, refreshed.ok ? { ...rest, heartbeatAtMs: nowMs } : rest)
        if (!refreshed.ok) doorbell.ring()
        return
      }
      case 'note-stop':
        published.set(unit, { ...said, stoppedAtMs: nowMs })
        return
      case 'stop-heartbeat': {
        await registry.stopHeartbeat(unit, machine, signal)
        const { heartbeatAtMs: _gone, stoppedAtMs: _over, ...rest } = said
        published.set(unit, rest)
        return
      }
      default:
        task satisfies never
    }
  }

  const round = async (signal: AbortSignal): Promise<number> => {
    if (observed.view() === undefined) return refreshMs
    const runtimes = await units.list()
    const nowMs = clock.monotonicMs()
    const plan = planPublication({ machine, runtimes, launched: launched(), published, nowMs, refreshMs })
    let didFail = false
    await forEachLimited([...plan], writesAtOnce, async ([unit, tasks]) => {
      try {
        for (const task of tasks) await execute(task, signal)
      } catch (error) {
        if (!signal.aborted) events.publishFailed(error, { unit })
        didFail = true
      }
    })
    let nextMs = refreshMs
    for (const [unit, said] of published) {
      if (said.state === undefined && said.heartbeatAtMs === undefined) published.delete(unit)
      const oldestMs = Math.min(said.state?.atMs ?? nowMs, said.heartbeatAtMs ?? nowMs)
      nextMs = Math.min(nextMs, oldestMs + refreshMs - nowMs)
      if (said.stoppedAtMs !== undefined) nextMs = Math.min(nextMs, said.stoppedAtMs + stopNoticeMs - nowMs)
    }
    return didFail ? retryAfterMs : Math.max(50, nextMs)
  }

  return {
    ring: doorbell.ring,
    run: (signal) => runReconcileLoop({ doorbell, round, onFailure: events.agentFailed, random }, signal),
    async withdraw(signal) {
      await forEachLimited([...published], writesAtOnce, async ([unit, said]) => {
        if (said.heartbeatAtMs !== undefined) await registry.stopHeartbeat(unit, machine, signal)
        if (said.state !== undefined) await registry.removeState(unit, machine, signal)
      })
      published.clear()
    },
  }
}
