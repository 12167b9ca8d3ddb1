/** What would happen: drain, lose or add machines, add, remove or edit units, one set of changes or many of them. */
import type { ClusterChange } from './change.ts'
import type { ClusterState, Machine } from './model.ts'
import { compareText } from './order.ts'
import type { Policy } from './policy.ts'
import { type Attempt, createPlanner, type Planner } from './replan.ts'

/**
 * Where changes would lead. The state is planned first, so that the answer tells what the changes do and nothing else.
 * For more than one question to a state, `createPlanner(state, policy).attempt` saves planning it again.
 *
 * @throws SchedulerError scheduler/duplicate-machine, scheduler/duplicate-unit
 */
export const whatIf = (state: ClusterState, changes: readonly ClusterChange[], policy: Policy): Attempt =>
  createPlanner(state, policy).attempt(changes)

/** The machines die, and everybody knows. */
export const loseMachines = (ids: readonly string[]): readonly ClusterChange[] =>
  ids.map((machine) => ({ kind: 'remove-machine', machine }))

/** Which machines to ask about, each set on its own. */
export type MachineSets =
  /** Every set of so many. */
  | { readonly kind: 'any'; readonly count: number }
  /** All machines with this metadata at once; without `value` one set for each value that machines have. */
  | { readonly kind: 'metadata'; readonly key: string; readonly value?: string }

/** The sets, by ID, and how many there are. */
export function machineSets(
  machines: readonly Machine[],
  which: MachineSets,
): { readonly total: number; readonly sets: Iterable<readonly string[]> } {
  if (which.kind === 'any') {
    const ids = machines.map(({ id }) => id).sort(compareText)
    return { total: combinations(ids.length, which.count), sets: { [Symbol.iterator]: () => choose(ids, which.count) } }
  }
  const byValue = new Map<string, string[]>()
  for (const { id, metadata } of machines) {
    const value = Object.hasOwn(metadata, which.key) ? metadata[which.key] : undefined
    if (value === undefined || (which.value !== undefined && which.value !== value)) continue
    const group = byValue.get(value)
    if (group === undefined) byValue.set(value, [id])
    else group.push(id)
  }
  const sets = [...byValue].sort(([one], [other]) => compareText(one, other)).map(([, ids]) => ids.sort(compareText))
  return { total: sets.length, sets }
}

/** How one set fared. */
export type SetOutcome = { readonly machines: readonly string[]; readonly outcome: Attempt }

/** How far a question about many sets has come, and its answer so far. */
export type SetsProgress = {
  readonly done: number
  readonly total: number
  /** So far: the most units without a place, then the most moves, then the highest load; of equal ones the first. */
  readonly worst: SetOutcome | undefined
  /** So far: sets after which some unit has no place. */
  readonly failing: number
}

/**
 * Loses one set of machines after the other, each time from the planner's own state. Yields after every set, so that the
 * caller shows progress, lets others run, or stops by not asking on; the last value yielded is the answer. The planner
 * must not change meanwhile.
 */
export function* whatIfLost(
  planner: Pick<Planner, 'attempt'>,
  { total, sets }: ReturnType<typeof machineSets>,
): Generator<SetsProgress, void, undefined> {
  let done = 0
  let failing = 0
  let worst: SetOutcome | undefined
  for (const machines of sets) {
    const outcome = planner.attempt(loseMachines(machines))
    done++
    if (outcome.newlyUnplaced.length > 0) failing++
    if (worst === undefined || isWorse(outcome, worst.outcome)) worst = { machines, outcome }
    yield { done, total, worst, failing }
  }
  if (done === 0) yield { done, total, worst, failing }
}

function isWorse(one: Attempt, other: Attempt): boolean {
  const unplaced = one.newlyUnplaced.length - other.newlyUnplaced.length
  if (unplaced !== 0) return unplaced > 0
  const moves = one.moves.length - other.moves.length
  return moves !== 0 ? moves > 0 : highestLoad(one) > highestLoad(other)
}

const highestLoad = ({ loads }: Attempt): number => loads.reduce((most, { after = 0 }) => Math.max(most, after), 0)

/** Every choice of so many, in order; the first elements change last. */
function* choose(items: readonly string[], count: number): Generator<readonly string[], void, undefined> {
  const at = Array.from({ length: count }, (_, index) => index)
  if (count > items.length) return
  for (;;) {
    yield at.flatMap((index) => items[index] ?? [])
    let last = count - 1
    while (last >= 0 && at[last] === items.length - count + last) last--
    if (last < 0) return
    const next = (at[last] ?? 0) + 1
    for (let index = last; index < count; index++) at[index] = next + index - last
  }
}

function combinations(from: number, count: number): number {
  let product = 1
  for (let index = 0; index < count; index++) product = (product * (from - index)) / (index + 1)
  return Math.max(0, Math.round(product))
}
