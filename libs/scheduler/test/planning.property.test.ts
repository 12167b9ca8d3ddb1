import {
  type AgentState,
  ableToRun,
  applyTasks,
  type CurrentUnit,
  checkPlacement,
  checkPlan,
  createPlanner,
  defaultPolicy,
  explainHeld,
  explainUnit,
  fleetPolicy,
  type MachineTask,
  type Policy,
  planCluster,
  planMachine,
  targetUnits,
} from '@cluster/scheduler'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clusters, policies } from './random-clusters.ts'

const runs = { numRuns: 300 }
const settling = policies.map(
  (policy): Policy => ({ ...policy, rounds: 'until-settled', replacement: 'replaced-unit-if-it-fits' }),
)

describe('planCluster', () => {
  it('leaves nothing to plan under the default policy', () => {
    fc.assert(
      fc.property(clusters, (state) => {
        const { tasks } = planCluster(state, defaultPolicy)
        expect(planCluster(applyTasks(state, tasks), defaultPolicy).tasks).toEqual([])
      }),
      runs,
    )
  })

  it('leaves nothing to plan under any policy that settles', () => {
    fc.assert(
      fc.property(clusters, settling, (state, policy) => {
        const { tasks } = planCluster(state, policy)
        expect(planCluster(applyTasks(state, tasks), policy).tasks).toEqual([])
      }),
      runs,
    )
  })

  it('makes no plan that breaks a rule', () => {
    fc.assert(
      fc.property(clusters, settling, (state, policy) => {
        expect(checkPlan(state, planCluster(state, policy).tasks, policy)).toEqual([])
      }),
      runs,
    )
  })

  it('breaks no rule where fleet settles', () => {
    fc.assert(
      fc.property(clusters, (start) => {
        let state = start
        for (let round = 0; round < 12; round++) {
          const { tasks } = planCluster(state, fleetPolicy)
          if (tasks.length === 0) expect(checkPlacement(state, fleetPolicy)).toEqual([])
          if (tasks.length === 0) return
          state = applyTasks(state, tasks)
        }
      }),
      runs,
    )
  })

  it('answers the same whatever the order of machines and units', () => {
    fc.assert(
      fc.property(shuffled, policies, ([state, other], policy) => {
        expect(planCluster(other, policy)).toEqual(planCluster(state, policy))
      }),
      runs,
    )
  })

  it('touches no unit twice, and none that stays where it is', () => {
    fc.assert(
      fc.property(clusters, settling, (state, policy) => {
        const { tasks } = planCluster(state, policy)
        const steps = tasks.map(({ kind, unit }) => `${kind} ${unit}`)
        expect(new Set(steps).size).toBe(steps.length)
        const before = new Map(state.units.map(({ name, machine }) => [name, machine]))
        const schedules = tasks.filter(({ kind }) => kind === 'schedule')
        expect(schedules.filter(({ unit, machine }) => before.get(unit) === machine)).toEqual([])
      }),
      runs,
    )
  })

  it('leaves no unit waiting that a machine fits', () => {
    fc.assert(
      fc.property(clusters, settling, (state, policy) => {
        const { tasks, unplaced } = planCluster(state, policy)
        const after = applyTasks(state, tasks)
        const able = unplaced.flatMap((name) => ableToRun(after, name, policy)).map(({ verdict }) => verdict.kind)
        expect(able.filter((kind) => kind === 'fits' || kind === 'replace')).toEqual([])
      }),
      runs,
    )
  })

  it('does not move units of machines that may be alive', () => {
    fc.assert(
      fc.property(clusters, (state) => {
        const live = new Set(state.machines.map(({ id }) => id))
        const spared = new Set(state.unconfirmedMachines?.filter((id) => !live.has(id)))
        const wanted = state.units.filter(
          ({ machine, targetState, requirements }) =>
            spared.has(machine ?? '') &&
            !requirements.global &&
            targetState !== undefined &&
            targetState !== 'inactive',
        )
        const { tasks } = planCluster(state, defaultPolicy)
        expect(tasks.filter(({ unit }) => wanted.some(({ name }) => name === unit))).toEqual([])
      }),
      runs,
    )
  })
})

describe('engine and agent', () => {
  it('agree under the default policy on what runs where', () => {
    fc.assert(
      fc.property(clusters, (state) => {
        const after = applyTasks(state, planCluster(state, defaultPolicy).tasks)
        for (const machine of after.machines) {
          const { units, refused } = targetUnits(after, machine, defaultPolicy)
          const scheduled = after.units.filter((unit) => unit.machine === machine.id)
          expect(refused.filter(({ unit }) => scheduled.some(({ name }) => name === unit))).toEqual([])
          expect(units.map(({ name }) => name)).toEqual(expect.arrayContaining(scheduled.map(({ name }) => name)))
        }
      }),
      runs,
    )
  })
})

describe('planMachine', () => {
  it('leaves nothing to do once its tasks are done', () => {
    fc.assert(
      fc.property(clusters, currents, policies, (state, current, policy) => {
        for (const machine of state.machines) {
          const target = targetUnits(state, machine, policy)
          const after = applyMachineTasks(current, planMachine(target, current, policy), target.units)
          expect(planMachine(target, after, policy)).toEqual([])
        }
      }),
      runs,
    )
  })

  it('answers the same whatever the order', () => {
    fc.assert(
      fc.property(shuffled, currents, policies, ([state, other], current, policy) => {
        for (const machine of state.machines) {
          const tasks = planMachine(targetUnits(state, machine, policy), current, policy)
          expect(planMachine(targetUnits(other, machine, policy), current.toReversed(), policy)).toEqual(tasks)
        }
      }),
      runs,
    )
  })
})

describe('explainUnit', () => {
  it('has a first line about every unit, and a verdict of every machine', () => {
    fc.assert(
      fc.property(clusters, policies, (state, policy) => {
        for (const { name } of state.units) {
          const { lines, machines } = explainUnit(state, name, policy)
          expect(lines[0]?.startsWith(`${name}: `)).toBe(true)
          expect(machines.length).toBe(state.machines.length)
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('explainHeld', () => {
  it('says what explainUnit says of a cluster in which everything is done', () => {
    fc.assert(
      fc.property(clusters, (state) => {
        const planner = createPlanner(state, defaultPolicy)
        const held = planner.state()
        for (const { name, requirements } of held.units) {
          if (requirements.global) continue
          expect(explainHeld(planner, name)).toEqual(explainUnit(held, name, defaultPolicy))
        }
      }),
      { numRuns: 200 },
    )
  })
})

const shuffled = clusters.chain((state) =>
  fc.tuple(
    fc.constant(state),
    fc.record({
      machines: permutation(state.machines),
      units: permutation(state.units),
      orphanTargets: permutation(state.orphanTargets ?? []),
      unconfirmedMachines: permutation(state.unconfirmedMachines ?? []),
    }),
  ),
)

function permutation<T>(items: readonly T[]): fc.Arbitrary<readonly T[]> {
  return fc.shuffledSubarray([...items], { minLength: items.length })
}

const currents: fc.Arbitrary<readonly CurrentUnit[]> = fc.uniqueArray(
  fc
    .record({
      name: fc.constantFrom('a.service', 'b.service', 'g.service', 'web@1.service', 'stray.service'),
      state: fc.constantFrom<AgentState>('inactive', 'loaded', 'launched'),
      hash: fc.option(fc.constantFrom('11', '22'), { nil: undefined }),
    })
    .map(({ hash, ...unit }) => ({ ...unit, ...(hash === undefined ? {} : { hash }) })),
  { selector: ({ name }) => name },
)

/** What an agent has after it did its tasks. */
function applyMachineTasks(
  current: readonly CurrentUnit[],
  tasks: readonly MachineTask[],
  target: ReturnType<typeof targetUnits>['units'],
): readonly CurrentUnit[] {
  const units = new Map(current.map((unit) => [unit.name, unit]))
  const hashOf = (name: string): string => target.find((unit) => unit.name === name)?.hash ?? ''
  for (const task of tasks) {
    if (task.kind === 'reload') continue
    const { unit: name, kind } = task
    if (kind === 'unload') units.delete(name)
    else units.set(name, { name, state: kind === 'start' ? 'launched' : 'loaded', hash: hashOf(name) })
  }
  return [...units.values()]
}
