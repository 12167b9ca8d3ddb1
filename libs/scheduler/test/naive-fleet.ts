/**
 * fleet's engine and agent a second time, as spec/fleet.md §5.2–5.4 and §6.1 read when taken word by word: every
 * decision builds the view of all machines anew and compares all names. Only to check the planner against.
 */
import type { ClusterState, ClusterTask, Machine, Unit } from '@cluster/scheduler'
import { matchGlob } from '@cluster/unit-file'

type Jobs = Map<string, { readonly unit: Unit; target: string | undefined }>
type View = { readonly machine: Machine; readonly units: readonly Unit[] }
type Ability = { readonly able: 'yes' | 'no' | 'replace'; readonly text: string; readonly other?: string }

export function naiveRound(state: ClusterState): readonly ClusterTask[] {
  const sorted = byName(state.units)
  const jobs: Jobs = new Map(
    sorted.flatMap((unit) => (unit.requirements.global ? [] : [[unit.name, { unit, target: unit.machine }]])),
  )
  const views = (): readonly View[] => machineViews(state, jobs)
  const tasks: ClusterTask[] = []

  for (const [name, job] of jobs) {
    if (job.target === undefined) continue
    const machine = job.target
    const leave = (reason: string): void => {
      tasks.push({ kind: 'unschedule', unit: name, machine, reason })
      job.target = undefined
    }
    const view = views().find((each) => each.machine.id === machine)
    if (job.unit.targetState === 'inactive') leave('target state inactive')
    else if (view === undefined) leave(`target Machine(${machine}) went away`)
    else {
      const { able, text, other = '' } = ability(job.unit, view)
      const reason = `target Machine(${machine}) unable to run unit: ${text}`
      if (able === 'no') leave(reason)
      if (able !== 'replace') continue
      tasks.push({ kind: 'unschedule', unit: other, machine, reason })
      const place = byLoad(views()).find((each) => each.machine.id !== machine)
      if (place === undefined) continue
      tasks.push({ kind: 'schedule', unit: other, machine: place.machine.id, reason })
      const moved = jobs.get(other)
      if (moved !== undefined) moved.target = place.machine.id
    }
  }

  for (const [name, job] of jobs) {
    if (job.target !== undefined || job.unit.targetState === 'inactive') continue
    const place = byLoad(views()).find((view) => ability(job.unit, view).able !== 'no')
    if (place === undefined) continue
    const reason = `target state ${job.unit.targetState ?? ''} and unit not scheduled`
    tasks.push({ kind: 'schedule', unit: name, machine: place.machine.id, reason })
    job.target = place.machine.id
  }
  return tasks
}

/** Names of the units that fleet's agent wants on a machine. */
export function naiveTarget({ units }: ClusterState, machine: Machine): readonly string[] {
  const accepted: Unit[] = []
  for (const unit of byName(units)) {
    const belongs = unit.requirements.global ? metadataFits(unit, machine) : unit.machine === machine.id
    if (belongs && !accepted.some((other) => conflictName(unit, other) !== undefined)) accepted.push(unit)
  }
  return accepted.map(({ name }) => name)
}

function machineViews(state: ClusterState, jobs: Jobs): readonly View[] {
  const globals = byName(state.units.filter(({ requirements }) => requirements.global))
  return state.machines.map((machine) => {
    const units = [...jobs.values()]
      .filter(({ target, unit }) => target === machine.id && unit.targetState !== 'inactive')
      .map(({ unit }) => unit)
    for (const unit of globals) {
      if (metadataFits(unit, machine) && !units.some((other) => conflictName(unit, other) !== undefined))
        units.push(unit)
    }
    return { machine, units: byName(units) }
  })
}

function ability(unit: Unit, { machine, units }: View): Ability {
  const { machineId, machineOf } = unit.requirements
  const others = units.filter(({ name }) => name !== unit.name)
  if (machineId !== undefined && machineId !== machine.id && machineId !== machine.id.slice(0, 8)) {
    return { able: 'no', text: `agent ID "${machine.id}" does not match required "${machineId}"` }
  }
  if (!metadataFits(unit, machine)) return { able: 'no', text: 'local Machine metadata insufficient' }
  const peer = machineOf.find((each) => !units.some(({ name }) => name === each))
  if (peer !== undefined) return { able: 'no', text: `required peer Unit(${peer}) is not scheduled locally` }
  for (const other of others) {
    const named = conflictName(unit, other)
    if (named !== undefined) return { able: 'no', text: `found conflict with locally-scheduled Unit([${named}])` }
  }
  const replaced = others.find((other) => replaces(unit, other) !== replaces(other, unit))
  if (replaced === undefined) return { able: 'yes', text: '' }
  return { able: 'replace', text: `found replace with locally-scheduled Unit(${replaced.name})`, other: replaced.name }
}

/** The name in fleet's message: the unit's own when the other one declares the conflict. */
function conflictName(unit: Unit, other: Unit): string | undefined {
  if (other.requirements.conflicts.some((glob) => matchGlob(glob, unit.name))) return unit.name
  return unit.requirements.conflicts.some((glob) => matchGlob(glob, other.name)) ? other.name : undefined
}

const replaces = (one: Unit, other: Unit): boolean =>
  one.requirements.replaces.some((glob) => matchGlob(glob, other.name))

const metadataFits = ({ requirements }: Unit, { metadata }: Machine): boolean =>
  [...requirements.metadata].every(([key, allowed]) => allowed.includes(metadata[key] ?? ''))

const byName = (units: readonly Unit[]): readonly Unit[] =>
  units.toSorted((one, other) => (one.name < other.name ? -1 : 1))

const byLoad = (views: readonly View[]): readonly View[] =>
  views.toSorted((one, other) => one.units.length - other.units.length || (one.machine.id < other.machine.id ? -1 : 1))
