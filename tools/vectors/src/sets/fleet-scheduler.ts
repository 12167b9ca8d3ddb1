/**
 * fleet's engine: one cluster → its first round and the placement that settles. Decided under `fleetPolicy`, which
 * visits in name order, so that everything recorded for name order must be exact. README-fleet.md, fleet-scheduler.
 */
import {
  applyTasks,
  type ClusterState,
  type ClusterTask,
  checkPlacement,
  fleetPolicy,
  planCluster,
  targetUnits,
} from '@cluster/scheduler'
import { differences } from '../differences.ts'
import { machineOf, textsIn, unitOf } from '../fleet-units.ts'
import { objectIn, objectsIn, type RecordedCase, recordedFiles, textIn } from '../recorded-cases.ts'
import type { Difference, VectorSet } from '../vector-set.ts'

export const fleetScheduler: VectorSet = {
  name: 'fleet-scheduler',
  cases: (folder) =>
    recordedFiles(folder, ['machines', 'units', 'previous', 'firstRound']).flatMap(({ file, cases }) =>
      cases.map((recorded) => ({ name: `${file}: ${textIn(recorded, 'name')}`, run: () => compare(recorded) })),
    ),
}

type Schedule = Readonly<Record<string, string | null>>

/** The state after each round, the first one included, until one has nothing to do. */
type Course = {
  readonly rounds: readonly { readonly tasks: readonly ClusterTask[]; readonly after: ClusterState }[]
  readonly settled?: ClusterState
}

/** More rounds than any recorded case needs; a case that does not settle is compared over six. */
const roundsMax = 50

function compare(recorded: RecordedCase): readonly Difference[] {
  const state = stateOf(recorded)
  const course = runRounds(state)
  const names = namesIn(recorded, course)
  const firstRound = objectIn(recorded, 'firstRound')
  const first = course.rounds[0]
  return [
    ...given(firstRound, 'tasksIfVisitedInNameOrder', 'firstRound', (first?.tasks ?? []).map(recordedTask)),
    ...given(firstRound, 'scheduleIfVisitedInNameOrder', 'firstRound', schedule(first?.after ?? state, names)),
    ...given(
      recorded,
      'historyIfVisitedInNameOrder',
      '',
      Array.from({ length: 6 }, (_, round) => schedule(course.rounds[round]?.after ?? course.settled ?? state, names)),
    ),
    ...compareSettled(recorded, course, names),
  ]
}

function compareSettled(recorded: RecordedCase, { rounds, settled }: Course, names: readonly string[]) {
  // A sentence says that it depends on the order: then nothing is known about name order.
  if (typeof recorded['settles'] === 'boolean' && recorded['settles'] !== (settled !== undefined)) {
    return [{ at: 'settles', expected: recorded['settles'], actual: settled !== undefined }]
  }
  if (settled === undefined) return []
  const placement = schedule(settled, names)
  const wanted = Object.fromEntries(settled.machines.map((machine) => [machine.id, wantedBy(settled, machine)]))
  return [
    ...given(recorded, 'expected', '', placement),
    ...given(recorded, 'expectedIfVisitedInNameOrder', '', placement),
    ...given(recorded, 'agentsWant', '', wanted),
    ...given(recorded, 'agentsWantIfVisitedInNameOrder', '', wanted),
    ...atMost('roundsToSettle', recorded['roundsToSettle'], rounds.length),
    ...compareInvariants(objectIn(recorded, 'invariants'), settled),
  ]
}

function compareInvariants(invariants: RecordedCase, settled: ClusterState): readonly Difference[] {
  const jobs = settled.units.filter(({ requirements }) => !requirements.global)
  const live = new Set(settled.machines.map(({ id }) => id))
  const assigned = jobs.filter(({ machine }) => machine !== undefined && live.has(machine))
  const perMachine = settled.machines
    .map(({ id }) => assigned.filter(({ machine }) => machine === id).length)
    .sort((one, other) => one - other)
  const actual: Readonly<Record<string, unknown>> = {
    violations: checkPlacement(settled, fleetPolicy).length,
    unitsPerMachineSorted: perMachine,
  }
  return [
    ...Object.entries(actual).flatMap(([field, value]) => given(invariants, field, 'invariants', value)),
    ...within('invariants.assignedCount', invariants['assignedCount'], assigned.length),
    ...within('invariants.maxMinSpread', invariants['maxMinSpread'], (perMachine.at(-1) ?? 0) - (perMachine[0] ?? 0)),
    ...every(
      'invariants.alwaysAssigned',
      invariants['alwaysAssigned'],
      assigned.map(({ name }) => name),
    ),
    ...every(
      'invariants.neverAssigned',
      invariants['neverAssigned'],
      jobs.filter((unit) => !assigned.includes(unit)).map(({ name }) => name),
    ),
  ]
}

function stateOf(recorded: RecordedCase): ClusterState {
  const previous = textsIn(recorded['previous'])
  const units = objectsIn(recorded, 'units').map((each) => {
    const unit = unitOf(each)
    const machine = previous[unit.name]
    return machine === undefined ? unit : { ...unit, machine }
  })
  const known = new Set(units.map(({ name }) => name))
  const orphanTargets = Object.entries(previous).flatMap(([unit, machine]) =>
    known.has(unit) ? [] : [{ unit, machine }],
  )
  return { machines: objectsIn(recorded, 'machines').map(machineOf), units, orphanTargets }
}

function runRounds(state: ClusterState): Course {
  const rounds: { readonly tasks: readonly ClusterTask[]; readonly after: ClusterState }[] = []
  for (let current = state; rounds.length < roundsMax; ) {
    const { tasks } = planCluster(current, fleetPolicy)
    if (tasks.length === 0) return { rounds, settled: current }
    current = applyTasks(current, tasks)
    rounds.push({ tasks, after: current })
  }
  return { rounds }
}

/** Every unit that is not global, and every other name that has or had a target key. */
function namesIn(recorded: RecordedCase, { rounds }: Course): readonly string[] {
  const jobs = stateOf(recorded).units.flatMap(({ name, requirements }) => (requirements.global ? [] : [name]))
  const written = rounds.flatMap(({ tasks }) => tasks.map(({ unit }) => unit))
  return [...new Set([...jobs, ...Object.keys(textsIn(recorded['previous'])), ...written])]
}

function schedule({ units, orphanTargets = [] }: ClusterState, names: readonly string[]): Schedule {
  const targets = new Map<string, string | undefined>([
    ...units.map(({ name, machine }) => [name, machine] as const),
    ...orphanTargets.map(({ unit, machine }) => [unit, machine] as const),
  ])
  return Object.fromEntries(names.map((name) => [name, targets.get(name) ?? null]))
}

const wantedBy = (state: ClusterState, machine: ClusterState['machines'][number]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    targetUnits(state, machine, fleetPolicy).units.map(({ name, targetState, unknownTargetState }) => [
      name,
      targetState ?? unknownTargetState ?? '',
    ]),
  )

const recordedTask = ({ kind, unit, machine, reason }: ClusterTask): RecordedCase => ({
  type: kind === 'schedule' ? 'AttemptScheduleUnit' : 'UnscheduleUnit',
  unit,
  machine,
  reason,
})

/** Where a field that the case has is not what we found. */
function given(recorded: RecordedCase, field: string, within: string, actual: unknown): readonly Difference[] {
  if (!Object.hasOwn(recorded, field)) return []
  return differences(recorded[field], actual, within === '' ? field : `${within}.${field}`)
}

/** A number, or `[min, max]`, neither of which name order may exceed: it is among the quicker orders. */
function atMost(at: string, expected: unknown, actual: number): readonly Difference[] {
  const most = Array.isArray(expected) ? expected[1] : expected
  return typeof most === 'number' && actual > most ? [{ at, expected, actual }] : []
}

function within(at: string, expected: unknown, actual: number): readonly Difference[] {
  const [least, most] = Array.isArray(expected) ? expected : [expected, expected]
  if (typeof least !== 'number' || typeof most !== 'number') return []
  return actual < least || actual > most ? [{ at, expected, actual }] : []
}

/** All of the expected names; or, where a number is recorded, at least as many. */
function every(at: string, expected: unknown, actual: readonly string[]): readonly Difference[] {
  if (typeof expected === 'number') return actual.length < expected ? [{ at, expected, actual: actual.length }] : []
  if (!Array.isArray(expected)) return []
  return expected.every((name) => actual.includes(name)) ? [] : [{ at, expected, actual }]
}
