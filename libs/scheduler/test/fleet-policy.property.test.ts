import { applyTasks, type ClusterState, fleetPolicy, planCluster, targetUnits } from '@cluster/scheduler'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { naiveRound, naiveTarget } from './naive-fleet.ts'
import { clusters as anyClusters } from './random-clusters.ts'

/** fleet knows no cordon. */
const clusters = anyClusters.map(
  (state): ClusterState => ({ ...state, machines: state.machines.map(({ id, metadata }) => ({ id, metadata })) }),
)

const runs = { numRuns: 300 }

it('plans what fleet plans, round after round', () => {
  fc.assert(
    fc.property(clusters, (start) => {
      let state = start
      for (let round = 0; round < 5; round++) {
        const { tasks } = planCluster(state, fleetPolicy)
        expect(tasks).toEqual(naiveRound(state))
        state = applyTasks(state, tasks)
      }
    }),
    runs,
  )
})

it('wants on each machine what its agent wants', () => {
  fc.assert(
    fc.property(clusters, (state) => {
      for (const machine of state.machines) {
        const names = targetUnits(state, machine, fleetPolicy).units.map(({ name }) => name)
        expect(names).toEqual(naiveTarget(state, machine))
      }
    }),
    runs,
  )
})
