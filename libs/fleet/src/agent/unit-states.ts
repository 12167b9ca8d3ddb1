/**
 * What of this machine's units has to be said to the registry: the difference between what systemd says now and what
 * was published, and what would expire soon. Pure. Source: spec/fleet.md §7.
 */
import type { UnitRuntime } from '@cluster/systemd'
import type { UnitState } from '../registry/codec.ts'

export type PublicationTask =
  | { readonly kind: 'put-state'; readonly unit: string; readonly state: UnitState }
  | { readonly kind: 'remove-state'; readonly unit: string }
  /** "I launched it", for the first time or after it was withdrawn. */
  | { readonly kind: 'start-heartbeat'; readonly unit: string }
  | { readonly kind: 'refresh-heartbeat'; readonly unit: string }
  /** It was stopped; what is published of it stays as it is for `stopNoticeMs`. */
  | { readonly kind: 'note-stop'; readonly unit: string }
  | { readonly kind: 'stop-heartbeat'; readonly unit: string }

/** What was last said of a unit, and when. */
export type Published = {
  readonly state?: { readonly value: UnitState; readonly atMs: number }
  readonly heartbeatAtMs?: number
  /** When it was first seen stopped with its heartbeat still published. */
  readonly stoppedAtMs?: number
}

/**
 * How long a unit that was stopped still counts as launched. The `restart` of fleet's own fleetctl asks for `loaded`,
 * waits until the unit is *launched* and asks for that again (trap 25): told of the stop at once it would wait for ever,
 * and the unit would stay stopped. fleet's agents hold back stops for the same time (trap 4).
 */
export const stopNoticeMs = 1000

export type PublicationInput = {
  readonly machine: string
  readonly runtimes: ReadonlyMap<string, UnitRuntime>
  /** Units that were started and not stopped since. */
  readonly launched: ReadonlySet<string>
  readonly published: ReadonlyMap<string, Published>
  readonly nowMs: number
  /** What was said longer ago than this is said again. */
  readonly refreshMs: number
}

/** The tasks, by unit; those of one unit in order. */
export function planPublication(input: PublicationInput): ReadonlyMap<string, readonly PublicationTask[]> {
  const { machine, runtimes, launched, published, nowMs, refreshMs } = input
  const plan = new Map<string, readonly PublicationTask[]>()
  for (const unit of new Set([...published.keys(), ...runtimes.keys()])) {
    const tasks: PublicationTask[] = []
    const runtime = runtimes.get(unit)
    const said = published.get(unit)
    const state = runtime === undefined ? undefined : stateOf(runtime, machine)
    if (state !== undefined) {
      const isDue = said?.state === undefined || nowMs - said.state.atMs >= refreshMs
      if (isDue || !isEqual(said.state.value, state)) tasks.push({ kind: 'put-state', unit, state })
    } else if (said?.state !== undefined) {
      tasks.push({ kind: 'remove-state', unit })
    }
    if (runtime !== undefined && launched.has(unit)) {
      if (said?.heartbeatAtMs === undefined) tasks.push({ kind: 'start-heartbeat', unit })
      else if (said.stoppedAtMs !== undefined || nowMs - said.heartbeatAtMs >= refreshMs) {
        tasks.push({ kind: 'refresh-heartbeat', unit })
      }
    } else if (said?.heartbeatAtMs !== undefined) {
      const { stoppedAtMs } = said
      if (runtime !== undefined && stoppedAtMs === undefined) tasks.push({ kind: 'note-stop', unit })
      else if (runtime === undefined || nowMs - (stoppedAtMs ?? nowMs) >= stopNoticeMs) {
        tasks.push({ kind: 'stop-heartbeat', unit })
      }
    }
    if (tasks.length > 0) plan.set(unit, tasks)
  }
  return plan
}

/** What is published of a unit; nothing while its text cannot be read, as in fleet. */
export function stateOf(runtime: UnitRuntime, machine: string): UnitState | undefined {
  if (runtime.hash === undefined) return undefined
  const { loadState, activeState, subState, hash } = runtime
  return { loadState, activeState, subState, machine, hash }
}

const isEqual = (one: UnitState, other: UnitState): boolean =>
  one.loadState === other.loadState &&
  one.activeState === other.activeState &&
  one.subState === other.subState &&
  one.machine === other.machine &&
  one.hash === other.hash

/**
 * After how long something with this TTL is said again: late enough to spare the store, early enough to survive one
 * failure. Source: spec/fleet.md §6.4 "heartbeat".
 */
export const refreshAfterMs = (ttlSeconds: number): number => (ttlSeconds > 10 ? ttlSeconds * 800 : ttlSeconds * 500)
