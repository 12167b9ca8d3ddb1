import { expect, it } from 'vitest'
import { applyTasks } from './apply-tasks.ts'
import type { ClusterState, Machine } from './model.ts'
import { planCluster } from './plan-cluster.ts'
import { planMachine, tasksAfterFailure } from './plan-machine.ts'
import { defaultPolicy, fleetPolicy } from './policy.ts'
import { targetUnits } from './target-units.ts'
import { type UnitFromTextOptions, unitFromText } from './unit-from-text.ts'

const unit = (name: string, xFleet = '', options: UnitFromTextOptions = {}) =>
  unitFromText(`${name}.service`, `[Service]\nExecStart=/bin/true\n[X-Fleet]\n${xFleet}\n`, options)

const machine = (id: string, metadata: Machine['metadata'] = {}): Machine => ({ id, metadata })
const two = [machine('m1'), machine('m2')]

const steps = (state: ClusterState, policy = defaultPolicy): readonly string[] =>
  planCluster(state, policy).tasks.map((task) => `${task.kind} ${task.unit} ${task.machine}`)

/** Each repair alone: the recorded policy but for one field. */
const repaired = <Field extends keyof typeof fleetPolicy>(...fields: readonly Field[]): typeof fleetPolicy => ({
  ...fleetPolicy,
  ...Object.fromEntries(fields.map((field) => [field, defaultPolicy[field]])),
})

it('trap 1: a machine that the registry does not know keeps its units', () => {
  const state = { machines: [], units: [unit('a', '', { machine: 'm1' })] }
  const own = { ...machine('m1'), isRegistered: false }
  const current = [{ name: 'a.service', state: 'launched', hash: state.units[0]?.hash ?? '' }] as const
  const plan = (policy: typeof fleetPolicy) => planMachine(targetUnits(state, own, policy), current, policy)
  expect(plan(fleetPolicy).map(({ kind }) => kind)).toEqual(['unload', 'reload'])
  expect(plan(repaired('unknownOwnMachine'))).toEqual([])
})

it('trap 5: units stay while the loss of their machine is not certain', () => {
  const units = [unit('a', '', { machine: 'm9' }), unit('b', '', { machine: 'm8' })]
  const state = { machines: two, units, unconfirmedMachines: ['m9'] }
  expect(steps(state, fleetPolicy)).toContain('unschedule a.service m9')
  expect(steps(state, repaired('unconfirmedLoss'))).toEqual(['unschedule b.service m8', 'schedule b.service m1'])
})

it('trap 6: a target state that nobody knows is inactive', () => {
  const { targetState: _, ...plain } = unit('a')
  const state = { machines: two, units: [{ ...plain, unknownTargetState: 'bogus' }] }
  expect(steps(state, fleetPolicy)).toEqual(['schedule a.service m1'])
  expect(steps(state, repaired('unknownTargetState'))).toEqual([])
})

it('trap 7: a missing target state is inactive, for engine and agent', () => {
  const { targetState: _, ...plain } = unit('a')
  const policy = repaired('missingTargetState')
  expect(steps({ machines: two, units: [plain] }, fleetPolicy)).toEqual(['schedule a.service m1'])
  expect(steps({ machines: two, units: [plain] }, policy)).toEqual([])
  const scheduled = { machines: two, units: [{ ...plain, machine: 'm1' }] }
  const plan = planMachine(targetUnits(scheduled, machine('m1'), policy), [], policy)
  expect(plan).toEqual([])
})

it('trap 8: an inactive global unit is neither load nor conflict', () => {
  const global = unit('g', 'Global=true\nConflicts=a.service', { targetState: 'inactive' })
  const state = { machines: [machine('m1')], units: [global, unit('a')] }
  expect(steps(state, fleetPolicy)).toEqual([])
  expect(steps(state, repaired('inactiveGlobals'))).toEqual(['schedule a.service m1'])
})

it('trap 9: the replaced unit moves, not the replacing one', () => {
  const units = [unit('new', 'Replaces=old.service', { machine: 'm1' }), unit('old', '', { machine: 'm1' })]
  const state = { machines: two, units }
  expect(steps(state)).toEqual(['unschedule old.service m1', 'schedule old.service m2'])
  const visitedFirst = {
    machines: two,
    units: [unit('a-old', '', { machine: 'm1' }), unit('new', 'Replaces=a-old.service', { machine: 'm1' })],
  }
  expect(steps(visitedFirst, fleetPolicy)).toEqual(['unschedule new.service m1', 'schedule new.service m2'])
  expect(steps(visitedFirst, repaired('replacement'))).toEqual([
    'unschedule a-old.service m1',
    'schedule a-old.service m2',
  ])
})

it('trap 9: a replaced unit moves only to a machine that fits, and stays otherwise', () => {
  const units = [
    unit('new', 'Replaces=old.service', { machine: 'm1' }),
    unit('old', 'MachineMetadata=disk=ssd', { machine: 'm1' }),
  ]
  expect(steps({ machines: [machine('m1', { disk: 'ssd' }), machine('m2')], units })).toEqual([])
  expect(
    steps({ machines: [machine('m1')], units: units.slice(0, 1).concat(unit('old', '', { machine: 'm1' })) }),
  ).toEqual([])
})

it('trap 9: what follows a replaced unit moves with it, or all stay', () => {
  const units = (sidekick: string) => [
    unit('new', 'Replaces=old.service', { machine: 'm1' }),
    unit('old', '', { machine: 'm1' }),
    unit('side', `MachineOf=old.service\n${sidekick}`, { machine: 'm1' }),
  ]
  const machines = [machine('m1', { disk: 'ssd' }), machine('m2')]
  expect(steps({ machines, units: units('') })).toEqual([
    'unschedule old.service m1',
    'unschedule side.service m1',
    'schedule old.service m2',
    'schedule side.service m2',
  ])
  expect(steps({ machines, units: units('MachineMetadata=disk=ssd') })).toEqual([])
})

it('trap 9: a new unit goes where it replaces nothing, if it can', () => {
  const units = [
    unit('new', 'Replaces=old.service'),
    unit('old', '', { machine: 'm1' }),
    unit('x', '', { machine: 'm2' }),
  ]
  expect(steps({ machines: two, units })).toEqual(['schedule new.service m2'])
})

it('trap 10: a global unit does not keep a scheduled one off its machine', () => {
  const units = [unit('a', 'Global=true\nConflicts=b.service'), unit('b', '', { machine: 'm1' })]
  const names = (policy: typeof fleetPolicy) =>
    targetUnits({ machines: two, units }, machine('m1'), policy).units.map(({ name }) => name)
  expect(names(fleetPolicy)).toEqual(['a.service'])
  expect(names(repaired('conflicts'))).toEqual(['b.service'])
})

it('trap 10: the agent says which unit it keeps off, and why', () => {
  const units = [unit('a', 'Global=true\nConflicts=b.service'), unit('b', '', { machine: 'm1' })]
  expect(targetUnits({ machines: two, units }, machine('m1'), defaultPolicy).refused).toEqual([
    { unit: 'a.service', verdict: { kind: 'conflict', unit: 'b.service', declaredBy: 'this-unit' } },
  ])
})

it('trap 10: of two that conflict on one machine the same one leaves for engine and agent', () => {
  const units = [unit('a', '', { machine: 'm1' }), unit('b', 'Conflicts=a.service', { machine: 'm1' })]
  const state = { machines: two, units }
  expect(steps(state, fleetPolicy)[0]).toBe('unschedule a.service m1')
  expect(steps(state)).toEqual(['unschedule b.service m1', 'schedule b.service m2'])
  expect(targetUnits(state, machine('m1'), defaultPolicy).units.map(({ name }) => name)).toEqual(['a.service'])
})

it('trap 11: other units go on when the task of one failed', () => {
  const target = {
    isCertain: true,
    units: ['a', 'b'].map((name) => ({ name, targetState: 'launched', hash: '1' }) as const),
  }
  const tasks = planMachine(target, [], defaultPolicy)
  const words = (policy: typeof fleetPolicy, failed: number) =>
    tasksAfterFailure(tasks, failed, policy).map((task) =>
      task.kind === 'reload' ? 'reload' : `${task.kind} ${task.unit}`,
    )
  expect(words(fleetPolicy, 0)).toEqual([])
  expect(words(repaired('failedTask'), 0)).toEqual(['load b', 'reload', 'start b'])
  expect(words(defaultPolicy, 2)).toEqual([])
  expect(words(defaultPolicy, 9)).toEqual([])
})

it('trap 40: followers are placed in the same plan as their leaders', () => {
  const units = [unit('a', 'MachineOf=b.service'), unit('b', 'MachineOf=c.service'), unit('c')]
  const state = { machines: two, units }
  expect(steps(state, fleetPolicy)).toEqual(['schedule c.service m1'])
  expect(steps(state, repaired('rounds'))).toEqual([
    'schedule c.service m1',
    'schedule b.service m1',
    'schedule a.service m1',
  ])
})

it('a unit that only changes its leader for another on the same machine stays', () => {
  const units = [unit('a', 'MachineOf=b.service', { machine: 'm1' }), unit('b', '', { machine: 'm9' })]
  expect(steps({ machines: [machine('m1')], units })).toEqual(['unschedule b.service m9', 'schedule b.service m1'])
})

it('trap 58: targets of global units and of nobody are removed', () => {
  const units = [unit('g', 'Global=true', { machine: 'm1' })]
  const state = { machines: two, units, orphanTargets: [{ unit: 'gone.service', machine: 'm2' }] }
  const expected = ['unschedule g.service m1', 'unschedule gone.service m2']
  expect(steps(state, fleetPolicy)).toEqual([])
  expect(steps(state, repaired('staleTargets'))).toEqual(expected)
  expect(applyTasks(state, planCluster(state, defaultPolicy).tasks)).toEqual({
    machines: two,
    units: [unit('g', 'Global=true')],
  })
})
