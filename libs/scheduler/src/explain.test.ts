import { expect, it } from 'vitest'
import { explainHeld, explainUnit } from './explain.ts'
import type { Unit } from './model.ts'
import { defaultPolicy, fleetPolicy } from './policy.ts'
import { createPlanner } from './replan.ts'
import { type UnitFromTextOptions, unitFromText } from './unit-from-text.ts'

const unit = (name: string, xFleet = '', options: UnitFromTextOptions = {}) =>
  unitFromText(name, `[Service]\nExecStart=/bin/true\n[X-Fleet]\n${xFleet}\n`, options)

const machines = [
  { id: 'm1', metadata: { disk: 'ssd' } },
  { id: 'm2', metadata: {} },
  { id: 'm3', metadata: { disk: 'hdd' } },
]

const lines = (units: readonly Unit[], name: string, more = {}): readonly string[] =>
  explainUnit({ machines, units, ...more }, name, defaultPolicy).lines

it('says what each machine lacks', () => {
  expect(lines([unit('a.service', 'MachineMetadata="disk=nvme" "disk=tape"')], 'a.service')).toEqual([
    'a.service: waits, 0 of 3 machines can run it',
    'm1: metadata disk=nvme or disk=tape is required, the machine has disk=ssd',
    'm2: metadata disk=nvme or disk=tape is required, the machine has no disk',
    'm3: metadata disk=nvme or disk=tape is required, the machine has disk=hdd',
  ])
})

it('quotes the lines of the unit files that decide, whoever wrote them', () => {
  const texts = new Map([
    ['a.service', '[X-Fleet]\nMachineMetadata=disk=ssd\nConflicts=web@*.service\n'],
    ['x.service', '# keeps off\n[X-Fleet]\nConflicts=a.service\n'],
  ])
  const units = [
    unitFromText('a.service', texts.get('a.service') ?? ''),
    unitFromText('x.service', texts.get('x.service') ?? '', { machine: 'm1' }),
  ]
  const options = { textOf: (name: string) => texts.get(name) }
  const { machines: verdicts, lines: told } = explainUnit({ machines, units }, 'a.service', defaultPolicy, options)
  expect(verdicts.map(({ line }) => line)).toEqual([
    { unit: 'x.service', line: 3, text: 'Conflicts=a.service' },
    { unit: 'a.service', line: 2, text: 'MachineMetadata=disk=ssd' },
    { unit: 'a.service', line: 2, text: 'MachineMetadata=disk=ssd' },
  ])
  expect(told[1]).toBe('m1: the Conflicts of x.service, which is here, match it (x.service:3: Conflicts=a.service)')
  expect(explainHeld(createPlanner({ machines, units }, defaultPolicy), 'a.service', options).lines).toEqual(told)
})

it('says where a unit is, and why not elsewhere', () => {
  const units = [unit('a.service', 'MachineMetadata=disk=ssd', { machine: 'm1' })]
  expect(lines(units, 'a.service')).toEqual([
    'a.service: on m1, launched',
    'm2: metadata disk=ssd is required, the machine has no disk',
    'm3: metadata disk=ssd is required, the machine has disk=hdd',
  ])
})

it('names both sides of a conflict, and a required machine', () => {
  const units = [
    unit('a.service', 'Conflicts=b.service\nMachineMetadata=disk=ssd', { machine: 'm1' }),
    unit('b.service', 'Conflicts=c.service'),
    unit('c.service', '', { machine: 'm2' }),
    unit('d.service', 'MachineID=m9'),
    unit('e.service', 'MachineID='),
  ]
  expect(lines([...units, unit('x.service', 'Conflicts=b.service', { machine: 'm3' })], 'b.service')).toEqual([
    'b.service: waits, 0 of 3 machines can run it',
    'm1: the Conflicts of a.service, which is here, match it',
    'm2: its Conflicts match c.service, which is here',
    'm3: the Conflicts of x.service, which is here, match it',
  ])
  expect(lines(units, 'd.service')[1]).toBe('m1: MachineID asks for m9')
  expect(lines(units, 'e.service')[1]).toBe('m1: MachineID is empty, which no machine meets')
})

it('names a cycle of MachineOf, from inside and from behind', () => {
  const units = [
    unit('a.service', 'MachineOf=b.service'),
    unit('b.service', 'MachineOf=c.service'),
    unit('c.service', 'MachineOf=a.service'),
    unit('d.service', 'MachineOf=c.service'),
  ]
  const cycle =
    'MachineOf goes round in a circle, so none can be first: a.service -> b.service -> c.service -> a.service; take one of them out'
  expect(lines(units, 'b.service').slice(-2)).toEqual(['MachineOf c.service: waits for a machine itself', cycle])
  expect(lines(units, 'd.service').at(-1)).toBe(cycle)
  expect(explainUnit({ machines, units }, 'd.service', defaultPolicy).cycle).toEqual([
    'a.service',
    'b.service',
    'c.service',
  ])
})

it('names a peer that is missing, and one that should not run', () => {
  const units = [
    unit('a.service', 'MachineOf="b.service" "gone.service"'),
    unit('b.service', '', { targetState: 'inactive' }),
  ]
  expect(lines(units, 'a.service')).toEqual([
    'a.service: waits, 0 of 3 machines can run it',
    'm1: b.service must be on the same machine, and is not here',
    'm2: b.service must be on the same machine, and is not here',
    'm3: b.service must be on the same machine, and is not here',
    'MachineOf b.service: should not run, so nothing can run beside it',
    'MachineOf gone.service: there is no such unit',
  ])
})

it('says where a global unit runs and where it gives way', () => {
  const units = [
    unit('g.service', 'Global=true\nMachineMetadata="disk=ssd" "disk=hdd"'),
    unit('x.service', 'Conflicts=g.service', { machine: 'm3' }),
  ]
  expect(lines(units, 'g.service')).toEqual([
    'g.service: global, runs on 1 of 3 machines',
    'm1: fits',
    'm2: metadata disk=hdd or disk=ssd is required, the machine has no disk',
    'm3: the Conflicts of x.service, which is here, match it',
  ])
})

it('says what is about to happen', () => {
  expect(lines([unit('a.service')], 'a.service')[0]).toBe('a.service: will be placed on m1')
  expect(lines([unit('a.service', '', { machine: 'm9' })], 'a.service')[0]).toBe(
    'a.service: will move from m9 to m1: target Machine(m9) went away',
  )
  expect(lines([unit('a.service', 'MachineID=m9', { machine: 'm9' })], 'a.service')[0]).toBe(
    'a.service: waits, 0 of 3 machines can run it; it goes on if m9 returns, which is gone',
  )
  expect(lines([unit('a.service', '', { machine: 'm9' })], 'a.service', { unconfirmedMachines: ['m9'] })[0]).toBe(
    'a.service: stays on m9, which is not heard of, until its loss is certain',
  )
})

it('says why a unit should not run', () => {
  const { targetState: _, ...noState } = unit('b.service')
  const units = [unit('a.service', '', { targetState: 'inactive' }), noState]
  expect(lines(units, 'a.service')).toEqual(['a.service: should not run, its target state is inactive'])
  expect(lines(units, 'b.service')).toEqual([
    'b.service: should not run, the registry holds no target state that is known',
  ])
})

it('offers similar names for a unit that does not exist', () => {
  const units = [unit('web@1.service'), unit('db.service')]
  expect(lines(units, 'web.service')).toEqual(['web.service: there is no such unit', 'there are web@1.service'])
  expect(lines(units, 'zz.service')).toEqual(['zz.service: there is no such unit'])
})

it('says that there is no machine', () => {
  const explanation = explainUnit({ machines: [], units: [unit('a.service')] }, 'a.service', defaultPolicy)
  expect(explanation.lines).toEqual(['a.service: waits, there is no machine'])
})

it('says which unit would be replaced', () => {
  const units = [
    unit('new.service', 'Replaces=old.service', { machine: 'm2' }),
    unit('old.service', '', { machine: 'm1' }),
  ]
  expect(lines(units, 'new.service')[1]).toBe('m1: fits, but it replaces old.service, which is here')
  expect(lines(units, 'old.service')[1]).toBe('m2: fits, but new.service, which is here, replaces it')
})

it('promises the next round where a policy plans one at a time', () => {
  const units = [unit('a.service', 'MachineOf=b.service'), unit('b.service')]
  expect(explainUnit({ machines, units }, 'a.service', fleetPolicy).lines[0]).toBe(
    'a.service: waits, 1 of 3 machines can run it; the next round places it',
  )
})
