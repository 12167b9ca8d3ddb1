/**
 * Replaces, repaired (trap 9): of two units on one machine the replaced one moves, and the units that follow it by
 * MachineOf with it, to a machine that fits them all. Without such a machine everything stays.
 */
import { missingPeer, suitability } from './able-to-run.ts'
import type { ClusterModel, MachineEntry } from './cluster-model.ts'
import type { Draft } from './draft.ts'
import { firstByName } from './occupancy.ts'
import { followReason, unableReason } from './reason.ts'
import { followersOf, replaceBetween, type UnitEntry } from './unit-entry.ts'

/**
 * Moves every replaced unit that fits elsewhere, in name order. Each move parts at least one pair and joins none, so
 * repeating it comes to an end.
 *
 * @returns whether any moved
 */
export function moveReplaced(draft: Draft): boolean {
  let moved = false
  const { model } = draft
  model.replaced.inOrder((entry) => {
    const machine = entry.target === undefined || entry.isGlobal ? undefined : model.machineById(entry.target)
    const by = machine && replacedBy(entry, machine)
    if (machine === undefined || by === undefined) {
      model.replaced.delete(entry)
      model.stuck.delete(entry)
      return
    }
    const seen = `${model.version()} ${machine.version}`
    if (model.stuck.get(entry) === seen) return
    if (moveGroup(draft, entry, by, machine)) moved = true
    else model.stuck.set(entry, seen)
  })
  return moved
}

function replacedBy(entry: UnitEntry, { units }: MachineEntry): UnitEntry | undefined {
  if (!units.has(entry) || !units.mayReplace(entry)) return undefined
  return firstByName(units.members, (other) => replaceBetween(entry, other) === 'replaced-by')
}

function moveGroup(draft: Draft, entry: UnitEntry, by: UnitEntry, from: MachineEntry): boolean {
  const { model } = draft
  const group = withFollowers(entry, from)
  const to = destinationOf(model, group, from)
  if (to === undefined) return false
  const reason = (member: UnitEntry): string =>
    member === entry
      ? unableReason(entry.unit.name, from.machine.id, {
          kind: 'replace',
          unit: by.unit.name,
          direction: 'replaced-by',
        })
      : followReason(entry.unit.name)
  for (const member of group) draft.unschedule(member, reason(member))
  for (const member of group) draft.schedule(member, to, reason(member))
  return true
}

/** The unit and, behind it, what is on the machine because of it. */
function withFollowers(entry: UnitEntry, { units }: MachineEntry): readonly UnitEntry[] {
  const group = new Set([entry])
  for (const member of group) {
    for (const follower of followersOf(member)) if (units.has(follower)) group.add(follower)
  }
  return [...group]
}

/** The least loaded other machine that fits all, and whose choice breaks nothing on the one they leave. */
function destinationOf(model: ClusterModel, group: readonly UnitEntry[], from: MachineEntry): MachineEntry | undefined {
  return model.inSilence(() => tryDestinations(model, group, from))
}

function tryDestinations(
  model: ClusterModel,
  group: readonly UnitEntry[],
  from: MachineEntry,
): MachineEntry | undefined {
  for (const member of group) model.setTarget(member, undefined)
  // Without the group other global units may find room on `from`, and push out one that somebody needs.
  const remainComplete = ![...from.units.members].some((entry) => missingPeer(model, entry, from) !== undefined)
  const to = remainComplete
    ? model.leastLoaded(group[0]?.shape.metadata, (machine) => machine !== from && takesAll(model, group, machine))
    : undefined
  for (const member of group) model.setTarget(member, from.machine.id)
  return to
}

/** Whether they fit one after the other, each finding its peers there. Leaves the model as it was. */
function takesAll(model: ClusterModel, group: readonly UnitEntry[], machine: MachineEntry): boolean {
  const entered = new Set<UnitEntry>()
  for (let before = -1; before < entered.size && entered.size < group.length; ) {
    before = entered.size
    for (const member of group) {
      if (entered.has(member) || suitability(model, member, machine) !== 'fits') continue
      model.setTarget(member, machine.machine.id)
      entered.add(member)
    }
  }
  for (const member of entered) model.setTarget(member, undefined)
  return entered.size === group.length
}
