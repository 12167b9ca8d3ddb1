/**
 * fleet's agent: one machine → the units it should have → its tasks. Decided under `fleetPolicy`; everything is
 * exact. README-fleet.md, fleet-agent.
 */
import {
  fleetPolicy,
  type MachineTask,
  type OwnMachine,
  planMachine,
  type TargetUnit,
  targetUnits,
} from '@cluster/scheduler'
import { differences } from '../differences.ts'
import { currentUnits, machineOf, unitOf } from '../fleet-units.ts'
import { objectIn, objectsIn, type RecordedCase, recordedFiles, textIn } from '../recorded-cases.ts'
import type { Difference, VectorSet } from '../vector-set.ts'

export const fleetAgent: VectorSet = {
  name: 'fleet-agent',
  cases: (folder) =>
    recordedFiles(folder, ['current', 'desired', 'tasks']).flatMap(({ file, cases }) =>
      cases.map((recorded) => ({
        name: `${file}: ${textIn(recorded, 'name')}`,
        run: () => ('machine' in recorded ? compareRound(recorded) : compareTasks(recorded)),
      })),
    ),
}

/** Target units are given with their text. */
function compareTasks(recorded: RecordedCase): readonly Difference[] {
  const units = objectsIn(recorded, 'desired').map((each): TargetUnit => unitOf(each))
  return differences(recorded['tasks'], tasksOf(recorded, units), 'tasks')
}

/** The registry is given; the target units are an answer too. */
function compareRound(recorded: RecordedCase): readonly Difference[] {
  const units = objectsIn(recorded, 'units').map((each) => {
    const target = each['target']
    return typeof target === 'string' ? { ...unitOf(each), machine: target } : unitOf(each)
  })
  const own: OwnMachine = {
    ...machineOf(objectIn(recorded, 'machine')),
    isRegistered: recorded['registryMachineID'] !== '',
  }
  const target = targetUnits({ machines: [own], units }, own, fleetPolicy)
  return [
    ...differences(recorded['desired'], target.units.map(recordedTarget), 'desired'),
    ...differences(recorded['tasks'], tasksOf(recorded, target.units), 'tasks'),
  ]
}

const tasksOf = (recorded: RecordedCase, units: readonly TargetUnit[]): readonly (readonly string[])[] =>
  planMachine({ units, isCertain: true }, currentUnits(recorded['current']), fleetPolicy).map(recordedTask)

const recordedTarget = ({ name, targetState, unknownTargetState, hash }: TargetUnit): RecordedCase => ({
  name,
  targetState: targetState ?? unknownTargetState ?? '',
  hash,
})

const taskTypes = {
  load: 'LoadUnit',
  unload: 'UnloadUnit',
  reload: 'ReloadUnitFiles',
  stop: 'StopUnit',
  start: 'StartUnit',
} as const

const recordedTask = (task: MachineTask): readonly string[] => [
  taskTypes[task.kind],
  task.kind === 'reload' ? '' : task.unit,
  task.reason,
]
