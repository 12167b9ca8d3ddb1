/** Units of the cluster by name, with as few requests as possible. */
import type { FleetClient, FleetUnit } from '@cluster/fleet-api'

/** Up to this many units are asked for one by one; for more, the whole list is read. */
const singleRequestsMax = 8

/** Those of the named units that exist. Which of two requests fails first does not matter: any failure is one. */
export async function findUnits(
  fleet: FleetClient,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FleetUnit>> {
  const found = new Map<string, FleetUnit>()
  if (names.length > singleRequestsMax) {
    const wanted = new Set(names)
    for (const unit of await fleet.listUnits(signal)) if (wanted.has(unit.name)) found.set(unit.name, unit)
    return found
  }
  for (const unit of await Promise.all(names.map((name) => fleet.getUnit(name, signal)))) {
    if (unit !== undefined) found.set(unit.name, unit)
  }
  return found
}
