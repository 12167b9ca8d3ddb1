import { tmpdir } from 'node:os'
import { defaultPolicy, planCluster } from '@cluster/scheduler'
import { expect, it } from 'vitest'
import { mixedCluster } from '../src/scheduler/clusters.ts'
import { benchScheduler, schedulerParts } from '../src/scheduler/scheduler.ts'
import { placeStraightforwardly } from '../src/scheduler/straightforward.ts'

it('measures every part', () => {
  const context = { root: '/', folder: tmpdir(), say: () => {} }
  const report = benchScheduler({ parts: schedulerParts, rounds: 1, shrink: 100 }, context)
  expect(report).toContain('Placements per second')
  expect(report).toContain('machine relabelled')
  expect(report).toContain('Explaining a unit')
  expect(report).toContain('1 pairs')
  expect(report).toContain('of a held plan')
})

it('compares with a planner that places likewise', () => {
  const state = mixedCluster(20, 200)
  const { placement } = planCluster({ ...state, units: state.units.slice(0, 40) }, defaultPolicy)
  expect(placeStraightforwardly({ ...state, units: state.units.slice(0, 40) }, 40)).toEqual(placement)
})
