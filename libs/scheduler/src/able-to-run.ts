/** Whether a machine can run a unit, and which rule decided. Rules and their order: spec/fleet.md §5.3. */
import type { ClusterModel, MachineEntry } from './cluster-model.ts'
import { createClusterModel } from './cluster-model.ts'
import { type MissingMetadata, missingMetadata } from './metadata.ts'
import type { ClusterState } from './model.ts'
import { firstByName } from './occupancy.ts'
import type { Policy } from './policy.ts'
import { byName, conflictBetween, replaceBetween, type UnitEntry } from './unit-entry.ts'

/** What the first rule that is not met says, with the data that decided. */
export type Verdict =
  | { readonly kind: 'fits' }
  /** MachineID asks for another machine. */
  | { readonly kind: 'machine-id'; readonly required: string }
  | { readonly kind: 'metadata'; readonly missing: readonly MissingMetadata[] }
  /** MachineOf names a unit that is not on the machine. */
  | { readonly kind: 'peer-missing'; readonly peer: string }
  /** `declaredBy`: whose Conflicts decided. */
  | { readonly kind: 'conflict'; readonly unit: string; readonly declaredBy: 'this-unit' | 'other-unit' }
  /** Able, but one of the two is to move. `replaces`: the other one; `replaced-by`: this one. */
  | { readonly kind: 'replace'; readonly unit: string; readonly direction: 'replaces' | 'replaced-by' }
  /** The machine takes no further units. */
  | { readonly kind: 'cordoned' }
  /** The machine is not alive. */
  | { readonly kind: 'machine-gone' }

/** What a machine says to a unit. */
export type MachineVerdict = { readonly machine: string; readonly verdict: Verdict }

/**
 * The verdict of every machine on a unit, in ID order. A unit is not compared with itself where it already is.
 *
 * @returns none for a name that the state does not have
 * @throws SchedulerError scheduler/duplicate-machine, scheduler/duplicate-unit
 */
export function ableToRun(state: ClusterState, unitName: string, policy: Policy): readonly MachineVerdict[] {
  const model = createClusterModel(state, policy)
  const entry = model.unitByName(unitName)
  if (entry === undefined) return []
  return model.machines.map((machine) => ({ machine: machine.machine.id, verdict: verdictOn(model, entry, machine) }))
}

const fits: Verdict = { kind: 'fits' }

/** The verdict of a machine on a unit that is, or might come, there. */
export const verdictOn = (model: ClusterModel, entry: UnitEntry, machine: MachineEntry): Verdict =>
  cordonVerdict(entry, machine) ??
  basicVerdict(model, entry, machine) ??
  remainingVerdict(entry, machine.units.firstConflict(entry), machine)

/** A cordon keeps off what is not there yet; global units are none of its business. */
const cordonVerdict = (entry: UnitEntry, { machine }: MachineEntry): Verdict | undefined =>
  machine.isCordoned === true && !entry.isGlobal && entry.target !== machine.id ? { kind: 'cordoned' } : undefined

/**
 * The verdict on a unit where it already is. Under the shared rule of trap 10 it only gives way to units with smaller
 * names, so that of two that conflict the same one leaves for engine and agent.
 */
export function verdictToStay(model: ClusterModel, entry: UnitEntry, machine: MachineEntry): Verdict {
  const basic = basicVerdict(model, entry, machine)
  return basic ?? remainingVerdict(entry, stayingConflict(model, entry, machine), machine)
}

function remainingVerdict(entry: UnitEntry, conflicting: UnitEntry | undefined, { units }: MachineEntry): Verdict {
  if (conflicting !== undefined) return conflictWith(entry, conflicting)
  const other = units.firstReplace(entry)
  const direction = other && replaceBetween(entry, other)
  return other === undefined || direction === undefined ? fits : { kind: 'replace', unit: other.unit.name, direction }
}

/** The verdict on a unit where it conflicts with another one. */
export const conflictWith = (entry: UnitEntry, other: UnitEntry): Verdict => ({
  kind: 'conflict',
  unit: other.unit.name,
  declaredBy: conflictBetween(entry, other) === 'other' ? 'other-unit' : 'this-unit',
})

/** The unit to which one already on the machine must give way. */
export function stayingConflict(
  { policy }: ClusterModel,
  entry: UnitEntry,
  { units }: MachineEntry,
): UnitEntry | undefined {
  if (policy.conflicts === 'each-its-own') return units.firstConflict(entry)
  if (!units.hasConflict(entry)) return undefined
  return firstByName(
    units.members,
    (other) => !other.isGlobal && byName(other, entry) < 0 && conflictBetween(entry, other) !== undefined,
  )
}

/** The rules on the machine itself and on peers; `undefined` when they are met. */
export function basicVerdict(model: ClusterModel, entry: UnitEntry, machine: MachineEntry): Verdict | undefined {
  const { machineId } = entry.shape
  if (machineId !== undefined && !isMachine(machineId, machine.machine.id)) {
    return { kind: 'machine-id', required: machineId }
  }
  if (!model.hasMetadata(entry, machine)) {
    const { metadata } = entry.unit.requirements
    return { kind: 'metadata', missing: missingMetadata(metadata, machine.machine.metadata) }
  }
  const peer = missingPeer(model, entry, machine)
  return peer === undefined ? undefined : { kind: 'peer-missing', peer }
}

/** The first of its peers that is not on the machine. */
export function missingPeer(model: ClusterModel, entry: UnitEntry, { units }: MachineEntry): string | undefined {
  if (entry.shape.machineOf.length === 0) return undefined
  return entry.shape.machineOf.find((name) => {
    const peer = model.unitByName(name)
    return peer === undefined || !units.has(peer)
  })
}

/** How well a machine would do, without saying why: for choosing among many. */
export function suitability(
  model: ClusterModel,
  entry: UnitEntry,
  machine: MachineEntry,
): 'fits' | 'replaces' | 'replaced-by' | 'unable' {
  if (machine.machine.isCordoned === true) return 'unable'
  const { machineId } = entry.shape
  if (machineId !== undefined && !isMachine(machineId, machine.machine.id)) return 'unable'
  if (!model.hasMetadata(entry, machine)) return 'unable'
  if (missingPeer(model, entry, machine) !== undefined) return 'unable'
  if (machine.units.hasConflict(entry)) return 'unable'
  if (!machine.units.mayReplace(entry)) return 'fits'
  let found: 'fits' | 'replaces' = 'fits'
  for (const other of machine.units.members) {
    const relation = replaceBetween(entry, other)
    if (relation === 'replaced-by') return relation
    if (relation === 'replaces') found = relation
  }
  return found
}

/** The full ID, or exactly its first 8 characters (trap 32). */
export const isMachine = (required: string, id: string): boolean => required === id || required === id.slice(0, 8)
