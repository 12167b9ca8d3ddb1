/** What one machine should have: the decision of the agent. Rules: spec/fleet.md §6.1. */
import { conflictWith, type Verdict } from './able-to-run.ts'
import { hasMetadata } from './metadata.ts'
import type { ClusterState, Machine, TargetUnit, Unit } from './model.ts'
import { Occupancy } from './occupancy.ts'
import type { Policy } from './policy.ts'
import { byName, prepareUnits, type UnitEntry } from './unit-entry.ts'

/** The agent's own machine, as its registry entry says. */
export type OwnMachine = Machine & {
  /** `false`: the registry has no entry of this machine (trap 1), so what it says of the machine's units is doubtful. */
  readonly isRegistered?: boolean
}

/** What one machine should have. */
export type MachineTarget = {
  /** In name order; inactive ones too. */
  readonly units: readonly TargetUnit[]
  /** Units that belong on this machine and are kept off it, in name order. */
  readonly refused: readonly { readonly unit: string; readonly verdict: Verdict }[]
  /** `false`: leave everything as it is until this machine is registered again. */
  readonly isCertain: boolean
}

/**
 * The units a machine should have: those scheduled on it, and the global ones whose metadata fits, less those that
 * conflict with units that come first. The agent looks at no other requirement.
 *
 * @throws SchedulerError scheduler/duplicate-unit
 */
export function targetUnits({ units }: ClusterState, machine: OwnMachine, policy: Policy): MachineTarget {
  const isUnregistered = machine.isRegistered === false
  if (isUnregistered && policy.unknownOwnMachine === 'keep-units') return { units: [], refused: [], isCertain: false }
  // fleet reads a directory without the machine's record as a machine with ID "" and no metadata.
  const own = isUnregistered ? { id: '', metadata: {} } : machine
  const { entries: candidates } = prepareUnits(
    units.filter((unit) => belongsOn(unit, own)),
    policy,
  )
  const occupancy = new Occupancy()
  const accepted: UnitEntry[] = []
  const refused: { readonly entry: UnitEntry; readonly verdict: Verdict }[] = []
  for (const entry of inOrderOfClaim(candidates, policy)) {
    const takesRoom = entry.isWanted || inactiveTakesRoom(entry, policy)
    const other = takesRoom ? occupancy.firstConflict(entry) : undefined
    if (other !== undefined) {
      refused.push({ entry, verdict: conflictWith(entry, other) })
      continue
    }
    accepted.push(entry)
    if (takesRoom) occupancy.add(entry)
  }
  return {
    units: accepted.sort(byName).map(targetOf),
    refused: refused
      .sort((one, other) => byName(one.entry, other.entry))
      .map(({ entry, verdict }) => ({ unit: entry.unit.name, verdict })),
    isCertain: true,
  }
}

function belongsOn(unit: Unit, own: Machine): boolean {
  if (!unit.requirements.global) return unit.machine === own.id
  return hasMetadata(unit.requirements.metadata, own.metadata)
}

/** Who is asked first: in fleet the smaller name, under the shared rule of trap 10 scheduled units before global ones. */
function inOrderOfClaim(entries: readonly UnitEntry[], { conflicts }: Policy): readonly UnitEntry[] {
  if (conflicts === 'each-its-own') return entries
  return [...entries.filter(({ isGlobal }) => !isGlobal), ...entries.filter(({ isGlobal }) => isGlobal)]
}

/** In fleet even a unit that should not run keeps others off (traps 8 and 10). */
const inactiveTakesRoom = ({ isGlobal }: UnitEntry, policy: Policy): boolean =>
  isGlobal ? policy.inactiveGlobals === 'counted' : policy.conflicts === 'each-its-own'

const targetOf = ({ unit: { name, targetState, unknownTargetState, hash } }: UnitEntry): TargetUnit => ({
  name,
  ...(targetState === undefined ? {} : { targetState }),
  ...(unknownTargetState === undefined ? {} : { unknownTargetState }),
  hash,
})
