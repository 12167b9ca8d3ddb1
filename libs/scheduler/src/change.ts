/** What can happen to a cluster, one thing at a time. */
import type { ClusterState, Machine, Unit } from './model.ts'

/** One thing that happens to a cluster. */
export type ClusterChange =
  /**
   * A unit is new, or is another than before: text, target state, or place. It is exactly as given, so that one
   * without `machine` has none; a planner's `unitByName` gives the unit with its place. A new unit under the name of an
   * orphaned target takes it over.
   */
  | { readonly kind: 'put-unit'; readonly unit: Unit }
  /** The unit is gone, and its target with it. */
  | { readonly kind: 'remove-unit'; readonly unit: string }
  /** A machine joined, or has other metadata than before. */
  | { readonly kind: 'put-machine'; readonly machine: Machine }
  /**
   * A machine is not listed as alive (any more). `mayBeAlive`: its loss is not certain yet; once it is, the change comes
   * again without.
   */
  | { readonly kind: 'remove-machine'; readonly machine: string; readonly mayBeAlive?: boolean }

/** The state after a change. What a held planner does, done to a plain state; it copies, and takes O(n). */
export function applyChange(state: ClusterState, change: ClusterChange): ClusterState {
  switch (change.kind) {
    case 'put-unit': {
      const { name } = change.unit
      const orphan = (state.orphanTargets ?? []).find(({ unit }) => unit === name)
      const unit = orphan === undefined ? change.unit : adopt(change.unit, orphan.machine)
      const orphanTargets = (state.orphanTargets ?? []).filter((each) => each !== orphan)
      return { ...state, units: [...state.units.filter((each) => each.name !== name), unit], orphanTargets }
    }
    case 'remove-unit':
      return { ...state, units: state.units.filter(({ name }) => name !== change.unit) }
    case 'put-machine': {
      const { id } = change.machine
      const machines = [...state.machines.filter((each) => each.id !== id), change.machine]
      return { ...state, machines, unconfirmedMachines: without(state.unconfirmedMachines, id) }
    }
    case 'remove-machine': {
      const machines = state.machines.filter(({ id }) => id !== change.machine)
      const others = without(state.unconfirmedMachines, change.machine)
      return { ...state, machines, unconfirmedMachines: change.mayBeAlive ? [...others, change.machine] : others }
    }
    default:
      return change satisfies never
  }
}

/** A unit that comes without a place and finds a target under its name. */
export const adopt = (unit: Unit, machine: string): Unit => ({ machine, ...unit })

const without = (ids: readonly string[] = [], id: string): readonly string[] => ids.filter((each) => each !== id)
