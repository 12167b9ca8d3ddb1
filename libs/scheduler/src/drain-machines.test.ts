import { expect, it } from 'vitest'
import { drainMachines } from './drain-machines.ts'
import { defaultPolicy } from './policy.ts'
import { createPlanner } from './replan.ts'
import { unitFromText } from './unit-from-text.ts'

const machines = ['m1', 'm2', 'm3'].map((id) => ({ id, metadata: id === 'm1' ? { disk: 'ssd' } : {} }))
const units = [
  unitFromText('a.service', '[Service]\n', { machine: 'm1' }),
  unitFromText('b.service', '[X-Fleet]\nMachineOf=a.service\n', { machine: 'm1' }),
  unitFromText('c.service', '[X-Fleet]\nMachineMetadata=disk=ssd\n', { machine: 'm1' }),
  unitFromText('d.service', '[Service]\n', { machine: 'm2' }),
  unitFromText('g.service', '[X-Fleet]\nGlobal=true\n'),
]
const planner = createPlanner({ machines, units }, defaultPolicy)

it('moves units off, those that belong together together, and names those that fit nowhere else', () => {
  const { moves, newlyUnplaced, loads } = planner.attempt(drainMachines(planner, ['m1']))
  expect(moves).toEqual([
    { unit: 'a.service', from: 'm1', to: 'm3' },
    { unit: 'b.service', from: 'm1', to: 'm3' },
  ])
  expect(newlyUnplaced).toEqual(['c.service'])
  expect(loads).toEqual([
    { machine: 'm1', before: 4, after: 1 },
    { machine: 'm3', before: 1, after: 3 },
  ])
})

it('leaves the planner as it was, and passes over machines that are not there', () => {
  expect(planner.placeOf('a.service')).toBe('m1')
  expect(drainMachines(planner, ['m9'])).toEqual([])
})
