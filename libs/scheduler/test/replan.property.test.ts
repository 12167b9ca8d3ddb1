import {
  applyChange,
  applyTasks,
  type ClusterState,
  checkPlan,
  createPlanner,
  defaultPolicy,
  fleetPolicy,
  type Planner,
  type Policy,
  planCluster,
} from '@cluster/scheduler'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clusters, events, policies, type RandomEvent } from './random-clusters.ts'

const history = fc.array(events, { minLength: 1, maxLength: 30 })

/** Goes through a history with a held planner and, beside it, from scratch. */
function compare(start: ClusterState, steps: readonly RandomEvent[], policy: Policy): void {
  const planner = createPlanner(start, policy)
  let state = start
  let plan = planCluster(state, policy)
  let unplaced: readonly string[] = []
  const check = (replan: Planner['firstPlan']): void => {
    expect(replan.tasks).toEqual(plan.tasks)
    expect(planner.unplaced()).toEqual(plan.unplaced)
    expect(replan.newlyUnplaced).toEqual(plan.unplaced.filter((name) => !unplaced.includes(name)))
    expect(replan.noLongerUnplaced).toEqual(unplaced.filter((name) => !plan.unplaced.includes(name)))
    state = applyTasks(state, plan.tasks)
    unplaced = plan.unplaced
    for (const { name, machine } of state.units) expect(planner.placeOf(name)).toBe(machine)
  }
  check(planner.firstPlan)
  for (const step of steps) {
    const change =
      step.kind === 'change' ? step.change : { kind: 'put-unit' as const, unit: edited(planner, step.unit) }
    state = applyChange(state, change)
    plan = planCluster(state, policy)
    check(planner.apply(change))
  }
  plan = planCluster(state, policy)
  check(planner.round())
  const held = planner.state()
  expect(planCluster(held, policy)).toEqual(planCluster({ ...state, ...sorted(state) }, policy))
}

function edited(planner: Planner, { machine: _, ...unit }: ClusterState['units'][number]) {
  const machine = planner.placeOf(unit.name)
  return machine === undefined ? unit : { ...unit, machine }
}

const sorted = ({ units }: ClusterState): Pick<ClusterState, 'units'> => ({
  units: units.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
})

describe('createPlanner', () => {
  it.each([
    ['the default policy', fc.constant(defaultPolicy), 300],
    ['the policy of fleet', fc.constant(fleetPolicy), 300],
    ['every policy', policies, 1000],
  ] as const)('plans each change of a history as planning from scratch does, under %s', (_, policy, numRuns) => {
    fc.assert(fc.property(clusters, history, policy, compare), { numRuns })
  })

  it('has nothing left to do after any change, and breaks no rule', () => {
    fc.assert(
      fc.property(clusters, history, (start, steps) => {
        const planner = createPlanner(start, defaultPolicy)
        for (const step of steps) {
          const change =
            step.kind === 'change' ? step.change : { kind: 'put-unit' as const, unit: edited(planner, step.unit) }
          const before = applyChange(planner.state(), change)
          const { tasks } = planner.apply(change)
          expect(checkPlan(before, tasks, defaultPolicy)).toEqual([])
        }
        expect(planner.round().tasks).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})
