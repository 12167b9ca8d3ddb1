/**
 * A whole plan at once: rounds until nothing is left to do (trap 40: nobody waits a round for a follower whose leader
 * comes later in the alphabet). A plan applied to its state leaves nothing to plan.
 */
import { basicVerdict, conflictWith, missingPeer, stayingConflict, type Verdict } from './able-to-run.ts'
import type { MachineEntry } from './cluster-model.ts'
import type { Draft, Step } from './draft.ts'
import { choosePlace } from './place.ts'
import { displaceOnce, isWaiting, placelessReason } from './plan-round.ts'
import { unableReason, waitingReason } from './reason.ts'
import { moveReplaced } from './replace.ts'
import { targetStateWord } from './target-state.ts'
import { followersOf, type UnitEntry } from './unit-entry.ts'

/** The tasks of the whole plan: for each unit at most one unschedule and one schedule, and none that cancel out. */
export function settle(draft: Draft): readonly Step[] {
  const { model } = draft
  evictUnable(draft)
  draft.endFirstPhase()
  if (model.policy.replacement === 'whichever-is-found') {
    displaceOnce(draft)
    evictUnable(draft)
    placeWaiting(draft)
    return netSteps(draft)
  }
  // Placing only takes room, so a unit that found none needs another look only when units have moved.
  do placeWaiting(draft)
  while (moveReplaced(draft))
  return netSteps(draft)
}

/**
 * Takes units off machines that cannot run them: first for reasons of their own, then of two that conflict the one
 * that gives way. A unit that leaves takes those along that are there because of it.
 */
function evictUnable(draft: Draft): void {
  const { model } = draft
  draft.forEachToReview((entry) => {
    const machine = model.placeOf(entry)
    const verdict = machine && basicVerdict(model, entry, machine)
    const reason = placelessReason(model, entry) ?? (machine && verdict ? reasonOf(entry, machine, verdict) : undefined)
    if (reason === undefined) return
    evict(draft, entry, reason)
    // It waits, and is looked at when it finds a place.
    model.review.delete(entry)
  })
  draft.forEachToReview((entry) => {
    const machine = model.placeOf(entry)
    const other = machine && stayingConflict(model, entry, machine)
    if (machine === undefined || other === undefined) return
    evict(draft, entry, reasonOf(entry, machine, conflictWith(entry, other)))
  })
}

const reasonOf = (entry: UnitEntry, { machine }: MachineEntry, verdict: Verdict): string =>
  unableReason(entry.unit.name, machine.id, verdict)

function evict(draft: Draft, first: UnitEntry, firstReason: string): void {
  const { model } = draft
  const leaving = [{ entry: first, reason: firstReason }]
  for (let next = leaving.pop(); next !== undefined; next = leaving.pop()) {
    const machine = model.placeOf(next.entry)
    if (machine === undefined) {
      draft.unschedule(next.entry, next.reason)
      continue
    }
    const globalsBefore = machine.globals.size > 0 ? [...machine.globals] : []
    draft.unschedule(next.entry, next.reason)
    const lostGlobals = globalsBefore.filter((entry) => !machine.globals.has(entry))
    for (const lost of [next.entry, ...lostGlobals]) {
      for (const follower of followersOf(lost)) {
        if (follower.place !== machine) continue
        const peer = missingPeer(model, follower, machine)
        if (peer === undefined) continue
        leaving.push({ entry: follower, reason: reasonOf(follower, machine, { kind: 'peer-missing', peer }) })
      }
    }
  }
}

/** Places every waiting unit that some machine fits, and behind each the followers that waited for it. */
function placeWaiting(draft: Draft): void {
  const { model } = draft
  model.waiting.inOrder((entry) => {
    const open = [entry]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (!isWaiting(next)) continue
      const machine = choosePlace(model, next)
      if (machine === undefined) continue
      // It fits, and whatever changes that will say so.
      model.review.delete(next)
      draft.schedule(next, machine, waitingReason(targetStateWord(next.unit)))
      if (next.followers !== undefined) open.push(...followersOf(next).toReversed())
    }
  })
}

/** Of the steps that led here the first that took a unit away and the last that gave it a machine. */
function netSteps({ steps, hasDetours }: Draft): readonly Step[] {
  if (!hasDetours()) return steps.filter(({ entry }) => entry.held !== entry.target)
  const firstLeave = new Map<UnitEntry, Step>()
  const lastArrival = new Map<UnitEntry, Step>()
  for (const step of steps) {
    if (step.task.kind === 'schedule') lastArrival.set(step.entry, step)
    else if (!firstLeave.has(step.entry)) firstLeave.set(step.entry, step)
  }
  return steps.filter((step) => {
    const { held: was, target: is } = step.entry
    if (was === is) return false
    if (step.task.kind === 'unschedule') return was !== undefined && firstLeave.get(step.entry) === step
    return is !== undefined && lastArrival.get(step.entry) === step
  })
}
