/** The machine for a unit that has none: of those that can run it, the one with the fewest units, then the smallest ID. */
import { isMachine, suitability } from './able-to-run.ts'
import type { ClusterModel, MachineEntry } from './cluster-model.ts'
import type { UnitEntry } from './unit-entry.ts'

/**
 * The machine fleet's engine chooses: a Replaces relation there does not count against it. Under the repaired rule
 * of trap 9 it is the last resort, so that no unit is pushed away without need.
 */
export function choosePlace(model: ClusterModel, entry: UnitEntry): MachineEntry | undefined {
  const isRepaired = model.policy.replacement === 'replaced-unit-if-it-fits'
  let replacing: MachineEntry | undefined
  let replaced: MachineEntry | undefined
  const isGood = (machine: MachineEntry): boolean => {
    const suits = suitability(model, entry, machine)
    if (suits === 'unable') return false
    if (suits === 'fits' || !isRepaired) return true
    if (suits === 'replaces') replacing ??= machine
    else replaced ??= machine
    return false
  }
  const only = onlyCandidate(model, entry)
  if (only === 'none') return undefined
  const best = only === 'any' ? model.leastLoaded(isGood) : isGood(only) ? only : undefined
  return best ?? replacing ?? replaced
}

/** A place beside which no other needs a look, because a rule names it; `none` when it names none that exists. */
function onlyCandidate(model: ClusterModel, entry: UnitEntry): MachineEntry | 'any' | 'none' {
  const { machineId } = entry.unit.requirements
  if (machineId !== undefined) {
    const machine = model.machineById(machineId)
    if (machine !== undefined) return machine
    // Short IDs may be shared.
    return model.machines.some((each) => isMachine(machineId, each.machine.id)) ? 'any' : 'none'
  }
  for (const name of entry.machineOf) {
    const peer = model.unitByName(name)
    if (peer === undefined) return 'none'
    if (peer.isGlobal) continue
    const target = model.targetOf(peer)
    return (peer.isWanted && target !== undefined && model.machineById(target)) || 'none'
  }
  return 'any'
}
