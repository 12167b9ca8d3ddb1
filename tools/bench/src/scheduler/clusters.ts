/** Clusters to measure with: 40% plain units, 30% Conflicts with globs, 20% metadata, 10% chains of MachineOf. */
import type { ClusterState, Machine, Unit } from '@cluster/scheduler'

/** So many machines and units, none of them placed; the same for the same numbers. */
export function mixedCluster(machineCount: number, unitCount: number): ClusterState {
  const machines = Array.from({ length: machineCount }, (_, index): Machine => {
    const disk = index % 3 === 0 ? 'ssd' : 'hdd'
    return { id: `m${String(index).padStart(6, '0')}`, metadata: { disk, zone: `z${index % 4}` } }
  })
  // Each group of instances that keep apart has a tenth as many as there are machines.
  const groups = Math.max(1, Math.round((unitCount * 0.3) / (machineCount / 10)))
  return { machines, units: Array.from({ length: unitCount }, (_, index) => mixedUnit(index, groups)) }
}

function mixedUnit(index: number, groups: number): Unit {
  const turn = index % 10
  const round = Math.floor(index / 10)
  if (turn < 4) return unit(`plain-${index}.service`)
  if (turn < 7) {
    const group = round % groups
    return unit(`web-${group}@${index}.service`, { conflicts: [`web-${group}@*.service`] })
  }
  if (turn === 7) return unit(`disk-${index}.service`, { metadata: new Map([['disk', ['ssd']]]) })
  if (turn === 8) return unit(`zone-${index}.service`, { metadata: new Map([['zone', ['z1', 'z2']]]) })
  const [chain, link] = [Math.floor(round / 4), round % 4]
  return unit(`chain-${chain}-${link}.service`, { machineOf: link === 0 ? [] : [`chain-${chain}-${link - 1}.service`] })
}

const unit = (name: string, requirements: Partial<Unit['requirements']> = {}): Unit => ({
  name,
  hash: '8385c9176f09a5ee3bbb88d45c6fc3f0b69d1f52',
  targetState: 'launched',
  requirements: { machineOf: [], conflicts: [], replaces: [], metadata: new Map(), global: false, ...requirements },
})
