/**
 * The cluster as a plan in the making sees it: which units each machine has, and its load. Changed step by step; no
 * decision rebuilds it. Rules: spec/fleet.md §5.2.
 */

import { SchedulerError } from './errors.ts'
import { createLoadIndex } from './load-index.ts'
import { hasMetadata } from './metadata.ts'
import type { ClusterState, Machine } from './model.ts'
import { createOccupancy, type Occupancy } from './occupancy.ts'
import { compareText } from './order.ts'
import type { Policy } from './policy.ts'
import { prepareUnits, type UnitEntry } from './unit-entry.ts'

export type MachineEntry = {
  readonly machine: Machine
  /** Place in the order of IDs. */
  readonly rank: number
  /** The scheduled units that count, and the global units that find room beside them. */
  readonly units: Occupancy
  /** The global units among them. */
  readonly globals: ReadonlySet<UnitEntry>
}

export type ClusterModel = {
  readonly policy: Policy
  readonly machines: readonly MachineEntry[]
  /** All units in name order. */
  readonly units: readonly UnitEntry[]
  readonly unitByName: (name: string) => UnitEntry | undefined
  readonly machineById: (id: string) => MachineEntry | undefined
  /** Units with a MachineOf on this name, in name order. */
  readonly followersOf: (name: string) => readonly UnitEntry[]
  /** The target machine, which may be gone. */
  readonly targetOf: (entry: UnitEntry) => string | undefined
  readonly setTarget: (entry: UnitEntry, machine: string | undefined) => void
  /** Whether the machine has the metadata that the unit requires. */
  readonly hasMetadata: (entry: UnitEntry, machine: MachineEntry) => boolean
  /** The machine with the fewest units, then the smallest ID, among those that the test takes. */
  readonly leastLoaded: (test: (machine: MachineEntry) => boolean) => MachineEntry | undefined
}

/**
 * The model of a state.
 *
 * @throws SchedulerError scheduler/duplicate-machine, scheduler/duplicate-unit
 */
export function createClusterModel(state: ClusterState, policy: Policy): ClusterModel {
  const units = prepareUnits(state.units, policy)
  const byName = new Map(units.map((entry) => [entry.unit.name, entry]))
  const followers = indexFollowers(units)
  const globals = units.filter(
    ({ isGlobal, isWanted }) => isGlobal && (isWanted || policy.inactiveGlobals === 'counted'),
  )
  const isNearGlobals = globalNeighbourhood(globals)

  const machines = prepareMachines(state.machines)
  const byId = new Map(machines.map((entry) => [entry.machine.id, entry]))
  const loads = createLoadIndex(machines.length, units.length)
  const metadataFits = createMetadataCache(machines)
  const targets = new Map<UnitEntry, string>()

  const enter = (machine: OpenMachine, entry: UnitEntry): void => {
    machine.units.add(entry)
    loads.change(machine.rank, 1)
  }
  const leave = (machine: OpenMachine, entry: UnitEntry): void => {
    machine.units.remove(entry)
    loads.change(machine.rank, -1)
  }

  /** Global units give way to scheduled ones; among themselves the smaller name has the room. */
  const fillGlobals = (machine: OpenMachine): void => {
    for (const entry of machine.globals) leave(machine, entry)
    machine.globals.clear()
    for (const entry of globals) {
      if (!metadataFits(entry, machine) || machine.units.hasConflict(entry)) continue
      machine.globals.add(entry)
      enter(machine, entry)
    }
  }

  const setTarget = (entry: UnitEntry, id: string | undefined): void => {
    const counts = entry.isWanted && !entry.isGlobal
    const before = byId.get(targets.get(entry) ?? '')
    if (counts && before !== undefined) leave(before, entry)
    if (id === undefined) targets.delete(entry)
    else targets.set(entry, id)
    const after = id === undefined ? undefined : byId.get(id)
    if (counts && after !== undefined) enter(after, entry)
    if (!counts || !isNearGlobals(entry)) return
    if (before !== undefined) fillGlobals(before)
    if (after !== undefined) fillGlobals(after)
  }

  for (const entry of units) {
    const id = entry.unit.machine
    if (id === undefined) continue
    targets.set(entry, id)
    const machine = byId.get(id)
    if (machine !== undefined && entry.isWanted && !entry.isGlobal) enter(machine, entry)
  }
  for (const machine of machines) fillGlobals(machine)

  return {
    policy,
    machines,
    units,
    unitByName: (name) => byName.get(name),
    machineById: (id) => byId.get(id),
    followersOf: (name) => followers.get(name) ?? [],
    targetOf: (entry) => targets.get(entry),
    setTarget,
    hasMetadata: metadataFits,
    leastLoaded: (test) => {
      const rank = loads.find((candidate) => {
        const machine = machines[candidate]
        return machine !== undefined && test(machine)
      })
      return rank < 0 ? undefined : machines[rank]
    },
  }
}

/** A machine as only this file changes it. */
type OpenMachine = Omit<MachineEntry, 'globals'> & { readonly globals: Set<UnitEntry> }

function prepareMachines(machines: readonly Machine[]): readonly OpenMachine[] {
  const sorted = [...machines].sort((one, other) => compareText(one.id, other.id))
  return sorted.map((machine, rank) => {
    if (rank > 0 && sorted[rank - 1]?.id === machine.id) {
      throw new SchedulerError('scheduler/duplicate-machine', `machine ${machine.id} is in the cluster state twice`, {
        hint: 'give every machine once; two machines with one ID must not both join a cluster',
      })
    }
    return { machine, rank, units: createOccupancy(), globals: new Set<UnitEntry>() }
  })
}

function indexFollowers(units: readonly UnitEntry[]): ReadonlyMap<string, readonly UnitEntry[]> {
  const followers = new Map<string, UnitEntry[]>()
  for (const entry of units) {
    for (const peer of new Set(entry.machineOf)) {
      const group = followers.get(peer)
      if (group === undefined) followers.set(peer, [entry])
      else group.push(entry)
    }
  }
  return followers
}

/** Whether a unit conflicts with any global unit: only then its coming and going can change which ones find room. */
function globalNeighbourhood(globals: readonly UnitEntry[]): (entry: UnitEntry) => boolean {
  const carried = new Set(globals.flatMap(({ conflicts }) => conflicts))
  const matched = new Set(globals.flatMap(({ matchedBy }) => matchedBy))
  return (entry) =>
    entry.matchedBy.some((glob) => carried.has(glob)) || entry.conflicts.some((glob) => matched.has(glob))
}

/** Units with equal requirements share one answer per machine. */
function createMetadataCache(machines: readonly OpenMachine[]): ClusterModel['hasMetadata'] {
  const byUnit = new Map<UnitEntry, Uint8Array>()
  const byRequirement = new Map<string, Uint8Array>()
  return (entry, machine) => {
    const required = entry.unit.requirements.metadata
    if (required.size === 0) return true
    let fits = byUnit.get(entry)
    if (fits === undefined) {
      const key = JSON.stringify([...required].sort(([one], [other]) => compareText(one, other)))
      fits =
        byRequirement.get(key) ??
        Uint8Array.from(machines, (each) => (hasMetadata(required, each.machine.metadata) ? 1 : 0))
      byRequirement.set(key, fits)
      byUnit.set(entry, fits)
    }
    return fits[machine.rank] === 1
  }
}
