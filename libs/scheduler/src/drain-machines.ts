/** Taking machines out of service by and by: what that means as changes of the cluster. */
import type { ClusterChange } from './change.ts'
import type { Planner } from './replan.ts'

/**
 * The machines are cordoned, and each scheduled unit on them looks for a place elsewhere. Global units stay. To be given
 * to `attempt` at once; a unit that fits nowhere else is without a place then.
 *
 * @param ids those that the planner does not hold are passed over
 */
export function drainMachines(planner: Planner, ids: readonly string[]): readonly ClusterChange[] {
  const drained = new Set(ids)
  const cordons = planner.machines().flatMap((machine): readonly ClusterChange[] => {
    if (!drained.has(machine.id)) return []
    return [{ kind: 'put-machine', machine: { ...machine, isCordoned: true } }]
  })
  const leaving = planner.state().units.flatMap((unit): readonly ClusterChange[] => {
    const { machine, ...homeless } = unit
    return machine === undefined || !drained.has(machine) ? [] : [{ kind: 'put-unit', unit: homeless }]
  })
  return [...cordons, ...leaving]
}
