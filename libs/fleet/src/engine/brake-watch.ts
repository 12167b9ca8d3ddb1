/**
 * The brake between two looks: when machines vanished, what moved already, what is held back. Held machines stay held
 * until they return or somebody lets them go, however long that takes. When some return, the others are judged anew, but
 * not before they had time to follow. A leader that is new takes over what the registry says is held. Pure; time is an
 * argument.
 */
import { type BrakePolicy, type BrakeReason, brake, type ClusterTask } from '@cluster/scheduler'
import type { ClusterView } from '../registry/cluster-view.ts'

export type BrakeInput = {
  readonly view: ClusterView
  readonly nowMs: number
  /** Machines whose loss is certain and that have units. */
  readonly lost: readonly string[]
  readonly placedUnits: number
  /** By machine. */
  readonly unitsOn: ReadonlyMap<string, number>
  /** The tasks if no lost machine is held back. Asked only when that matters. */
  readonly preview: () => readonly ClusterTask[]
}

export type BrakeVerdict = {
  /** Lost machines that units must not leave. */
  readonly withheld: ReadonlySet<string>
  /** Lost machines that units may leave from now on. */
  readonly letGo: readonly string[]
  /** `as-before`: what is held is not certain to be lost (again), or cannot be judged yet. */
  readonly state:
    | { readonly kind: 'idle' }
    | { readonly kind: 'as-before' }
    | { readonly kind: 'held'; readonly reason: BrakeReason }
  /** Whether somebody released what was held. */
  readonly wasReleased: boolean
}

export type BrakeWatch = {
  /** Takes note of machines that came and went; call it with every view, leader or not. */
  readonly saw: (view: ClusterView, machines: Iterable<string>, nowMs: number) => void
  /** Takes over what an earlier leader held back. */
  readonly takeOver: (view: ClusterView) => void
  readonly judge: (input: BrakeInput) => BrakeVerdict
  /** A unit has left a lost machine. */
  readonly moved: (view: ClusterView, machine: string, nowMs: number) => void
  /** Somebody else leads. */
  readonly forget: () => void
}

/** So many losses are remembered, the latest; more only matter for machines that never return and keep their units. */
const lossesMax = 10_000

/** @param policy `off`: nothing is ever held back */
export function createBrakeWatch(policy: BrakePolicy | 'off'): BrakeWatch {
  const up = new Set<string>()
  const lostAtMs = new Map<string, number>()
  let movedAtMs: number[] = []
  let held = new Set<string>()
  /** When a machine that was held returned last. */
  let returnedAtMs: number | undefined
  /** Lost, and not held back: what they still have fits nowhere so far. */
  let gone = new Set<string>()

  const releasedIn = ({ brakeRelease }: ClusterView): ReadonlySet<string> => new Set(brakeRelease?.machines ?? [])

  return {
    saw(view, machines, nowMs) {
      for (const id of machines) {
        if (view.machines.has(id)) {
          up.add(id)
          if (held.delete(id)) returnedAtMs = nowMs
          lostAtMs.delete(id)
        } else if (up.delete(id)) lostAtMs.set(id, nowMs)
      }
      for (const id of lostAtMs.keys()) {
        if (lostAtMs.size <= lossesMax) break
        lostAtMs.delete(id)
      }
    },
    takeOver(view) {
      held = new Set([...held, ...(view.brake?.lostMachines ?? [])])
    },
    judge({ view, nowMs, lost, placedUnits, unitsOn, preview }) {
      gone = new Set(lost.filter((id) => gone.has(id)))
      held = new Set([...held].filter((id) => !view.machines.has(id) && unitsOn.has(id)))
      const before = held
      const released = releasedIn(view)
      const undecided = lost.filter((id) => !gone.has(id))
      const letGo = (ids: readonly string[]): readonly string[] => {
        for (const id of ids) {
          gone.add(id)
          held.delete(id)
        }
        return ids
      }
      const wasReleased = [...before].some((id) => released.has(id))
      if (policy === 'off') {
        return { withheld: new Set(), letGo: letGo(undecided), state: { kind: 'idle' }, wasReleased }
      }
      const sinceMs = nowMs - policy.windowMs
      movedAtMs = movedAtMs.filter((at) => at > sinceMs)
      for (const id of undecided) if (!lostAtMs.has(id)) lostAtMs.set(id, nowMs)
      for (const [id, at] of lostAtMs) if (at <= sinceMs && !unitsOn.has(id)) lostAtMs.delete(id)

      const free = undecided.filter((id) => released.has(id))
      const braked = undecided.filter((id) => !released.has(id))
      if (held.size === 0) returnedAtMs = undefined
      const isStanding =
        braked.some((id) => held.has(id)) && (returnedAtMs === undefined || nowMs - returnedAtMs < policy.windowMs)
      const situation = {
        nowMs,
        placedUnits,
        liveMachines: new Set(view.machines.keys()),
        history: { lostAtMs: withStanding(lostAtMs, { released, held, nowMs }), movedAtMs },
      }
      // What was released counts neither as a move nor as a loss of this time.
      const tasks =
        braked.length === 0
          ? []
          : preview().filter(({ kind, machine }) => kind === 'schedule' || !released.has(machine))
      const decision = brake(tasks, situation, policy)
      if (decision.kind === 'held' || isStanding) {
        const reason: BrakeReason =
          decision.kind === 'held'
            ? decision.reason
            : {
                lostMachines: [...braked].sort(),
                wouldMove: unitsLeaving(tasks, view).size,
                moved: movedAtMs.length,
                allowed: Math.floor(placedUnits * policy.movedShareMax),
                placedUnits,
              }
        const go = letGo(free)
        held = new Set(braked)
        return { withheld: held, letGo: go, state: { kind: 'held', reason }, wasReleased }
      }
      const go = letGo(undecided)
      return { withheld: new Set(), letGo: go, state: { kind: held.size > 0 ? 'as-before' : 'idle' }, wasReleased }
    },
    moved(view, machine, nowMs) {
      if (!view.machines.has(machine) && !releasedIn(view).has(machine)) movedAtMs.push(nowMs)
    },
    forget() {
      movedAtMs = []
      held = new Set()
      gone = new Set()
      returnedAtMs = undefined
    },
  }
}

const unitsLeaving = (tasks: readonly ClusterTask[], { machines }: ClusterView): ReadonlySet<string> =>
  new Set(tasks.flatMap(({ kind, unit, machine }) => (kind === 'unschedule' && !machines.has(machine) ? [unit] : [])))

/** Losses as the brake is to see them: what is held vanished just now, what was released long ago. */
function withStanding(
  lostAtMs: ReadonlyMap<string, number>,
  {
    released,
    held,
    nowMs,
  }: { readonly released: ReadonlySet<string>; readonly held: ReadonlySet<string>; readonly nowMs: number },
): ReadonlyMap<string, number> {
  return new Map(
    Array.from(lostAtMs, ([id, at]) => {
      if (released.has(id)) return [id, Number.NEGATIVE_INFINITY]
      return [id, held.has(id) ? nowMs : at]
    }),
  )
}
