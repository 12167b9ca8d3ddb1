/**
 * The picture of a cluster that the registry holds, as values; `view-reader.ts` makes it from entries. A foreign or
 * damaged value is left out and reported under `problems`, and a unit whose text cannot be read is never taken for one
 * that is gone. Source: spec/fleet.md §3.1, §4 "Reading rules", traps 1, 2, 6, 7, 56.
 */
import type { Key, Revision } from '@cluster/kv'
import type { ClusterState, Machine, TargetState, Unit } from '@cluster/scheduler'
import type { FleetRequirements, UnitOption } from '@cluster/unit-file'
import type { BrakeRecord, BrakeRelease, Cordon, EngineLease, MachineObject, UnitState } from './codec.ts'

export type RegistryUnit = {
  readonly name: string
  /** 40 hex digits. */
  readonly hash: string
  /** As stored; what agents write to disk. */
  readonly text: string
  readonly options: readonly UnitOption[]
  readonly requirements: FleetRequirements
  readonly targetState?: TargetState
  /** What stands there instead when that is none of the three words. */
  readonly unknownTargetState?: string
  readonly machine?: string
  /** Machine that says it launched the unit. */
  readonly heartbeat?: string
}

/** A unit that is there, but whose object or text cannot be used. Nobody touches it until it can be read again. */
export type UnreadableUnit = { readonly name: string; readonly machine?: string; readonly problem: string }

export type RegistryMachine = MachineObject & {
  /** What the machine says of itself, overlaid by what was set through the API. */
  readonly effectiveMetadata: Readonly<Record<string, string>>
  readonly cordon?: Cordon
}

export type RegistryLease = EngineLease & { readonly revision: Revision; readonly ttlSeconds?: number }

/** A key, and the write that gave it its value. */
export type KeyAt = { readonly key: Key; readonly revision: Revision }

export type RegistryProblem = { readonly key: Key; readonly problem: string }

export type ClusterView = {
  readonly revision: Revision
  readonly units: ReadonlyMap<string, RegistryUnit>
  readonly unreadableUnits: ReadonlyMap<string, UnreadableUnit>
  /** Leftovers under `job/` of units that do not exist: keys other than the object. */
  readonly leftovers: ReadonlyMap<string, { readonly machine?: string; readonly keys: readonly KeyAt[] }>
  readonly machines: ReadonlyMap<string, RegistryMachine>
  /** Dynamic metadata by machine, also of machines that are away. An empty value hides a configured one. */
  readonly dynamicMetadata: ReadonlyMap<string, Readonly<Record<string, string>>>
  /** By machine, also of machines that are away. */
  readonly cordons: ReadonlyMap<string, Cordon>
  /** What the engine's brake holds back; absent: nothing. */
  readonly brake?: BrakeRecord
  /** What somebody let go; absent: nothing. */
  readonly brakeRelease?: BrakeRelease
  /** By unit, then by machine. */
  readonly states: ReadonlyMap<string, ReadonlyMap<string, UnitState>>
  readonly lease?: RegistryLease
  /** 0 when nobody wrote one yet. */
  readonly engineVersion: number
  /** Hashes of stored texts that no unit refers to, with the revision that wrote them. */
  readonly unreferencedTexts: ReadonlyMap<string, Revision>
  readonly problems: readonly RegistryProblem[]
}

/** Configured metadata overlaid by dynamic; an empty dynamic value takes the key away. */
export function overlayMetadata(
  configured: Readonly<Record<string, string>>,
  dynamic: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const merged = { ...configured, ...dynamic }
  return Object.fromEntries(Object.entries(merged).filter(([name]) => dynamic?.[name] !== ''))
}

/**
 * What the planners are given.
 *
 * @param unconfirmedMachines machines that are not listed but may be alive
 */
export function clusterStateOf(view: ClusterView, unconfirmedMachines: readonly string[] = []): ClusterState {
  const orphanTargets = [...view.leftovers].flatMap(([unit, { machine }]) =>
    machine === undefined ? [] : [{ unit, machine }],
  )
  return {
    machines: [...view.machines.values()].map(plannedMachine),
    units: [...view.units.values()].map(plannedUnit),
    ...(orphanTargets.length === 0 ? {} : { orphanTargets }),
    ...(unconfirmedMachines.length === 0 ? {} : { unconfirmedMachines }),
  }
}

/** A machine for planning; one that is drained is cordoned too. */
export const plannedMachine = ({ id, effectiveMetadata, cordon }: RegistryMachine): Machine => ({
  id,
  metadata: effectiveMetadata,
  ...(cordon === undefined ? {} : { isCordoned: true }),
})

/** A unit for planning. */
export const plannedUnit = ({
  name,
  hash,
  requirements,
  targetState,
  unknownTargetState,
  machine,
}: RegistryUnit): Unit => ({
  name,
  hash,
  requirements,
  ...(targetState === undefined ? {} : { targetState }),
  ...(unknownTargetState === undefined ? {} : { unknownTargetState }),
  ...(machine === undefined ? {} : { machine }),
})

/**
 * How far a unit has come, as fleet computes it: launched means that its machine said so and publishes a state of it,
 * not that systemd calls it active.
 */
export function currentStateOf(view: Pick<ClusterView, 'states'>, unit: RegistryUnit): TargetState {
  if (unit.machine === undefined || view.states.get(unit.name)?.get(unit.machine) === undefined) return 'inactive'
  return unit.heartbeat === unit.machine ? 'launched' : 'loaded'
}
