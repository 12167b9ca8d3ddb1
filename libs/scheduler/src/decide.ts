/** One plan of a held cluster, which is then where the plan leads. Rules: spec/fleet.md §5.4. */
import { verdictToStay } from './able-to-run.ts'
import type { ClusterModel } from './cluster-model.ts'
import { createDraft } from './draft.ts'
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
  const tasks = policy.staleTargets === 'cleared' ? [...clearStaleTargets(model), ...moves] : moves
  const touched = new Set([...draft.tasks, ...tasks].map(({ unit }) => unit))
  for (const task of tasks) carryOut(model, task)
  for (const name of touched) {
    const entry = model.unitByName(name)
    if (entry === undefined || entry.target === entry.held) continue
    // A unit that found no other machine keeps its place in the registry and waits in the model.
    if (!isVainly(model, entry)) model.setTarget(entry, entry.held)
  }
  return tasks
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
function carryOut(model: ClusterModel, { kind, unit, machine }: ClusterTask): void {
  const entry = model.unitByName(unit)
  if (entry === undefined) {
    if (kind === 'unschedule' && model.orphanTargets.get(unit) === machine) model.orphanTargets.delete(unit)
    return
  }
  if (kind === 'schedule' && entry.held === undefined) model.setHeld(entry, machine)
  if (kind === 'unschedule' && entry.held === machine) model.setHeld(entry, undefined)
}

/**
 * The tasks but for those that only take a unit off a lost machine and find no other for it. Nothing else in the plan
 * depends on them: what is on a lost machine takes no room and is nobody's peer.
 */
function withoutVainMoves(model: ClusterModel, tasks: readonly ClusterTask[]): readonly ClusterTask[] {
  const placed = new Set(tasks.flatMap(({ kind, unit }) => (kind === 'schedule' ? [unit] : [])))
  return tasks.filter(
    ({ kind, unit, machine }) =>
      kind === 'schedule' ||
      model.machineById(machine) !== undefined ||
      placed.has(unit) ||
      model.unitByName(unit)?.isWanted !== true,
  )
}
