/** Where changes would lead, with reasons: what a planner here says, put together for a person. Pure. */
import {
  type Attempt,
  applyChange,
  type ClusterChange,
  createPlanner,
  explainHeld,
  loseMachines,
  type Planner,
  type SetOutcome,
} from '@cluster/scheduler'
import type { ClusterPicture } from './cluster-picture.ts'
import { groupReasons, type ReasonGroup } from './machine-reasons.ts'
import type { UnitSource } from './unit-source.ts'
import { linesBeside, reasonsOf, sourcesIn } from './why-answer.ts'

/** A unit that would run nowhere, and why. */
export type Unplaced = {
  readonly unit: string
  /** What it waits for, when that is not said by machines: peers, circles. */
  readonly lines: readonly string[]
  readonly reasons: readonly ReasonGroup[]
}

/** Machines and their units at one time. */
export type LoadSummary = {
  readonly machines: number
  readonly units: number
  /** The most units on one machine, and that machine; absent where there is none. */
  readonly busiest?: { readonly machine: string; readonly units: number }
}

export type Consequences = {
  readonly moves: Attempt['moves']
  /** Units that have a place now, or are new, and would have none. */
  readonly unplaced: readonly Unplaced[]
  /** Units that have none now, and would have one, or would be gone. */
  readonly placed: readonly string[]
  /** Units that have none now and would have none. */
  readonly stillUnplaced: readonly string[]
  /** Global units that come in or are changed, and on which machines they would run. */
  readonly globals: readonly { readonly unit: string; readonly machines: readonly string[] }[]
  /** Machines with another load, by ID; `null`: not there. */
  readonly loads: readonly { readonly machine: string; readonly before: number | null; readonly after: number | null }[]
  readonly before: LoadSummary
  readonly after: LoadSummary
}

/**
 * Reasons are found for so many units without a place; the others are named only. Each takes a look at every machine.
 */
const explainedMax = 200

/** What was asked, besides the changes. */
export type Asked = {
  /** Machines that are not lost but drained: global units stay on them, and what fits nowhere else. */
  readonly drained?: readonly string[] | undefined
  /** Texts of units that come in or are changed. */
  readonly sources?: ReadonlyMap<string, UnitSource>
}

/**
 * The consequences of changes, with the reasons of units that have no place.
 *
 * @param attempt what the planner answers to the changes
 */
export function consequencesOf(
  planner: Planner,
  changes: readonly ClusterChange[],
  attempt: Attempt,
  picture: ClusterPicture,
  { drained, sources = new Map() }: Asked = {},
): Consequences {
  const loads = drained === undefined ? attempt.loads : withDrained(planner, attempt, drained)
  const gone = new Set(attempt.noLongerUnplaced)
  const globals = changes.flatMap((change) =>
    change.kind === 'put-unit' && change.unit.requirements.global ? [change.unit.name] : [],
  )
  const isAfterAsked = attempt.newlyUnplaced.length > 0 || globals.length > 0
  const after = isAfterAsked ? createPlanner(changes.reduce(applyChange, planner.state()), planner.policy) : planner
  return {
    moves: attempt.moves,
    unplaced: explained(after, attempt.newlyUnplaced, picture, sources),
    placed: attempt.noLongerUnplaced,
    stillUnplaced: planner.unplaced().filter((unit) => !gone.has(unit)),
    globals: globals.map((unit) => ({ unit, machines: fitting(after, unit) })),
    loads: loads.map(({ machine, before, after: then }) => ({ machine, before: before ?? null, after: then ?? null })),
    ...summaries(planner, loads),
  }
}

/** Loads in which drained machines keep what has not moved. */
function withDrained(planner: Planner, { moves, loads }: Attempt, drained: readonly string[]): Attempt['loads'] {
  const leaving = new Map<string, number>()
  for (const { from } of moves) if (from !== undefined) leaving.set(from, (leaving.get(from) ?? 0) + 1)
  return loads.flatMap((load) => {
    if (!drained.includes(load.machine)) return [load]
    const before = planner.loadOf(load.machine) ?? 0
    const after = before - (leaving.get(load.machine) ?? 0)
    return after === before ? [] : [{ machine: load.machine, before, after }]
  })
}

const fitting = (planner: Planner, unit: string): readonly string[] => {
  const { situation } = explainHeld(planner, unit)
  return situation.kind === 'global' ? situation.machines : []
}

function explained(
  after: Planner,
  units: readonly string[],
  picture: ClusterPicture,
  sources: ReadonlyMap<string, UnitSource>,
): readonly Unplaced[] {
  const inCluster = sourcesIn(picture)
  const sourceFor = (unit: string): UnitSource | undefined => sources.get(unit) ?? inCluster(unit)
  return units.map((unit, index) => {
    if (index >= explainedMax) return { unit, lines: [], reasons: [] }
    const explanation = explainHeld(after, unit)
    const reasons = reasonsOf(explanation, sourceFor)
    const [, ...lines] = linesBeside({ lines: explanation.lines, reasons })
    return { unit, lines, reasons: groupReasons(reasons) }
  })
}

function summaries(planner: Planner, changed: Attempt['loads']): Pick<Consequences, 'before' | 'after'> {
  const before = new Map(planner.machines().map(({ id }) => [id, planner.loadOf(id) ?? 0]))
  const after = new Map(before)
  for (const { machine, after: load } of changed) {
    if (load === undefined) after.delete(machine)
    else after.set(machine, load)
  }
  return { before: summaryOf(before), after: summaryOf(after) }
}

function summaryOf(loads: ReadonlyMap<string, number>): LoadSummary {
  let units = 0
  let busiest: LoadSummary['busiest']
  for (const [machine, load] of loads) {
    units += load
    if (busiest === undefined || load > busiest.units) busiest = { machine, units: load }
  }
  return { machines: loads.size, units, ...(busiest === undefined ? {} : { busiest }) }
}

/** The consequences of losing one set of machines. */
export const consequencesOfLoss = (
  planner: Planner,
  { machines, outcome }: SetOutcome,
  picture: ClusterPicture,
): Consequences => consequencesOf(planner, loseMachines(machines), outcome, picture)
