/** A plan in the making: the model and the steps that brought it where it is. */
import type { ClusterModel, MachineEntry } from './cluster-model.ts'
import type { ClusterTask } from './model.ts'
import { unableReason } from './reason.ts'
import { byName, type UnitEntry } from './unit-entry.ts'

export type Step = {
  readonly task: ClusterTask
  readonly entry: UnitEntry
  /** `false`: the model does not follow it. */
  readonly isDone: boolean
  /** In the first phase: the unit whose review led to it. */
  readonly cause: UnitEntry | undefined
}

export type Draft = {
  readonly model: ClusterModel
  readonly steps: readonly Step[]
  /** Whether some unit left a machine that it came to in this plan, or the model did not follow some task. */
  readonly hasDetours: () => boolean
  /** Takes a unit off its machine. */
  readonly unschedule: (entry: UnitEntry, reason: string) => void
  readonly schedule: (entry: UnitEntry, machine: MachineEntry, reason: string) => void
  /** A task that the model does not follow. */
  readonly note: (entry: UnitEntry, task: ClusterTask) => void
  /** Visits in name order every unit whose place may need a change. */
  readonly forEachToReview: (visit: (entry: UnitEntry) => void) => void
  /** All units have been reviewed once. */
  readonly endFirstPhase: () => void
  /**
   * The steps, and among those of the first phase the ones that take units off lost machines: units that found no other
   * in earlier plans wait with everybody else, and leave their old place only when they get a new one.
   */
  readonly withLateLeaves: (steps: readonly Step[]) => readonly Step[]
}

export function createDraft(model: ClusterModel): Draft {
  const steps: Step[] = []
  const left = new Set<UnitEntry>()
  const lateLeaves: UnitEntry[] = []
  let cause: UnitEntry | undefined
  let isFirstPhase = true
  let hasDetours = false
  const push = (task: ClusterTask, entry: UnitEntry, isDone: boolean): void => {
    steps.push({ task, entry, isDone, cause: isFirstPhase ? cause : undefined })
  }
  return {
    model,
    steps,
    hasDetours: () => hasDetours,
    unschedule: (entry, reason) => {
      const machine = entry.target
      if (machine === undefined) return
      push({ kind: 'unschedule', unit: entry.unit.name, machine, reason }, entry, true)
      left.add(entry)
      if (machine !== entry.held) hasDetours = true
      model.setTarget(entry, undefined)
    },
    schedule: (entry, to, reason) => {
      const { machine } = to
      if (entry.target === undefined && entry.held !== undefined && !left.has(entry)) lateLeaves.push(entry)
      push({ kind: 'schedule', unit: entry.unit.name, machine: machine.id, reason }, entry, true)
      model.placeOn(entry, to)
    },
    note: (entry, task) => {
      hasDetours = true
      push(task, entry, false)
    },
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
      const early = kept.filter((step) => step.cause !== undefined)
      const merged: Step[] = []
      let index = 0
      for (const entry of lateLeaves.sort(byName)) {
        for (; index < early.length; index++) {
          const step = early[index]
          if (step?.cause === undefined || byName(step.cause, entry) > 0) break
          merged.push(step)
        }
        merged.push(lateLeave(entry))
      }
      return [...merged, ...early.slice(index), ...kept.filter((step) => step.cause === undefined)]
    },
  }
}

function lateLeave(entry: UnitEntry): Step {
  const { unit, held = '' } = entry
  const reason = unableReason(unit.name, held, { kind: 'machine-gone' })
  const task: ClusterTask = { kind: 'unschedule', unit: unit.name, machine: held, reason }
  return { task, entry, isDone: true, cause: entry }
}
