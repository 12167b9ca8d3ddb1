/** Why a unit is where it is, for a daemon that cannot tell: the planner runs here, on what the API lists. Pure. */
import type { FleetMachine, FleetUnit, UnitExplanation } from '@cluster/fleet-api'
import { isTargetState } from '@cluster/fleet-api'
import { explainUnit, fleetPolicy, type Unit, verdictText } from '@cluster/scheduler'
import { hashOptions, readFleetRequirements } from '@cluster/unit-file'

/**
 * An explanation under the rules of the original, which is the daemon that cannot tell.
 *
 * @returns `undefined` for a unit that is not among `units`
 */
export function explainHere(
  name: string,
  units: readonly FleetUnit[],
  machines: readonly FleetMachine[],
): UnitExplanation | undefined {
  const unit = units.find((each) => each.name === name)
  if (unit === undefined) return undefined
  const explanation = explainUnit({ machines, units: units.map(plannerUnit) }, name, fleetPolicy)
  return {
    unit: name,
    situation: explanation.situation.kind,
    lines: explanation.lines,
    ...(unit.machineId === undefined ? {} : { machineId: unit.machineId }),
    machines: explanation.machines.map(({ machine, verdict }) => ({
      machineId: machine,
      fits: verdict.kind === 'fits',
      rule: verdict.kind,
      text: verdictText(verdict),
    })),
  }
}

function plannerUnit({ name, options, targetState, machineId }: FleetUnit): Unit {
  return {
    name,
    hash: hashOptions(options),
    requirements: readFleetRequirements(name, options),
    ...(targetState === undefined
      ? {}
      : isTargetState(targetState)
        ? { targetState }
        : { unknownTargetState: targetState }),
    ...(machineId === undefined ? {} : { machine: machineId }),
  }
}
