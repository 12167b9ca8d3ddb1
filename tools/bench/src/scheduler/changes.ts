/** One change after the other, of every kind, each undoing nothing of the ones before. */
import type { ClusterChange, ClusterState, Planner } from '@cluster/scheduler'

export const changeKinds = [
  'unit added',
  'unit removed',
  'unit edited',
  'target state changed',
  'machine joined',
  'machine left',
  'machine relabelled',
] as const

export type ChangeKind = (typeof changeKinds)[number]

/** The change of a kind that comes as number `index`; `undefined` when what it concerns is gone already. */
export function nthChange(
  kind: ChangeKind,
  index: number,
  { machines, units }: ClusterState,
  planner: Planner,
): ClusterChange | undefined {
  // Far apart, and each only once.
  const unit = units[(index * 7919) % units.length]
  const machine = machines[(index * 104_729) % machines.length]
  const current = unit && planner.unitByName(unit.name)
  if (unit === undefined || machine === undefined || current === undefined) return undefined
  switch (kind) {
    case 'unit added':
      return { kind: 'put-unit', unit: { ...unit, name: unit.name.replace('.service', `-new-${index}.service`) } }
    case 'unit removed':
      return { kind: 'remove-unit', unit: unit.name }
    case 'unit edited': {
      const requirements = { ...current.requirements, metadata: new Map([['disk', ['hdd']]]) }
      return { kind: 'put-unit', unit: { ...current, requirements } }
    }
    case 'target state changed':
      return { kind: 'put-unit', unit: { ...current, targetState: 'inactive' } }
    case 'machine joined':
      return { kind: 'put-machine', machine: { ...machine, id: `${machine.id}-new-${index}` } }
    case 'machine left':
      return planner.loadOf(machine.id) === undefined ? undefined : { kind: 'remove-machine', machine: machine.id }
    case 'machine relabelled': {
      if (planner.loadOf(machine.id) === undefined) return undefined
      const disk = machine.metadata['disk'] === 'ssd' ? 'hdd' : 'ssd'
      return { kind: 'put-machine', machine: { ...machine, metadata: { ...machine.metadata, disk } } }
    }
    default:
      return kind satisfies never
  }
}
