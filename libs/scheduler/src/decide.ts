/** One plan of a held cluster, which is then where the plan leads. Rules: spec/fleet.md §5.4. */
import { verdictToStay } from './able-to-run.ts'
import type { ClusterModel } from './cluster-model.ts'
import { createDraft, type Step } from './draft.ts'
import type { ClusterTask } from './model.ts'
import { placelessReason, planRound } from './plan-round.ts'
import { settle } from './settle.ts'
import { clearStaleTargets } from './stale-targets.ts'
import type { UnitEntry } from './unit-entry.ts'

/** The tasks of the engine. The model afterwards is the one of the state in which they are done. */
export function decide(model: ClusterModel): readonly ClusterTask[] {
  const { policy } = model
  const draft = createDraft(model)
  const decided = policy.rounds === 'until-settled' ? settle(draft) : planRound(draft)
  const complete = draft.withLateLeaves(decided)
  const moves = policy.lostPlaces === 'given-up' ? complete : withoutVainMoves(model, complete)
  const stale = policy.staleTargets === 'cleared' ? clearStaleTargets(model) : []
  for (const { unit, machine } of stale) clearTarget(model, unit, machine)
  if (draft.hasDetours() || policy.rounds === 'one') for (const { task, entry } of moves) carryOut(model, entry, task)
  else for (const { entry } of moves) if (entry.held !== entry.target) model.setHeld(entry, entry.target)
  for (const { entry } of draft.steps) {
    // A unit that found no other machine keeps its place in the registry and waits in the model.
    if (entry.target === entry.held || isVainly(model, entry)) continue
    model.setTarget(entry, entry.held)
    model.review.add(entry)
  }
  return [...stale, ...moves.map(({ task }) => task)]
}

/** Takes the units off the agenda that are certain to stay. Without it a next plan looks at them in vain. */
export function clearAgenda(model: ClusterModel): void {
  for (const entry of [...model.review.members]) if (isContent(model, entry)) model.review.delete(entry)
}

const isVainly = (model: ClusterModel, { target, held }: UnitEntry): boolean =>
  target === undefined &&
  held !== undefined &&
  model.policy.lostPlaces === 'kept-until-another-fits' &&
  model.machineById(held) === undefined &&
  !model.mayBeAlive(held)

function isContent(model: ClusterModel, entry: UnitEntry): boolean {
  if (entry.isGlobal || entry.target === undefined) return true
  if (placelessReason(model, entry) !== undefined) return false
  const machine = model.machineById(entry.target)
  if (machine === undefined) return true
  const { kind } = verdictToStay(model, entry, machine)
  return kind === 'fits' || (kind === 'replace' && model.policy.replacement === 'replaced-unit-if-it-fits')
}

/** As the conditional writes of the engine are: a unit is scheduled only if it is nowhere, see `applyTasks`. */
function carryOut(model: ClusterModel, entry: UnitEntry, { kind, machine }: ClusterTask): void {
  if (kind === 'schedule' && entry.held === undefined) model.setHeld(entry, machine)
  if (kind === 'unschedule' && entry.held === machine) model.setHeld(entry, undefined)
}

function clearTarget(model: ClusterModel, unit: string, machine: string): void {
  const entry = model.unitByName(unit)
  if (entry === undefined) {
    model.orphanTargets.delete(unit)
    return
  }
  if (entry.held !== machine) return
  model.setHeld(entry, undefined)
  model.setTarget(entry, undefined)
}

/**
 * The steps but for those that only take a unit off a lost machine and find no other for it. Nothing else in the plan
 * depends on them: what is on a lost machine takes no room and is nobody's peer.
 */
function withoutVainMoves(model: ClusterModel, steps: readonly Step[]): readonly Step[] {
  const isMove = ({ entry, task }: Step): boolean =>
    task.kind === 'schedule' ||
    entry.target !== undefined ||
    !entry.isWanted ||
    model.machineById(task.machine) !== undefined
  if (steps.every(isMove)) return steps
  const placed = new Set(steps.flatMap(({ task, entry }) => (task.kind === 'schedule' ? [entry] : [])))
  return steps.filter((step) => isMove(step) || placed.has(step.entry))
}
