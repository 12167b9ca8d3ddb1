import {
  applyChange,
  applyTasks,
  type ClusterChange,
  createPlanner,
  machineSets,
  planCluster,
  whatIf,
  whatIfLost,
} from '@cluster/scheduler'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { clusters, events, policies } from './random-clusters.ts'

const changes: fc.Arbitrary<readonly ClusterChange[]> = fc.array(
  events.map(
    (event): ClusterChange => (event.kind === 'change' ? event.change : { kind: 'put-unit', unit: event.unit }),
  ),
  { minLength: 1, maxLength: 5 },
)

it('answers what doing it leads to', () => {
  fc.assert(
    fc.property(clusters, changes, policies, (start, list, policy) => {
      const first = planCluster(start, policy)
      const state = applyTasks(start, first.tasks)
      const changed = list.reduce(applyChange, state)
      const done = planCluster(changed, policy)
      const answer = whatIf(start, list, policy)
      expect(answer.tasks).toEqual(done.tasks)
      expect(answer.newlyUnplaced).toEqual(done.unplaced.filter((name) => !first.unplaced.includes(name)))
      expect(answer.noLongerUnplaced).toEqual(first.unplaced.filter((name) => !done.unplaced.includes(name)))
      const placeBefore = new Map(state.units.map(({ name, machine }) => [name, machine]))
      const moved = [...done.placement].filter(([name, machine]) => placeBefore.get(name) !== machine)
      expect(new Map(answer.moves.map(({ unit, to }) => [unit, to]))).toEqual(new Map(moved))
      for (const { unit, from } of answer.moves) expect(placeBefore.get(unit)).toBe(from)
      const loads = (cluster: typeof state) => {
        const planner = createPlanner(cluster, policy)
        return (id: string) => planner.loadOf(id)
      }
      // Planning a settled state again may go on under policies that plan one round at a time.
      if (policy.rounds === 'one' || policy.replacement === 'whichever-is-found') return
      const [before, after] = [loads(state), loads(applyTasks(changed, done.tasks))]
      const ids = new Set([...state.machines, ...changed.machines].map(({ id }) => id))
      const told = new Map(answer.loads.map((each) => [each.machine, each]))
      for (const id of ids) {
        expect(told.get(id)?.before).toBe(told.has(id) ? before(id) : undefined)
        expect(told.get(id)?.after).toBe(told.has(id) ? after(id) : undefined)
        if (!told.has(id)) expect(before(id)).toBe(after(id))
      }
    }),
    { numRuns: 1000 },
  )
})

it('leaves the planner as it was, however often it is asked', () => {
  fc.assert(
    fc.property(clusters, fc.array(changes, { maxLength: 4 }), changes, policies, (start, questions, real, policy) => {
      const asked = createPlanner(start, policy)
      const other = createPlanner(start, policy)
      for (const question of questions) asked.attempt(question)
      expect(asked.state()).toEqual(other.state())
      for (const change of real) {
        expect(asked.apply(change)).toEqual(other.apply(change))
        for (const question of questions) expect(asked.attempt(question)).toEqual(other.attempt(question))
      }
    }),
    { numRuns: 500 },
  )
})

it('loses machines as doing it does, and has them all back', () => {
  const losses = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 3 }), fc.boolean())
  fc.assert(
    fc.property(
      clusters,
      fc.array(losses, { minLength: 1, maxLength: 4 }),
      changes,
      policies,
      (start, all, real, policy) => {
        const asked = createPlanner(start, policy)
        const other = createPlanner(start, policy)
        const lossesOf = (planner: typeof asked): readonly ClusterChange[][] =>
          all.map(([from, count, mayBeAlive]) => {
            const machines = planner.machines()
            const turned = machines.map((_, index) => machines[(from + index) % machines.length])
            return turned.slice(0, count).flatMap((each): ClusterChange[] => {
              return each === undefined ? [] : [{ kind: 'remove-machine', machine: each.id, mayBeAlive }]
            })
          })
        for (const [index, change] of real.entries()) {
          for (const loss of lossesOf(asked)) {
            const done = createPlanner(start, policy)
            for (const earlier of real.slice(0, index)) done.apply(earlier)
            const { moves, loads, ...replan } = asked.attempt(loss)
            expect(replan).toEqual(done.applyAll(loss))
            expect(moves.map(({ unit, from }) => [unit, from])).toEqual(
              moves.map(({ unit }) => [unit, asked.placeOf(unit)]),
            )
            for (const { unit, to } of moves) expect(done.placeOf(unit)).toBe(to)
            for (const { machine, before, after } of loads) {
              expect([before, after]).toEqual([asked.loadOf(machine), done.loadOf(machine)])
            }
          }
          expect(asked.state()).toEqual(other.state())
          expect(asked.apply(change)).toEqual(other.apply(change))
          expect(asked.unplaced()).toEqual(other.unplaced())
          for (const { id } of other.machines()) expect(asked.loadOf(id)).toBe(other.loadOf(id))
        }
      },
    ),
    { numRuns: 500 },
  )
})

it('loses sets of machines as losing each of them does, and names the worst', () => {
  fc.assert(
    fc.property(clusters, fc.integer({ min: 1, max: 3 }), policies, (start, count, policy) => {
      const planner = createPlanner(start, policy)
      const { total, sets } = machineSets(start.machines, { kind: 'any', count })
      const all = [...sets]
      expect(all.length).toBe(total)
      expect(new Set(all.map((each) => each.join())).size).toBe(total)
      const steps = [...whatIfLost(planner, { total, sets })]
      expect(steps.map(({ done }) => done)).toEqual(total === 0 ? [0] : all.map((_, index) => index + 1))
      const outcomes = all.map((machines) =>
        whatIf(
          start,
          machines.map((machine) => ({ kind: 'remove-machine', machine })),
          policy,
        ),
      )
      const most = Math.max(0, ...outcomes.map(({ newlyUnplaced }) => newlyUnplaced.length))
      const last = steps.at(-1)
      expect(last?.worst?.outcome.newlyUnplaced.length ?? 0).toBe(most)
      expect(last?.failing).toBe(outcomes.filter(({ newlyUnplaced }) => newlyUnplaced.length > 0).length)
      if (last?.worst !== undefined) {
        expect(outcomes).toContainEqual(last.worst.outcome)
        expect(all).toContainEqual(last.worst.machines)
      }
    }),
    { numRuns: 200 },
  )
})

it('takes the machines of a zone together', () => {
  const machines = ['a', 'b', 'a'].map((zone, index) => ({ id: `m${index}`, metadata: { zone } }))
  expect(machineSets(machines, { kind: 'metadata', key: 'zone' })).toEqual({ total: 2, sets: [['m0', 'm2'], ['m1']] })
  expect(machineSets(machines, { kind: 'metadata', key: 'zone', value: 'b' })).toEqual({ total: 1, sets: [['m1']] })
  expect(machineSets(machines, { kind: 'metadata', key: 'rack' }).total).toBe(0)
  expect(machineSets(machines, { kind: 'any', count: 4 }).total).toBe(0)
})
