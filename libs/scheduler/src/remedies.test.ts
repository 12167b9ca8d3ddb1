import { expect, it } from 'vitest'
import type { Machine, Unit } from './model.ts'
import { defaultPolicy } from './policy.ts'
import { findRemedies } from './remedies.ts'
import { createPlanner } from './replan.ts'
import { ruleLine, ruleLineText } from './rule-line.ts'
import { type UnitFromTextOptions, unitFromText } from './unit-from-text.ts'

const textOf = (xFleet: string) => `[Service]\nExecStart=/bin/true\n[X-Fleet]\n${xFleet}\n`
const unit = (name: string, xFleet = '', options: UnitFromTextOptions = {}) =>
  unitFromText(name, textOf(xFleet), options)

const machines: readonly Machine[] = [
  { id: 'm1', metadata: { disk: 'hdd' } },
  { id: 'm2', metadata: {} },
]

function remedies(units: readonly Unit[], name: string, among = machines): readonly string[] {
  const planner = createPlanner({ machines: among, units }, defaultPolicy)
  const before = planner.state()
  const found = findRemedies(planner, name)
  for (const { outcome } of found) expect(outcome.moves.map((move) => move.unit)).toContain(name)
  expect(planner.state()).toEqual(before)
  return found.map(({ text }) => text)
}

it('relabels a machine before it asks for another', () => {
  expect(remedies([unit('a.service', 'MachineMetadata=disk=ssd')], 'a.service')).toEqual([
    'relabel m1 disk=ssd',
    'relabel m2 disk=ssd',
    'one more machine with disk=ssd',
  ])
})

it('relabels the machine first that lacks fewest labels', () => {
  const among = [...machines, { id: 'm3', metadata: { zone: 'a' } }]
  const asked = unit('a.service', 'MachineMetadata=zone=a\nMachineMetadata=disk=ssd')
  expect(remedies([asked], 'a.service', among).slice(0, 2)).toEqual([
    'relabel m3 disk=ssd',
    'relabel m1 zone=a disk=ssd',
  ])
})

it('tells no change that does not help', () => {
  const units = [
    unit('a.service', 'MachineMetadata=disk=ssd\nConflicts=b.service'),
    unit('b.service', '', { machine: 'm1' }),
  ]
  expect(remedies(units, 'a.service')).toEqual(['relabel m2 disk=ssd', 'one more machine with disk=ssd'])
})

it('drops the conflict of either side', () => {
  const units = [
    unit('a.service', 'Conflicts=b@*.service'),
    unit('b@1.service', '', { machine: 'm1' }),
    unit('c.service', 'Conflicts=a.service', { machine: 'm2' }),
  ]
  expect(remedies(units, 'a.service')).toEqual([
    'drop the conflict that c.service declares: Conflicts=a.service',
    'drop the conflict with b@1.service: Conflicts=b@*.service of a.service',
    'one more machine',
  ])
})

it('starts a peer, or does without one', () => {
  const sleeping = unit('b.service', '', { targetState: 'inactive' })
  expect(remedies([unit('a.service', 'MachineOf=b.service'), sleeping], 'a.service')).toEqual(['start b.service'])
  expect(remedies([unit('a.service', 'MachineOf=b.service')], 'a.service')).toEqual([
    'drop MachineOf=b.service from a.service',
  ])
})

it('uncordons, drops a machine ID, or brings the machine back', () => {
  expect(remedies([unit('a.service')], 'a.service', [{ id: 'm1', metadata: {}, isCordoned: true }])).toEqual([
    'uncordon m1',
    'one more machine',
  ])
  expect(remedies([unit('a.service', 'MachineID=m9')], 'a.service')).toEqual([
    'drop MachineID=m9 from a.service',
    'bring back machine m9',
  ])
})

it('has nothing to say of a unit that has a place', () => {
  expect(remedies([unit('a.service')], 'a.service')).toEqual([])
  expect(remedies([], 'a.service')).toEqual([])
})

it('names the line of the unit file that decides', () => {
  const texts = new Map([
    ['a.service', textOf('MachineOf=p.service\nMachineMetadata="disk=ssd" "az=1"\nConflicts=%p@*.service')],
    ['b.service', textOf('# no\nConflicts=a.*')],
  ])
  const line = (verdict: Parameters<typeof ruleLine>[1]) => {
    const found = ruleLine('a.service', verdict, (name) => texts.get(name))
    return found && ruleLineText(found)
  }
  expect(line({ kind: 'peer-missing', peer: 'p.service' })).toBe('a.service:4: MachineOf=p.service')
  expect(line({ kind: 'metadata', missing: [{ key: 'az', allowed: ['1'] }] })).toBe(
    'a.service:5: MachineMetadata="disk=ssd" "az=1"',
  )
  expect(line({ kind: 'conflict', unit: 'a@1.service', declaredBy: 'this-unit' })).toBe(
    'a.service:6: Conflicts=%p@*.service',
  )
  expect(line({ kind: 'conflict', unit: 'b.service', declaredBy: 'other-unit' })).toBe('b.service:5: Conflicts=a.*')
  expect(line({ kind: 'fits' })).toBeUndefined()
  expect(line({ kind: 'conflict', unit: 'z.service', declaredBy: 'other-unit' })).toBeUndefined()
})
