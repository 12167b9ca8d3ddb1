/** A plan in the making: the model and the tasks that brought it where it is. */
import type { ClusterModel, MachineEntry } from './cluster-model.ts'
import type { ClusterTask } from './model.ts'
import { unableReason } from './reason.ts'
import { byName, type UnitEntry } from './unit-entry.ts'

export type Draft = {
  readonly model: ClusterModel
  readonly tasks: readonly ClusterTask[]
  /** Takes a unit off its machine. */
  readonly unschedule: (entry: UnitEntry, reason: string) => void
  readonly schedule: (entry: UnitEntry, machine: MachineEntry, reason: string) => void
  /** A task that the model does not follow. */
  readonly note: (task: ClusterTask) => void
  /** Visits in name order every unit whose place may need a change. */
  readonly forEachToReview: (visit: (entry: UnitEntry) => void) => void
  /** All units have been reviewed once. */
  readonly endFirstPhase: () => void
  /**
   * The tasks, and among those of the first phase the ones that take units off lost machines: units that found no other
   * in earlier plans wait with everybody else, and leave their old place only when they get a new one.
   */
  readonly withLateLeaves: (tasks: readonly ClusterTask[]) => readonly ClusterTask[]
}

export function createDraft(model: ClusterModel): Draft {
  const tasks: ClusterTask[] = []
  /** Whose review led to the task; of the first phase only. */
  const causes = new Map<ClusterTask, UnitEntry>()
  const left = new Set<UnitEntry>()
  const lateLeaves: UnitEntry[] = []
  let cause: UnitEntry | undefined
  let isFirstPhase = true
  const push = (task: ClusterTask): void => {
    tasks.push(task)
    if (isFirstPhase && cause !== undefined) causes.set(task, cause)
  }
  return {
    model,
    tasks,
    unschedule: (entry, reason) => {
      const machine = entry.target
      if (machine === undefined) return
      push({ kind: 'unschedule', unit: entry.unit.name, machine, reason })
      left.add(entry)
      model.setTarget(entry, undefined)
    },
    schedule: (entry, { machine }, reason) => {
      if (entry.target === undefined && entry.held !== undefined && !left.has(entry)) lateLeaves.push(entry)
      push({ kind: 'schedule', unit: entry.unit.name, machine: machine.id, reason })
      model.setTarget(entry, machine.id)
    },
    note: push,
    forEachToReview: (visit) => {
      model.review.inOrder((entry) => {
        cause = entry
        visit(entry)
      })
    },
    endFirstPhase: () => {
      isFirstPhase = false
    },
    withLateLeaves: (kept) => {
      if (lateLeaves.length === 0) return kept
      const early = kept.filter((task) => causes.has(task))
      const merged: ClusterTask[] = []
      let index = 0
      for (const entry of lateLeaves.sort(byName)) {
        for (; index < early.length; index++) {
          const task = early[index]
          const before = task && causes.get(task)
          if (task === undefined || before === undefined || byName(before, entry) > 0) break
          merged.push(task)
        }
        merged.push(lateLeave(entry))
      }
      return [...merged, ...early.slice(index), ...kept.filter((task) => !causes.has(task))]
    },
  }
}

function lateLeave({ unit, held = '' }: UnitEntry): ClusterTask {
  const reason = unableReason(unit.name, held, { kind: 'machine-gone' })
  return { kind: 'unschedule', unit: unit.name, machine: held, reason }
}
