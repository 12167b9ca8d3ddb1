/** Waiting until the cluster is where it was told to be. Polls quickly: what is waited for is usually done at once. */
import { isInterruption, startProgress } from '@cluster/cli'
import type { FleetUnit, FleetUnitState } from '@cluster/fleet-api'
import { isClusterError } from '@cluster/prelude'
import type { FleetContext } from './context.ts'

/** What is seen of one unit at one moment. */
export type Sighting = {
  readonly unit?: FleetUnit
  /** One for each machine that has the unit. */
  readonly states: readonly FleetUnitState[]
}

export type Wait = {
  readonly names: readonly string[]
  /** Words for the progress line: `waiting for a.service to be launched`. */
  readonly forWhat: string
  /** Called with every sighting of a unit until it says yes. May keep what it has seen before. */
  readonly isOver: (name: string, sighting: Sighting, elapsedMs: number) => boolean
  /** Called once for each unit, in the order of `names` among those that are over at the same look. */
  readonly onOver?: (name: string, sighting: Sighting) => Promise<void>
  /** Absent: for ever. */
  readonly timeoutMs?: number
}

/** One attempt of `--block-attempts`. */
export const attemptMs = 2000

/** Attempts as a time; 0 attempts are no limit. */
export const timeoutOf = (attempts: number): { readonly timeoutMs?: number } =>
  attempts <= 0 ? {} : { timeoutMs: attempts * attemptMs }

const firstPauseMs = 50
const pauseMsMax = 250

/** A daemon that fails for longer than this while it is waited for is an error; shorter, it may be restarting. */
const failingMsMax = 30_000

/** From this many units on, whole lists are cheaper than questions about each. */
const singleQuestionsMax = 4

/**
 * Looks until all units are over or the time is.
 *
 * @returns the units that are not over, in the order given
 * @throws what the client throws, once it has failed for 30 s; the interruption of the person
 */
export async function waitForUnits(context: FleetContext, wait: Wait): Promise<readonly string[]> {
  const { clock, signal, io } = context
  const startedMs = clock.monotonicMs()
  const progress = startProgress(io, clock)
  let pending = wait.names
  let failingSinceMs: number | undefined
  try {
    for (let pauseMs = firstPauseMs; pending.length > 0; pauseMs = Math.min(pauseMsMax, pauseMs * 1.5)) {
      try {
        const sightings = await look(context, pending)
        failingSinceMs = undefined
        const over: string[] = []
        const elapsedMs = clock.monotonicMs() - startedMs
        for (const name of pending) {
          if (wait.isOver(name, sightings.get(name) ?? { states: [] }, elapsedMs)) over.push(name)
        }
        if (over.length > 0) progress.clear()
        for (const name of over) await wait.onOver?.(name, sightings.get(name) ?? { states: [] })
        pending = pending.filter((name) => !over.includes(name))
      } catch (error) {
        if (isInterruption(error) || !isPassing(error)) throw error
        failingSinceMs ??= clock.monotonicMs()
        if (clock.monotonicMs() - failingSinceMs > failingMsMax) throw error
      }
      if (pending.length === 0) break
      const leftMs = (wait.timeoutMs ?? Number.POSITIVE_INFINITY) - (clock.monotonicMs() - startedMs)
      if (leftMs <= 0) break
      progress.show(`waiting for ${pending.length === 1 ? pending[0] : `${pending.length} units`} ${wait.forWhat}`)
      await clock.sleep(Math.min(pauseMs, leftMs), signal)
      signal.throwIfAborted()
    }
    return pending
  } finally {
    progress.clear()
  }
}

const isPassing = (error: unknown): boolean =>
  ['fleet-api/unreachable', 'fleet-api/timeout', 'fleet-api/unavailable', 'fleet-api/server-failed'].some((code) =>
    isClusterError(error, code),
  )

async function look({ fleet, signal }: FleetContext, names: readonly string[]): Promise<ReadonlyMap<string, Sighting>> {
  if (names.length > singleQuestionsMax) {
    const [units, states] = await Promise.all([fleet.listUnits(signal), fleet.listStates({}, signal)])
    return new Map(
      names.map((name) => [
        name,
        sightingOf(
          units.find((unit) => unit.name === name),
          states.filter((state) => state.name === name),
        ),
      ]),
    )
  }
  const sightings = await Promise.all(
    names.map(async (name) => {
      const [unit, states] = await Promise.all([fleet.getUnit(name, signal), fleet.listStates({ unit: name }, signal)])
      return [name, sightingOf(unit, states)] as const
    }),
  )
  return new Map(sightings)
}

const sightingOf = (unit: FleetUnit | undefined, states: readonly FleetUnitState[]): Sighting =>
  unit === undefined ? { states } : { unit, states }
