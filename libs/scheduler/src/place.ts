/** The machine for a unit that has none: of those that can run it, the one with the fewest units, then the smallest ID. */
import { suitability } from './able-to-run.ts'
import type { ClusterModel, MachineEntry } from './cluster-model.ts'
import type { UnitEntry } from './unit-entry.ts'

/**
 * The machine fleet's engine chooses for a unit that waits: a Replaces relation there does not count against it. Under
 * the repaired rule of trap 9 it is the last resort, so that no unit is pushed away without need.
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
  const candidates = candidatesFor(model, entry)
  const best =
    candidates === 'all'
      ? model.leastLoaded(entry.shape.metadata, isGood)
      : [...candidates].sort(byLoad).find((machine) => isGood(machine))
  const found = best ?? replacing ?? replaced
  if (found === undefined) model.waiting.sleep(entry.shape)
  return found
}

/** The machines beside which no other needs a look. */
function candidatesFor(model: ClusterModel, entry: UnitEntry): 'all' | readonly MachineEntry[] {
  const named = namedByRules(model, entry)
  const awake = model.waiting.candidatesOf(entry.shape)
  if (awake === 'unknown') return named
  if (named !== 'all') return named.filter((machine) => awake.has(machine))
  return [...awake].filter(({ isGone }) => !isGone)
}

const byLoad = (one: MachineEntry, other: MachineEntry): number => one.load - other.load || one.rank - other.rank

function namedByRules(model: ClusterModel, { shape }: UnitEntry): 'all' | readonly MachineEntry[] {
  if (shape.machineId !== undefined) {
    const machine = model.machineById(shape.machineId)
    // Short IDs may be shared.
    return machine === undefined ? model.machinesByShortId(shape.machineId) : [machine]
  }
  for (const name of shape.machineOf) {
    const peer = model.unitByName(name)
    if (peer === undefined) return []
    if (peer.isGlobal) continue
    const machine = model.placeOf(peer)
    return machine === undefined ? [] : [machine]
  }
  return 'all'
}
