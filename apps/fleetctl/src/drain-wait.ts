/** Waiting until a drained machine is left by everything that fits elsewhere. */
import { isInterruption, startProgress } from '@cluster/cli'
import { isClusterError } from '@cluster/prelude'
import { createPlanner, defaultPolicy } from '@cluster/scheduler'
import { type ClusterPicture, readPicture } from './cluster-picture.ts'
import type { FleetContext } from './context.ts'
import { counted } from './machine-reasons.ts'

/** How far a drain is. */
export type DrainState = {
  readonly picture: ClusterPicture
  /** Units that are on the machines and fit elsewhere, or that were there and have no new place yet. */
  readonly leaving: readonly string[]
  /** Those that fit nowhere else. */
  readonly staying: readonly string[]
  /** Units that are placed elsewhere and that the machines still have to stop. */
  readonly stopping: readonly string[]
}

const pauseMs = { first: 100, most: 1000 } as const
/** A daemon that fails for longer than this while it is waited for is an error; shorter, it may be restarting. */
const failingMsMax = 30_000

export type Drained = {
  readonly machines: ReadonlySet<string>
  /** The units that were on them before. */
  readonly before: ReadonlySet<string>
}

/**
 * Looks until nothing leaves or stops any more, or the time is over. Absent `timeoutMs`: for ever.
 *
 * @throws what the client throws, once it has failed for 30 s; the interruption of the person
 */
export async function waitForDrain(
  context: FleetContext,
  drained: Drained,
  timeoutMs: number | undefined,
): Promise<DrainState & { readonly isOver: boolean }> {
  const { clock, signal, io } = context
  const startedMs = clock.monotonicMs()
  const progress = startProgress(io, clock)
  let failingSinceMs: number | undefined
  let last: DrainState | undefined
  try {
    for (let pause: number = pauseMs.first; ; pause = Math.min(pauseMs.most, pause * 1.5)) {
      try {
        last = await readDrain(context, drained)
        failingSinceMs = undefined
      } catch (error) {
        if (isInterruption(error) || !isClusterError(error)) throw error
        failingSinceMs ??= clock.monotonicMs()
        if (clock.monotonicMs() - failingSinceMs > failingMsMax) throw error
      }
      if (last !== undefined && failingSinceMs === undefined) {
        if (last.leaving.length === 0 && last.stopping.length === 0) return { ...last, isOver: true }
        progress.show(`${counted(last.leaving.length, 'unit')} to leave, ${last.stopping.length} to stop`)
      }
      const leftMs = (timeoutMs ?? Number.POSITIVE_INFINITY) - (clock.monotonicMs() - startedMs)
      if (last !== undefined && leftMs <= 0) return { ...last, isOver: false }
      await clock.sleep(Math.max(0, Math.min(pause, leftMs)), signal)
      signal.throwIfAborted()
    }
  } finally {
    progress.clear()
  }
}

async function readDrain({ fleet, signal }: FleetContext, { machines, before }: Drained): Promise<DrainState> {
  const [picture, states] = await Promise.all([readPicture(fleet, signal), fleet.listStates({}, signal)])
  const { leaving, staying } = split(picture, machines)
  const isHere = new Set([...leaving, ...staying])
  const stopping = states.flatMap(({ name, machineId }) => {
    const unit = picture.units.get(name)
    // A unit without a machine is global, and stays; or is about to be placed, and counts where it is then.
    const isElsewhere = unit?.machineId !== undefined && !machines.has(unit.machineId)
    return machines.has(machineId) && isElsewhere && !isHere.has(name) ? [name] : []
  })
  // The engine takes a unit off its machine in one write and gives it the next in another.
  const between = [...before].filter((name) => {
    const unit = picture.units.get(name)
    return unit !== undefined && unit.machineId === undefined && unit.targetState !== 'inactive'
  })
  return { picture, leaving: [...leaving, ...between], staying, stopping }
}

/** What is on the machines: what the engine moves off them when they count as gone, and the rest. */
function split(
  { machines: up, units, state }: ClusterPicture,
  machines: ReadonlySet<string>,
): Pick<DrainState, 'leaving' | 'staying'> {
  const others = [...up.values()].flatMap(({ id, cordon }) => (cordon === 'draining' ? [id] : []))
  const drained = new Set([...machines, ...others])
  const here = [...units.values()].flatMap(({ name, machineId }) =>
    machineId !== undefined && machines.has(machineId) ? [name] : [],
  )
  if (here.length === 0) return { leaving: [], staying: [] }
  const left = { ...state, machines: state.machines.filter(({ id }) => !drained.has(id)) }
  const moving = new Set(
    createPlanner(left, defaultPolicy).firstPlan.tasks.flatMap(({ kind, unit }) =>
      kind === 'unschedule' ? [unit] : [],
    ),
  )
  return { leaving: here.filter((unit) => moving.has(unit)), staying: here.filter((unit) => !moving.has(unit)) }
}
