/** For a unit that nobody can run: the smallest changes that would make it fit, each tried before it is told. */
import { matchGlob } from '@cluster/unit-file'
import type { MachineVerdict } from './able-to-run.ts'
import type { ClusterChange } from './change.ts'
import type { Machine, Unit } from './model.ts'
import { compareText } from './order.ts'
import type { Attempt, Planner } from './replan.ts'

/** A change after which a unit that nobody could run has a machine. */
export type Remedy = {
  readonly kind:
    | 'uncordon'
    | 'relabel'
    | 'start-peer'
    | 'drop-conflict'
    | 'drop-peer'
    | 'drop-machine-id'
    | 'add-machine'
  /** How much it changes: of a relabelled machine its labels, else 1. */
  readonly size: number
  /** What to do, for a person: `relabel m3 disk=ssd`. */
  readonly text: string
  /** One change of the cluster; of a new machine the ID stands for any. */
  readonly change: ClusterChange
  /** Where it leads: the unit is among the moves. */
  readonly outcome: Attempt
}

/** How much effort goes into remedies. */
export type RemedyLimits = {
  /** So many are told. Default 5. */
  readonly most?: number
  /** So many are tried, the smallest first. Default 100. */
  readonly tries?: number
}

/**
 * Single changes after which the unit has a machine, the smallest first: what leaves no other unit without a place comes
 * before what does, then the order of `Remedy['kind']`, then `size`, then what moves fewest units. None for a unit that has a place,
 * is global or should not run, and none when only several changes together help.
 *
 * @param planner holds the cluster; it is as before afterwards
 */
export function findRemedies(
  planner: Planner,
  unitName: string,
  { most = 5, tries = 100 }: RemedyLimits = {},
): readonly Remedy[] {
  const unit = planner.unitByName(unitName)
  if (unit === undefined || !planner.isUnplaced(unitName)) return []
  const verdicts = planner.ableToRun(unitName)
  const machines = new Map(planner.machines().map((machine) => [machine.id, machine]))
  const found: Remedy[] = []
  for (const idea of ideasFor(unit, verdicts, machines, planner.unitByName).slice(0, tries)) {
    const outcome = planner.attempt([idea.change])
    if (outcome.noLongerUnplaced.includes(unitName)) found.push({ ...idea, outcome })
  }
  return found.sort(bySize).slice(0, most)
}

type Idea = Omit<Remedy, 'outcome'>

const order = [
  'uncordon',
  'relabel',
  'start-peer',
  'drop-conflict',
  'drop-peer',
  'drop-machine-id',
  'add-machine',
] as const satisfies readonly Remedy['kind'][]

function bySize(one: Remedy, other: Remedy): number {
  const harm = ({ kind, size, outcome }: Remedy): readonly number[] => [
    outcome.newlyUnplaced.length,
    order.indexOf(kind),
    size,
    outcome.moves.length,
  ]
  const [mine, theirs] = [harm(one), harm(other)]
  const difference = mine.map((value, index) => value - (theirs[index] ?? 0)).find((each) => each !== 0)
  return difference ?? compareText(one.text, other.text)
}

/** Every idea once, the smallest kinds first. */
function ideasFor(
  unit: Unit,
  verdicts: readonly MachineVerdict[],
  machines: ReadonlyMap<string, Machine>,
  unitByName: (name: string) => Unit | undefined,
): readonly Idea[] {
  const ideas = new Map<string, Idea>()
  for (const { machine: id, verdict } of verdicts) {
    const machine = machines.get(id)
    const idea = machine && ideaFor(unit, verdict, machine, unitByName)
    if (idea !== undefined && !ideas.has(idea.text)) ideas.set(idea.text, idea)
  }
  const more = oneMoreMachine(unit, machines)
  return [...ideas.values(), more].sort(
    (one, other) => order.indexOf(one.kind) - order.indexOf(other.kind) || one.size - other.size,
  )
}

function ideaFor(
  unit: Unit,
  verdict: MachineVerdict['verdict'],
  machine: Machine,
  unitByName: (name: string) => Unit | undefined,
): Idea | undefined {
  const { requirements } = unit
  switch (verdict.kind) {
    case 'cordoned': {
      const { isCordoned: _, ...open } = machine
      return {
        kind: 'uncordon',
        size: 1,
        text: `uncordon ${machine.id}`,
        change: { kind: 'put-machine', machine: open },
      }
    }
    case 'metadata': {
      const labels = verdict.missing.flatMap(({ key, allowed: [value] }) => (value === undefined ? [] : [[key, value]]))
      const metadata = { ...machine.metadata, ...Object.fromEntries(labels) }
      const words = labels.map(([key, value]) => `${key}=${value}`).join(' ')
      return {
        kind: 'relabel',
        size: labels.length,
        text: `relabel ${machine.id} ${words}`,
        change: { kind: 'put-machine', machine: { ...machine, metadata } },
      }
    }
    case 'peer-missing': {
      const peer = unitByName(verdict.peer)
      if (peer !== undefined && peer.targetState === 'inactive') {
        return {
          kind: 'start-peer',
          size: 1,
          text: `start ${peer.name}`,
          change: { kind: 'put-unit', unit: { ...peer, targetState: 'launched' } },
        }
      }
      const machineOf = requirements.machineOf.filter((name) => name !== verdict.peer)
      return edit('drop-peer', `drop MachineOf=${verdict.peer} from ${unit.name}`, unit, { machineOf })
    }
    case 'conflict': {
      const isOwn = verdict.declaredBy === 'this-unit'
      const carrier = isOwn ? unit : unitByName(verdict.unit)
      const target = isOwn ? verdict.unit : unit.name
      if (carrier === undefined) return undefined
      const conflicts = carrier.requirements.conflicts.filter((glob) => !matchGlob(glob, target))
      const dropped = carrier.requirements.conflicts.filter((glob) => matchGlob(glob, target))
      return edit(
        'drop-conflict',
        isOwn
          ? `drop the conflict with ${verdict.unit}: Conflicts=${dropped.join(' ')} of ${carrier.name}`
          : `drop the conflict that ${verdict.unit} declares: Conflicts=${dropped.join(' ')}`,
        carrier,
        { conflicts },
      )
    }
    case 'machine-id': {
      const { machineId: _, ...rest } = requirements
      return {
        kind: 'drop-machine-id',
        size: 1,
        text: `drop MachineID=${verdict.required} from ${unit.name}`,
        change: { kind: 'put-unit', unit: { ...unit, requirements: rest } },
      }
    }
    case 'replace':
    case 'fits':
    case 'machine-gone':
      return undefined
    default:
      return verdict satisfies never
  }
}

function edit(kind: Remedy['kind'], text: string, unit: Unit, requirements: Partial<Unit['requirements']>): Idea {
  const changed = { ...unit, requirements: { ...unit.requirements, ...requirements } }
  return { kind, size: 1, text, change: { kind: 'put-unit', unit: changed } }
}

/** A machine with all that the unit asks for; with its very ID when it asks for one that is not there. */
function oneMoreMachine({ requirements }: Unit, machines: ReadonlyMap<string, Machine>): Idea {
  const metadata = Object.fromEntries(
    [...requirements.metadata].flatMap(([key, [value]]) => (value === undefined ? [] : [[key, value]])),
  )
  let id = requirements.machineId ?? 'one-more-machine'
  while (requirements.machineId === undefined && machines.has(id)) id += '-'
  const words = Object.entries(metadata).map(([key, value]) => `${key}=${value}`)
  const kindOf = words.length === 0 ? '' : ` with ${words.join(' ')}`
  const named = requirements.machineId === undefined ? 'one more machine' : `bring back machine ${id}`
  return {
    kind: 'add-machine',
    size: 1,
    text: `${named}${kindOf}`,
    change: { kind: 'put-machine', machine: { id, metadata } },
  }
}
