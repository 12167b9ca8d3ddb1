/** A plan in the making: the model and the tasks that brought it where it is. */
import type { ClusterModel, MachineEntry } from './cluster-model.ts'
import type { ClusterTask } from './model.ts'
import type { UnitEntry } from './unit-entry.ts'

export type Draft = {
  readonly model: ClusterModel
  readonly tasks: readonly ClusterTask[]
  /** Whether a machine that is not listed as alive may be so, and its units keep their place (trap 5). */
  readonly mayBeAlive: (machine: string) => boolean
  /** Takes a unit off its machine. */
  readonly unschedule: (entry: UnitEntry, reason: string) => void
  readonly schedule: (entry: UnitEntry, machine: MachineEntry, reason: string) => void
  /** A task that the model does not follow. */
  readonly note: (task: ClusterTask) => void
}

export function createDraft(model: ClusterModel, unconfirmedMachines: readonly string[]): Draft {
  const tasks: ClusterTask[] = []
  const unconfirmed = new Set(model.policy.unconfirmedLoss === 'keep-units' ? unconfirmedMachines : [])
  return {
    model,
    tasks,
    mayBeAlive: (machine) => unconfirmed.has(machine),
    unschedule: (entry, reason) => {
      const machine = model.targetOf(entry)
      if (machine === undefined) return
      tasks.push({ kind: 'unschedule', unit: entry.unit.name, machine, reason })
      model.setTarget(entry, undefined)
    },
    schedule: (entry, { machine }, reason) => {
      tasks.push({ kind: 'schedule', unit: entry.unit.name, machine: machine.id, reason })
      model.setTarget(entry, machine.id)
    },
    note: (task) => tasks.push(task),
  }
}
