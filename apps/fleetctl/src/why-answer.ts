/** Why a unit is where it is, or nowhere: what the daemon says, with lines of unit files and remedies found here. Pure. */
import type { FleetUnit, FleetUnitState, UnitExplanation } from '@cluster/fleet-api'
import {
  type ClusterState,
  createPlanner,
  defaultPolicy,
  type Explanation,
  explainHeld,
  explainUnit,
  findRemedies,
  fleetPolicy,
  type Planner,
  type Policy,
  type Remedy,
  verdictText,
} from '@cluster/scheduler'
import { renderOptions, type UnitOption } from '@cluster/unit-file'
import { type ClusterPicture, plannerUnit } from './cluster-picture.ts'
import { counted, type MachineReason } from './machine-reasons.ts'
import { fileLine, type UnitSource } from './unit-source.ts'

/** A change that would give the unit a place; it was tried. */
export type KnownRemedy = {
  readonly kind: Remedy['kind']
  readonly text: string
  /** Other units that it moves. */
  readonly moves: number
  /** Other units that it leaves without a place. */
  readonly unplaced: readonly string[]
}

export type WhyAnswer = {
  readonly unit: string
  /** `false`: it is a file here, and the answer is what would be if it were started. */
  readonly isSubmitted: boolean
  /** What becomes of it: see `UnitExplanation.situation`. */
  readonly situation: string
  readonly machineId?: string
  /** What, then why, one line each; see `linesBeside`. */
  readonly lines: readonly string[]
  readonly reasons: readonly MachineReason[]
  readonly states: readonly FleetUnitState[]
  /** For a unit that no machine can run, the smallest change first; `undefined` for any other. */
  readonly remedies?: readonly KnownRemedy[]
}

/**
 * Of a unit in the cluster.
 *
 * @param said by the daemon; an original one cannot tell, and its rules are followed here
 */
export function answerFor(
  said: UnitExplanation | 'unsupported',
  unit: FleetUnit,
  picture: ClusterPicture,
  states: readonly FleetUnitState[],
  source: UnitSource,
): WhyAnswer {
  const policy = said === 'unsupported' ? fleetPolicy : defaultPolicy
  const here = explainUnit(picture.state, unit.name, policy)
  const reasons = reasonsOf(here, sourcesIn(picture, unit.name, source))
  const remedies = remediesFor(picture.state, unit.name, policy)
  if (said === 'unsupported') {
    const { machineId } = unit
    const { situation, lines } = here
    return {
      unit: unit.name,
      isSubmitted: true,
      situation: situation.kind,
      lines,
      reasons,
      states,
      ...(machineId === undefined ? {} : { machineId }),
      ...(remedies === undefined ? {} : { remedies }),
    }
  }
  // The daemon has the last word. It has seen more, and perhaps later: where it says otherwise, our line is not its reason.
  const known = new Map(reasons.map((reason) => [reason.machineId, reason]))
  const told = said.machines.map((verdict): MachineReason => {
    const own = known.get(verdict.machineId)
    return own?.text === verdict.text && own.line !== undefined ? { ...verdict, line: own.line } : verdict
  })
  const { machines: _, ...words } = said
  return {
    ...words,
    isSubmitted: true,
    reasons: told,
    states,
    ...(said.situation === 'waiting' && remedies !== undefined ? { remedies } : {}),
  }
}

/** Of a unit that is not in the cluster: what would be if it were started now. */
export function answerForFile(
  name: string,
  options: readonly UnitOption[],
  picture: ClusterPicture,
  source: UnitSource,
): WhyAnswer {
  const unit = plannerUnit({ name, options, targetState: 'launched' })
  const state = { ...picture.state, units: [...picture.state.units, unit] }
  const planner = createPlanner(state, defaultPolicy)
  const explanation = explainHeld(planner, name)
  const reasons = reasonsOf(explanation, sourcesIn(picture, name, source))
  const { situation } = explanation
  const [, ...others] = explanation.lines
  return {
    unit: name,
    isSubmitted: false,
    situation: situation.kind,
    lines: [`${name} is not in the cluster; ${ifStarted(explanation)}`, ...others],
    reasons,
    states: [],
    ...(situation.kind === 'placed' ? { machineId: situation.machine } : {}),
    ...(planner.isUnplaced(name) ? { remedies: remediesOf(planner, name) } : {}),
  }
}

function ifStarted({ situation, machines }: Explanation): string {
  const fitting = machines.filter(({ verdict }) => verdict.kind === 'fits').length
  const of = `${fitting} of ${counted(machines.length, 'machine')}`
  if (situation.kind === 'placed') return `if started, it would run on ${situation.machine}`
  if (situation.kind === 'global') return `it is global: if started, it would run on ${of}`
  if (machines.length === 0) return 'if started, it would wait: there is no machine'
  return `if started, it would wait: ${of} can run it`
}

/** What machines say, with the lines that decided. */
export const reasonsOf = (
  { unit, machines }: Explanation,
  sourceFor: (unit: string) => UnitSource | undefined,
): readonly MachineReason[] =>
  machines.map(({ machine, verdict }) => {
    const line = fileLine(unit, verdict, sourceFor)
    return {
      machineId: machine,
      fits: verdict.kind === 'fits',
      rule: verdict.kind,
      text: verdictText(verdict),
      ...(line === undefined ? {} : { line }),
    }
  })

/** Texts of units: of one as given, of the others as `fleetctl cat` prints them. */
export function sourcesIn(
  picture: Pick<ClusterPicture, 'units'>,
  name?: string,
  source?: UnitSource,
): (unit: string) => UnitSource | undefined {
  const known = new Map<string, UnitSource>(name === undefined || source === undefined ? [] : [[name, source]])
  return (each) => {
    const unit = picture.units.get(each)
    const found = known.get(each) ?? (unit && { file: each, text: renderOptions(unit.options) })
    if (found !== undefined) known.set(each, found)
    return found
  }
}

function remediesFor(state: ClusterState, unit: string, policy: Policy): readonly KnownRemedy[] | undefined {
  const planner = createPlanner(state, policy)
  return planner.isUnplaced(unit) ? remediesOf(planner, unit) : undefined
}

/** So many ideas are tried: one for each machine, and those that concern none. */
const triesMax = 2000
const ofOneKindMax = 100

function remediesOf(planner: Planner, unit: string): readonly KnownRemedy[] {
  const counts = new Map<Remedy['kind'], number>()
  return findRemedies(planner, unit, { most: triesMax, tries: triesMax }).flatMap(({ kind, text, outcome }) => {
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    if (count > ofOneKindMax) return []
    const moves = outcome.moves.filter((move) => move.unit !== unit && move.from !== undefined).length
    return [{ kind, text, moves, unplaced: outcome.newlyUnplaced }]
  })
}

/** The lines without those that say of one machine what the reasons say. */
export function linesBeside({ lines, reasons }: Pick<WhyAnswer, 'lines' | 'reasons'>): readonly string[] {
  const machines = new Set(reasons.map(({ machineId }) => machineId))
  return lines.filter((line) => !machines.has(line.slice(0, line.indexOf(': '))))
}
