/**
 * Does a round's tasks in the planner's order: unloads, loads, one reload, stops, starts. A task that fails takes the
 * later tasks of its unit with it and nothing else (spec/fleet.md trap 11).
 */
import type { Clock } from '@cluster/prelude'
import type { MachineTask } from '@cluster/scheduler'
import type { LoadableUnit, UnitManager } from '@cluster/systemd'
import { forEachLimited } from '../for-each-limited.ts'

export type UnitTask = Exclude<MachineTask, { readonly kind: 'reload' }>

export type ExecuteOptions = {
  readonly units: UnitManager
  /** What to write to disk for a unit that is to be loaded. */
  readonly content: (unit: string) => LoadableUnit | undefined
  readonly onDone: (task: MachineTask) => void
  readonly onFailed: (task: MachineTask, error: unknown) => void
  /** An unload took longer than a round may wait; it goes on and its unit is left alone until the promise resolves. */
  readonly onSlow: (unit: string, ended: Promise<void>) => void
  /** systemd has not read all files since this process came, or since a reload failed. */
  readonly isReloadPending: boolean
  readonly clock: Clock
}

const callsAtOnce = 8
/** A unit that stops slowly (its own time-out may be minutes) must not hold up the others. */
const unloadPatienceMs = 500

/** Resolves when everything is done but slow unloads. Never rejects. Returns whether systemd has now read all files. */
export async function executeMachineTasks(
  tasks: readonly MachineTask[],
  { units, content, onDone, onFailed, onSlow, isReloadPending, clock }: ExecuteOptions,
): Promise<{ readonly isReloadPending: boolean }> {
  const skipped = new Set<string>()
  const of = (kind: UnitTask['kind']): readonly UnitTask[] =>
    tasks.flatMap((task) => (task.kind === kind ? [task] : []))

  const attempt = async (task: UnitTask, work: () => Promise<void>): Promise<void> => {
    if (skipped.has(task.unit)) return
    try {
      await work()
      onDone(task)
    } catch (error) {
      skipped.add(task.unit)
      onFailed(task, error)
    }
  }
  const each = (kind: UnitTask['kind'], work: (unit: string) => Promise<void>): Promise<void> =>
    forEachLimited(of(kind), callsAtOnce, (task) => attempt(task, () => work(task.unit)))

  await Promise.all(
    of('unload').map(async (task) => {
      let hasEnded = false
      const ended = attempt(task, () => units.unload(task.unit)).then(() => {
        hasEnded = true
      })
      const patience = new AbortController()
      await Promise.race([ended, clock.sleep(unloadPatienceMs, patience.signal)])
      patience.abort()
      if (hasEnded) return
      skipped.add(task.unit)
      onSlow(task.unit, ended)
    }),
  )
  await each('load', async (unit) => {
    const loadable = content(unit)
    if (loadable !== undefined) await units.load(unit, loadable)
  })

  const reload = tasks.find((task) => task.kind === 'reload')
  let isPending = isReloadPending || reload !== undefined
  if (reload !== undefined || (isPending && of('start').length > 0)) {
    const task: MachineTask = reload ?? { kind: 'reload', reason: 'files were not read yet' }
    try {
      await units.reload()
      isPending = false
      onDone(task)
    } catch (error) {
      // What systemd has not read it would start with its old definition, or not at all.
      for (const start of of('start')) skipped.add(start.unit)
      onFailed(task, error)
    }
  }
  await each('stop', (unit) => units.stop(unit))
  await each('start', (unit) => units.start(unit))
  return { isReloadPending: isPending }
}
