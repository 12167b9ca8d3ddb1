/** Target keys that place nothing: those of units that turned global, and of units that are gone (trap 58). */
import type { ClusterState, ClusterTask } from './model.ts'
import { compareText } from './order.ts'
import { globalTargetReason, orphanTargetReason } from './reason.ts'

/** Tasks that remove them, in name order. */
export function clearStaleTargets({ units, orphanTargets = [] }: ClusterState): readonly ClusterTask[] {
  const names = new Set(units.map(({ name }) => name))
  const ofGlobals = units.flatMap(({ name: unit, machine, requirements }): readonly ClusterTask[] =>
    requirements.global && machine !== undefined
      ? [{ kind: 'unschedule', unit, machine, reason: globalTargetReason }]
      : [],
  )
  const ofNobody = orphanTargets.flatMap(({ unit, machine }): readonly ClusterTask[] =>
    names.has(unit) ? [] : [{ kind: 'unschedule', unit, machine, reason: orphanTargetReason }],
  )
  return [...ofGlobals, ...ofNobody].sort((one, other) => compareText(one.unit, other.unit))
}
