/** Why a unit is where it is, or nowhere: verdicts of all machines, and what is wrong with the units it waits for. */
import { ableToRun, type MachineVerdict, type Verdict } from './able-to-run.ts'
import { applyTasks } from './apply-tasks.ts'
import type { ExplainOptions, Explanation, MachineExplanation, PeerState, Situation } from './explanation.ts'
import { explanationLines } from './explanation-lines.ts'
import { findMachineOfCycles } from './machine-of-cycles.ts'
import type { ClusterState, ClusterTask, Machine, TargetState, Unit } from './model.ts'
import { planCluster } from './plan-cluster.ts'
import type { Policy } from './policy.ts'
import type { Planner } from './replan.ts'
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
  const unit = state.units.find(({ name }) => name === unitName)
  const { tasks, unplaced } = planCluster(state, policy)
  const after = applyTasks(state, tasks)
  const machines = withLines(unitName, unit === undefined ? [] : machineVerdicts(after, unitName, policy), options)
  const situation = situationOf(state, after, tasks, unitName, policy, machines)
  const cycle = unplaced.includes(unitName) ? cycleAhead(finder(state), unitName) : undefined
  const find = finder(after)
  const facts: Omit<Explanation, 'lines'> = {
    unit: unitName,
    ...(unit?.targetState === undefined ? {} : { targetState: unit.targetState }),
    situation,
    machines,
    peers: (unit?.requirements.machineOf ?? []).map((peer) => peerState(find, peer, policy)),
    ...(cycle === undefined ? {} : { cycle }),
  }
  return { ...facts, lines: explanationLines(facts, state) }
}

/**
 * Explains a unit of a held cluster, in which everything planned is done: what `explainUnit` says of `planner.state()`,
 * without planning it again. Global units have the verdicts of the engine.
 */
export function explainHeld(planner: Planner, unitName: string, options: ExplainOptions = {}): Explanation {
  const unit = planner.unitByName(unitName)
  const machines = withLines(unitName, planner.ableToRun(unitName), options)
  const cycle = planner.isUnplaced(unitName) ? cycleAhead(planner.unitByName, unitName) : undefined
  const facts: Omit<Explanation, 'lines'> = {
    unit: unitName,
    ...(unit?.targetState === undefined ? {} : { targetState: unit.targetState }),
    situation: heldSituation(planner, unit, machines),
    machines,
    peers: (unit?.requirements.machineOf ?? []).map((peer) => peerState(planner.unitByName, peer, planner.policy)),
    ...(cycle === undefined ? {} : { cycle }),
  }
  const units = unit === undefined ? planner.state().units : []
  return { ...facts, lines: explanationLines(facts, { machines: planner.machines(), units }) }
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

function heldSituation(planner: Planner, unit: Unit | undefined, verdicts: readonly MachineVerdict[]): Situation {
  if (unit === undefined) return { kind: 'unknown' }
  if (!isWanted(unit, planner.policy)) return { kind: 'not-wanted', reason: whyNotWanted(unit) }
  if (unit.requirements.global) {
    const fitting = verdicts.filter(({ verdict }) => verdict.kind === 'fits')
    return { kind: 'global', machines: fitting.map(({ machine }) => machine) }
  }
  if (unit.machine === undefined) return { kind: 'waiting' }
  const isConfirmed = planner.loadOf(unit.machine) !== undefined
  if (isConfirmed || !planner.isUnplaced(unit.name)) return { kind: 'placed', machine: unit.machine, isConfirmed }
  return { kind: 'waiting', lost: unit.machine }
}

function situationOf(
  state: ClusterState,
  after: ClusterState,
  tasks: readonly ClusterTask[],
  name: string,
  policy: Policy,
  verdicts: readonly MachineVerdict[],
): Situation {
  const unit = state.units.find((each) => each.name === name)
  if (unit === undefined) return { kind: 'unknown' }
  if (!isWanted(unit, policy)) return { kind: 'not-wanted', reason: whyNotWanted(unit) }
  if (unit.requirements.global) {
    const runs = ({ machine, verdict }: MachineVerdict): readonly string[] => (verdict.kind === 'fits' ? [machine] : [])
    return { kind: 'global', machines: verdicts.flatMap(runs) }
  }
  const from = unit.machine
  const machine = after.units.find((each) => each.name === name)?.machine
  const first = tasks.find((task) => task.unit === name)
  const leaves = { ...(from === undefined ? {} : { from }) }
  if (machine === undefined) return { kind: 'waiting', ...leaves, ...(first && { reason: first.reason }) }
  if (machine !== from) return { kind: 'about-to-move', machine, ...leaves, reason: first?.reason ?? '' }
  const isConfirmed = state.machines.some(({ id }) => id === machine)
  const mayBeAlive = state.unconfirmedMachines?.includes(machine) === true
  return isConfirmed || mayBeAlive ? { kind: 'placed', machine, isConfirmed } : { kind: 'waiting', lost: machine }
}

function whyNotWanted(unit: {
  readonly targetState?: TargetState
  readonly unknownTargetState?: string
}): 'inactive' | 'target-state-missing' | 'target-state-unknown' {
  if (unit.targetState !== undefined) return 'inactive'
  return unit.unknownTargetState === undefined ? 'target-state-missing' : 'target-state-unknown'
}

/** As the engine sees it; for a global unit as the agents do, who decide about it. */
function machineVerdicts(state: ClusterState, name: string, policy: Policy): readonly MachineVerdict[] {
  const isGlobal = state.units.some((unit) => unit.name === name && unit.requirements.global)
  const verdicts = ableToRun(state, name, policy)
  if (!isGlobal) return verdicts
  const machines = new Map(state.machines.map((machine) => [machine.id, machine]))
  return verdicts.map(({ machine: id, verdict }) => {
    const machine = machines.get(id)
    return {
      machine: id,
      verdict: machine === undefined ? verdict : globalVerdict(state, machine, name, verdict, policy),
    }
  })
}

function globalVerdict(
  state: ClusterState,
  machine: Machine,
  name: string,
  engineVerdict: Verdict,
  policy: Policy,
): Verdict {
  const { units, refused } = targetUnits(state, machine, policy)
  if (units.some((unit) => unit.name === name)) return { kind: 'fits' }
  return refused.find(({ unit }) => unit === name)?.verdict ?? engineVerdict
}

type Find = (name: string) => Unit | undefined

function finder({ units }: ClusterState): Find {
  const byName = new Map(units.map((unit) => [unit.name, unit]))
  return (name) => byName.get(name)
}

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
