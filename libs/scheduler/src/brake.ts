/**
 * Mass loss: when several machines vanish at once it is more often the network than the machines, and moving everything
 * that was on them onto the rest makes it worse. The brake holds such moves back until somebody looks, or the machines
 * return. Pure: what was moved before, and what time it is, are given.
 */
import type { ClusterTask } from './model.ts'

/** When mass loss is held back. */
export type BrakePolicy = {
  /** The share of all placed units that may leave lost machines within the window; 1 never brakes. */
  readonly movedShareMax: number
  /** How far back moves count, and how close together machines vanish "at once", in milliseconds. */
  readonly windowMs: number
  /** So many machines lost within the window are never braked. */
  readonly freeLosses: number
}

/** A third of the units within a minute, and the loss of a single machine is never braked. */
export const defaultBrakePolicy: BrakePolicy = { movedShareMax: 1 / 3, windowMs: 60_000, freeLosses: 1 }

/** What happened before a plan; the caller keeps it. */
export type BrakeHistory = {
  /** When each lost machine vanished. One that is absent here vanished now. */
  readonly lostAtMs: ReadonlyMap<string, number>
  /** When units were moved off lost machines before, one entry per unit and move. */
  readonly movedAtMs: readonly number[]
  /** Until when somebody has released the brake. */
  readonly releasedUntilMs?: number
}

/** What a plan would be carried out on. */
export type BrakeSituation = {
  readonly nowMs: number
  /** Units that are placed, before the plan. */
  readonly placedUnits: number
  /** IDs of the machines that are alive. */
  readonly liveMachines: ReadonlySet<string>
  readonly history: BrakeHistory
}

/** Whether a plan may be carried out as it is, or what of it. */
export type BrakeDecision =
  | { readonly kind: 'allowed'; readonly tasks: readonly ClusterTask[] }
  | {
      readonly kind: 'held'
      /** What may be done all the same: everything that does not come from the loss. */
      readonly tasks: readonly ClusterTask[]
      readonly held: readonly ClusterTask[]
      readonly reason: BrakeReason
    }

/** Why tasks are held; `brakeText` says it in words. */
export type BrakeReason = {
  /** The machines that vanished within the window, by ID. */
  readonly lostMachines: readonly string[]
  /** Units that would move now, and those that did within the window. */
  readonly wouldMove: number
  readonly moved: number
  /** How many may, of how many. */
  readonly allowed: number
  readonly placedUnits: number
}

/**
 * Whether a plan may be carried out. Held are the tasks of units that leave lost machines; all others go on, and so do
 * units of a machine that was lost alone, longer ago than the window.
 */
export function brake(
  tasks: readonly ClusterTask[],
  { nowMs, placedUnits, liveMachines, history }: BrakeSituation,
  policy: BrakePolicy = defaultBrakePolicy,
): BrakeDecision {
  const since = nowMs - policy.windowMs
  const lostAt = (machine: string): number => history.lostAtMs.get(machine) ?? nowMs
  const leaving = new Set<string>()
  const lost = new Set([...history.lostAtMs.keys()].filter((id) => !liveMachines.has(id) && lostAt(id) > since))
  for (const { kind, unit, machine } of tasks) {
    if (kind !== 'unschedule' || liveMachines.has(machine)) continue
    leaving.add(unit)
    if (lostAt(machine) > since) lost.add(machine)
  }
  const moved = history.movedAtMs.filter((at) => at > since).length
  const allowed = Math.floor(placedUnits * policy.movedShareMax)
  const isReleased = history.releasedUntilMs !== undefined && history.releasedUntilMs > nowMs
  const isHarmless = leaving.size === 0 || lost.size <= policy.freeLosses || leaving.size + moved <= allowed
  if (isReleased || isHarmless) return { kind: 'allowed', tasks }
  return {
    kind: 'held',
    tasks: tasks.filter(({ unit }) => !leaving.has(unit)),
    held: tasks.filter(({ unit }) => leaving.has(unit)),
    reason: { lostMachines: [...lost].sort(), wouldMove: leaving.size, moved, allowed, placedUnits },
  }
}

/** The reason as a sentence with its remedy. */
export function brakeText({ lostMachines, wouldMove, moved, allowed, placedUnits }: BrakeReason): string {
  const before = moved === 0 ? '' : ` after ${moved} that moved already`
  return (
    `${lostMachines.length} machines vanished at once (${lostMachines.join(', ')}): ${wouldMove} units would move${before}, ` +
    `more than ${allowed} of ${placedUnits}; they stay until the machines return or the brake is released`
  )
}
