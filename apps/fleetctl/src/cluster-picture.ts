/** The cluster as the API tells of it, read once, for planning here. */
import { type FleetClient, type FleetMachine, type FleetUnit, isTargetState } from '@cluster/fleet-api'
import type { ClusterState, Machine, Unit } from '@cluster/scheduler'
import { hashOptions, readFleetRequirements } from '@cluster/unit-file'
import { type Machines, machinesById } from './machine-cell.ts'

export type ClusterPicture = {
  readonly machines: Machines
  /** By name. */
  readonly units: ReadonlyMap<string, FleetUnit>
  /** The same, as planners take it. */
  readonly state: ClusterState
}

/** All units and machines; throws what the client throws. */
export async function readPicture(fleet: FleetClient, signal: AbortSignal): Promise<ClusterPicture> {
  const [units, machines] = await Promise.all([fleet.listUnits(signal), fleet.listMachines(signal)])
  return {
    machines: machinesById(machines),
    units: new Map(units.map((unit) => [unit.name, unit])),
    state: { machines: machines.map(plannerMachine), units: units.map(plannerUnit) },
  }
}

/** A machine of the API as planners take it. */
const plannerMachine = ({ id, metadata, cordon }: FleetMachine): Machine => ({
  id,
  metadata,
  ...(cordon === undefined ? {} : { isCordoned: true }),
})

/** A unit of the API as planners take it. */
export const plannerUnit = ({ name, options, targetState, machineId }: Omit<FleetUnit, 'currentState'>): Unit => ({
  name,
  hash: hashOptions(options),
  requirements: readFleetRequirements(name, options),
  ...(targetState === undefined
    ? {}
    : isTargetState(targetState)
      ? { targetState }
      : { unknownTargetState: targetState }),
  ...(machineId === undefined ? {} : { machine: machineId }),
})
