/** Target keys that place nothing: those of units that turned global, and of units that are gone (trap 58). */
import type { ClusterModel } from './cluster-model.ts'
import type { ClusterTask } from './model.ts'
import { compareText } from './order.ts'
import { globalTargetReason, orphanTargetReason } from './reason.ts'

/** Tasks that remove them, in name order. */
export function clearStaleTargets({ targetedGlobals, orphanTargets }: ClusterModel): readonly ClusterTask[] {
  const ofGlobals = [...targetedGlobals].flatMap(({ unit, held }): readonly ClusterTask[] =>
    held === undefined ? [] : [{ kind: 'unschedule', unit: unit.name, machine: held, reason: globalTargetReason }],
  )
  const ofNobody = [...orphanTargets].map(
    ([unit, machine]): ClusterTask => ({ kind: 'unschedule', unit, machine, reason: orphanTargetReason }),
  )
  return [...ofGlobals, ...ofNobody].sort((one, other) => compareText(one.unit, other.unit))
}
