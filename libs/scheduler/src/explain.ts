/** Why a unit is where it is, or nowhere: verdicts of all machines, and what is wrong with the units it waits for. */
import type { MachineVerdict, Verdict } from './able-to-run.ts'
import { isConflict } from './conflict.ts'
import type { ExplainOptions, Explanation, MachineExplanation, PeerState, Situation } from './explanation.ts'
import { explanationLines } from './explanation-lines.ts'
import { findMachineOfCycles } from './machine-of-cycles.ts'
import { hasMetadata } from './metadata.ts'
import type { ClusterState, TargetState, Unit } from './model.ts'
import type { Policy } from './policy.ts'
import { createPlanner, type Planner } from './replan.ts'
import { createRuleLines } from './rule-line.ts'
import { isWanted } from './target-state.ts'
import { targetUnits } from './target-units.ts'

/**
 * Explains what becomes of a unit: the state is planned first, so that the answer is about what remains when the
 * engine has done what it can.
 *
 * @throws SchedulerError scheduler/duplicate-machine, scheduler/duplicate-unit
 */
export function explainUnit(
  state: ClusterState,
  unitName: string,
  policy: Policy,
  options: ExplainOptions = {},
): Explanation {
  const planner = createPlanner(state, policy)
  const unit = planner.unitByName(unitName)
  const verdicts = unit?.requirements.global === true ? globalVerdicts(planner, unit) : planner.ableToRun(unitName)
  const machines = withLines(unitName, verdicts, options)
  const facts = factsOf(planner, unitName, machines, unit && situationOf(state, planner, unit, machines))
  return { ...facts, lines: explanationLines(facts, state) }
}

/**
 * Explains a unit of a held cluster, in which everything planned is done: what `explainUnit` says of `planner.state()`,
 * without planning it again. Global units have the verdicts of the engine.
 */
export function explainHeld(planner: Planner, unitName: string, options: ExplainOptions = {}): Explanation {
  const unit = planner.unitByName(unitName)
  const machines = withLines(unitName, planner.ableToRun(unitName), options)
  const facts = factsOf(planner, unitName, machines, unit && heldSituation(planner, unit, machines))
  const units = unit === undefined ? planner.state().units : []
  return { ...facts, lines: explanationLines(facts, { machines: planner.machines(), units }) }
}

function factsOf(
  { unitByName, isUnplaced, policy }: Planner,
  name: string,
  machines: readonly MachineExplanation[],
  situation: Situation = { kind: 'unknown' },
): Omit<Explanation, 'lines'> {
  const unit = unitByName(name)
  const cycle = isUnplaced(name) ? cycleAhead(unitByName, name) : undefined
  return {
    unit: name,
    ...(unit?.targetState === undefined ? {} : { targetState: unit.targetState }),
    situation,
    machines,
    peers: (unit?.requirements.machineOf ?? []).map((peer) => peerState(unitByName, peer, policy)),
    ...(cycle === undefined ? {} : { cycle }),
  }
}

function withLines(
  unit: string,
  verdicts: readonly MachineVerdict[],
  { textOf }: ExplainOptions,
): readonly MachineExplanation[] {
  if (textOf === undefined) return verdicts
  const lineOf = createRuleLines(textOf)
  return verdicts.map((each) => {
    const line = lineOf(unit, each.verdict)
    return line === undefined ? each : { ...each, line }
  })
}

function heldSituation(planner: Planner, unit: Unit, verdicts: readonly MachineVerdict[]): Situation {
  const general = generalSituation(planner.policy, unit, verdicts)
  if (general !== undefined) return general
  if (unit.machine === undefined) return { kind: 'waiting' }
  const isConfirmed = planner.loadOf(unit.machine) !== undefined
  if (isConfirmed || !planner.isUnplaced(unit.name)) return { kind: 'placed', machine: unit.machine, isConfirmed }
  return { kind: 'waiting', lost: unit.machine }
}

/** The situation before the first plan of the planner is done. */
function situationOf(
  state: ClusterState,
  planner: Planner,
  unit: Unit,
  verdicts: readonly MachineVerdict[],
): Situation {
  const general = generalSituation(planner.policy, unit, verdicts)
  if (general !== undefined) return general
  const from = state.units.find(({ name }) => name === unit.name)?.machine
  const first = planner.firstPlan.tasks.find((task) => task.unit === unit.name)
  const leaves = { ...(from === undefined ? {} : { from }) }
  const { machine } = unit
  if (machine === undefined) return { kind: 'waiting', ...leaves, ...(first && { reason: first.reason }) }
  if (machine !== from) return { kind: 'about-to-move', machine, ...leaves, reason: first?.reason ?? '' }
  const isConfirmed = planner.loadOf(machine) !== undefined
  const mayBeAlive = state.unconfirmedMachines?.includes(machine) === true
  return isConfirmed || mayBeAlive ? { kind: 'placed', machine, isConfirmed } : { kind: 'waiting', lost: machine }
}

/** The situation of a unit that the engine has no machine for, because it should not run or runs everywhere. */
function generalSituation(policy: Policy, unit: Unit, verdicts: readonly MachineVerdict[]): Situation | undefined {
  if (!isWanted(unit, policy)) return { kind: 'not-wanted', reason: whyNotWanted(unit) }
  if (!unit.requirements.global) return undefined
  const fitting = verdicts.filter(({ verdict }) => verdict.kind === 'fits')
  return { kind: 'global', machines: fitting.map(({ machine }) => machine) }
}

function whyNotWanted(unit: {
  readonly targetState?: TargetState
  readonly unknownTargetState?: string
}): 'inactive' | 'target-state-missing' | 'target-state-unknown' {
  if (unit.targetState !== undefined) return 'inactive'
  return unit.unknownTargetState === undefined ? 'target-state-missing' : 'target-state-unknown'
}

/** The verdicts of the agents, who decide about global units, once the plan is done. */
function globalVerdicts(planner: Planner, unit: Unit): readonly MachineVerdict[] {
  const { machines, units } = planner.state()
  const globals = units.filter(({ requirements }) => requirements.global)
  const scheduled = new Map(machines.map(({ id }): [string, Unit[]] => [id, []]))
  for (const each of units) if (!each.requirements.global) scheduled.get(each.machine ?? '')?.push(each)
  const rivals = new Set(units.filter((other) => isConflict(unit, other)))
  const engineVerdicts = planner.ableToRun(unit.name)
  return machines.map((machine, index): MachineVerdict => {
    const verdict = engineVerdicts[index]?.verdict ?? fits
    if (!hasMetadata(unit.requirements.metadata, machine.metadata)) return { machine: machine.id, verdict }
    const others = [...globals, ...(scheduled.get(machine.id) ?? [])]
    if (!others.some((other) => rivals.has(other))) return { machine: machine.id, verdict: fits }
    const { refused } = targetUnits({ machines: [], units: others }, machine, planner.policy)
    return { machine: machine.id, verdict: refused.find((each) => each.unit === unit.name)?.verdict ?? fits }
  })
}

const fits: Verdict = { kind: 'fits' }

type Find = Planner['unitByName']

function peerState(find: Find, peer: string, policy: Policy): PeerState {
  const unit = find(peer)
  if (unit === undefined) return { peer, kind: 'missing' }
  if (!isWanted(unit, policy)) return { peer, kind: 'inactive' }
  if (unit.requirements.global) return { peer, kind: 'global' }
  return unit.machine === undefined ? { peer, kind: 'waiting' } : { peer, kind: 'placed', machine: unit.machine }
}

/** The first cycle that following MachineOf from the unit leads into. */
function cycleAhead(find: Find, name: string): readonly string[] | undefined {
  const ahead = new Set([name])
  for (const each of ahead) for (const peer of find(each)?.requirements.machineOf ?? []) ahead.add(peer)
  return findMachineOfCycles([...ahead].flatMap((each) => find(each) ?? []))[0]
}
