/** One round as fleet's engine goes through it, in name order. Rules: spec/fleet.md §5.4. */
import { verdictToStay } from './able-to-run.ts'
import type { ClusterModel, MachineEntry } from './cluster-model.ts'
import type { Draft, Step } from './draft.ts'
import { choosePlace } from './place.ts'
import { inactiveReason, unableReason, waitingReason } from './reason.ts'
import { moveReplaced } from './replace.ts'
import { targetStateWord } from './target-state.ts'
import type { UnitEntry } from './unit-entry.ts'

/** The tasks of one round. Each decision sees the ones before it, and no unit is visited twice in a phase. */
export function planRound(draft: Draft): readonly Step[] {
  const { model } = draft
  draft.forEachToReview((entry) => reviewPlace(draft, entry))
  draft.endFirstPhase()
  if (model.policy.replacement === 'replaced-unit-if-it-fits') moveReplaced(draft)
  model.waiting.inOrder((entry) => {
    if (!isWaiting(entry)) return
    const machine = choosePlace(model, entry)
    if (machine !== undefined) draft.schedule(entry, machine, waitingReason(targetStateWord(entry.unit)))
  })
  return draft.steps
}

/** Whether it should be scheduled and is not. */
export const isWaiting = ({ isWanted, isGlobal, target }: UnitEntry): boolean =>
  isWanted && !isGlobal && target === undefined

/**
 * Why a scheduled unit has no place at all, whatever its requirements say; `undefined` when it has one. A machine that
 * may be alive is neither: the unit is left alone.
 */
export function placelessReason(model: ClusterModel, entry: UnitEntry): string | undefined {
  const { target } = entry
  if (entry.isGlobal || target === undefined) return undefined
  if (!entry.isWanted) return inactiveReason
  if (entry.place !== undefined) return undefined
  if (model.machineById(target) !== undefined || model.mayBeAlive(target)) return undefined
  return unableReason(entry.unit.name, target, { kind: 'machine-gone' })
}

/** First phase of a round, for one unit. */
function reviewPlace(draft: Draft, entry: UnitEntry): void {
  const { model } = draft
  const reason = placelessReason(model, entry)
  if (reason !== undefined) draft.unschedule(entry, reason)
  const machine = entry.target === undefined ? undefined : model.machineById(entry.target)
  if (entry.isGlobal || machine === undefined) return
  const verdict = verdictToStay(model, entry, machine)
  if (verdict.kind === 'fits') return
  const unable = unableReason(entry.unit.name, machine.machine.id, verdict)
  if (verdict.kind !== 'replace') draft.unschedule(entry, unable)
  else if (model.policy.replacement === 'whichever-is-found') displace(draft, machine, verdict.unit, unable)
}

/**
 * fleet's replacement: the other unit goes to the least loaded other machine without a check; with no other machine
 * its target is removed while the model keeps it (trap 9).
 */
function displace(draft: Draft, machine: MachineEntry, name: string, reason: string): void {
  const { model } = draft
  const displaced = model.unitByName(name)
  if (displaced === undefined) return
  const other = model.leastLoaded(
    undefined,
    (candidate) => candidate !== machine && candidate.machine.isCordoned !== true,
  )
  draft.note(displaced, { kind: 'unschedule', unit: name, machine: machine.machine.id, reason })
  if (other === undefined) return
  draft.schedule(displaced, other, reason)
  model.review.add(displaced)
}

/** The replacements of one round of fleet's engine, for a plan that settles the rest by itself. */
export function displaceOnce(draft: Draft): void {
  draft.forEachToReview((entry) => reviewPlace(draft, entry))
}
