/** Units of the cluster by name, with as few requests as possible. */
import { FleetApiError, type FleetClient, type FleetUnit } from '@cluster/fleet-api'

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

/**
 * As {@link findUnits}, but a unit that the daemon cannot read counts as there, with nothing known about it: it can be
 * destroyed all the same, and must not keep the others from being destroyed. A store that fails is seen by what follows.
 */
export async function findUnitsToDestroy(
  fleet: FleetClient,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FleetUnit | 'unreadable'>> {
  const readable =
    names.length > singleRequestsMax ? await findUnits(fleet, names, signal) : new Map<string, FleetUnit>()
  const found = new Map<string, FleetUnit | 'unreadable'>(readable)
  // Lists leave out what cannot be read; so whoever is not in one is asked for alone.
  for (const name of names.filter((name) => !readable.has(name))) {
    const unit = await fleet.getUnit(name, signal).catch((error: unknown) => {
      if (error instanceof FleetApiError && error.code === 'fleet-api/server-failed') return 'unreadable' as const
      throw error
    })
    if (unit !== undefined) found.set(name, unit)
  }
  return found
}
