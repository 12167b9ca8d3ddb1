/**
 * The live machines in ID order, and in the order in which units are offered to them: all of them, and for each
 * metadata requirement those that meet it.
 */
import { SchedulerError } from './errors.ts'
import { createLoadIndex, type LoadIndex } from './load-index.ts'
import { hasMetadata } from './metadata.ts'
import type { Machine } from './model.ts'
import { Occupancy } from './occupancy.ts'
import { compareText } from './order.ts'
import type { MetadataRequirement } from './shape.ts'
import type { UnitEntry } from './unit-entry.ts'

export type MachineEntry = {
  readonly machine: Machine
  /** Grows with the ID; changes when machines join. */
  readonly rank: number
  /** The number of units on it. */
  readonly load: number
  /** The scheduled units that count, and the global units that find room beside them. */
  readonly units: Occupancy
  /** The global units among them. */
  readonly globals: ReadonlySet<UnitEntry>
  readonly isGone: boolean
  /** Changes with the units that are here. */
  readonly version: number
}

/** A machine as only the cluster model changes it. */
export type OpenMachineEntry = Omit<MachineEntry, 'machine' | 'rank' | 'load' | 'globals' | 'isGone' | 'version'> & {
  machine: Machine
  rank: number
  load: number
  globals: ReadonlySet<UnitEntry>
  isGone: boolean
  version: number
}

export type MachineTable = {
  /** In ID order. */
  readonly inOrder: readonly OpenMachineEntry[]
  readonly byId: (id: string) => OpenMachineEntry | undefined
  readonly atRank: (rank: number) => OpenMachineEntry | undefined
  /** Those whose ID begins with these 8 characters, in ID order. */
  readonly byShortId: (shortId: string) => readonly OpenMachineEntry[]
  readonly changeLoad: (machine: OpenMachineEntry, by: number) => void
  /** From now on notes each machine whose load changes; `undefined`: no more. */
  readonly noteLoads: (notes: LoadNotes | undefined) => void
  readonly meets: (machine: MachineEntry, requirement: MetadataRequirement | undefined) => boolean
  /** The one with the fewest units, then the smallest ID, of those that meet the requirement and pass the test. */
  readonly leastLoaded: (
    requirement: MetadataRequirement | undefined,
    test: (machine: OpenMachineEntry) => boolean,
  ) => OpenMachineEntry | undefined
  /** A new machine. Takes O(log n), and now and then O(n) to make room between two IDs. */
  readonly join: (machine: Machine) => OpenMachineEntry
  readonly leave: (machine: OpenMachineEntry) => void
  /** Takes `leave` back, before any other machine came: it has the units and the load that it had. */
  readonly rejoin: (machine: OpenMachineEntry) => void
  readonly relabel: (entry: OpenMachineEntry, machine: Machine) => void
  /** Forgets a requirement that no unit has any more. */
  readonly forget: (requirement: MetadataRequirement) => void
}

/** Machines whose load changed, with what it was before; `undefined` for a machine that came. */
export type LoadNotes = Map<MachineEntry, number | undefined>

/** The machines that meet a requirement: by rank whether one does, and in order of load. */
type MachineClass = { readonly fits: Uint8Array; readonly loads: LoadIndex }

/** Room for so many machines where there is one, whenever all ranks are given anew. */
const gap = 4

/** @throws SchedulerError scheduler/duplicate-machine */
export function createMachineTable(machines: readonly Machine[]): MachineTable {
  const inOrder = [...machines].sort((one, other) => compareText(one.id, other.id)).map(createMachineEntry)
  const byId = new Map<string, OpenMachineEntry>()
  for (const entry of inOrder) byId.set(entry.machine.id, entry)
  if (byId.size < inOrder.length) throw duplicate(inOrder)
  /** Made when somebody first asks: few units name a machine. */
  let byShortId: Map<string, OpenMachineEntry[]> | undefined

  let byRank: (OpenMachineEntry | undefined)[] = []
  let capacity = 0
  let loads = createLoadIndex(capacity)
  const classes = new Map<MetadataRequirement, MachineClass>()
  let classList: readonly MachineClass[] = []
  let notes: LoadNotes | undefined
  const note = (entry: MachineEntry, before: number | undefined): void => {
    if (notes !== undefined && !notes.has(entry)) notes.set(entry, before)
  }

  const shortIds = (): Map<string, OpenMachineEntry[]> => {
    if (byShortId !== undefined) return byShortId
    byShortId = new Map()
    for (const entry of inOrder) addShortId(byShortId, entry)
    return byShortId
  }

  const classOf = (requirement: MetadataRequirement) => {
    let found = classes.get(requirement)
    if (found !== undefined) return found
    found = { fits: new Uint8Array(capacity), loads: createLoadIndex(capacity) }
    for (const entry of inOrder) if (hasMetadata(requirement.required, entry.machine.metadata)) admit(found, entry)
    classes.set(requirement, found)
    classList = [...classes.values()]
    return found
  }
  const admit = (group: MachineClass, { rank, load }: MachineEntry) => {
    group.fits[rank] = 1
    group.loads.enter(rank, load)
  }
  const dismiss = (group: MachineClass, { rank, load }: MachineEntry) => {
    if (group.fits[rank] !== 1) return
    group.fits[rank] = 0
    group.loads.leave(rank, load)
  }
  const admitEverywhere = (entry: OpenMachineEntry): void => {
    byRank[entry.rank] = entry
    loads.enter(entry.rank, entry.load)
    for (const [{ required }, group] of classes) if (hasMetadata(required, entry.machine.metadata)) admit(group, entry)
  }

  const giveRanks = (): void => {
    capacity = gap * (inOrder.length + 1)
    byRank = new Array<OpenMachineEntry | undefined>(capacity).fill(undefined)
    loads = createLoadIndex(capacity)
    classes.clear()
    classList = []
    for (const [index, entry] of inOrder.entries()) {
      entry.rank = gap * (index + 1) - 1
      byRank[entry.rank] = entry
      loads.enter(entry.rank, entry.load)
    }
  }

  /** Spreads the machines evenly around a rank, in the smallest window that is half empty. */
  const makeRoom = (at: number, rank: number): boolean => {
    for (let size = 8; size <= capacity / 2; size *= 2) {
      const start = Math.min(Math.max(0, rank - size / 2), capacity - size)
      let first = at
      while ((inOrder[first - 1]?.rank ?? -1) >= start) first--
      let end = at
      while ((inOrder[end]?.rank ?? capacity) < start + size) end++
      if ((end - first) * 2 > size) continue
      const moved = inOrder.slice(first, end)
      for (const entry of moved) withdraw(entry)
      for (const [index, entry] of moved.entries()) {
        entry.rank = start + Math.floor(((index + 0.5) * size) / moved.length)
        admitEverywhere(entry)
      }
      return true
    }
    return false
  }
  const withdraw = (entry: OpenMachineEntry): void => {
    byRank[entry.rank] = undefined
    loads.leave(entry.rank, entry.load)
    for (const each of classes.values()) dismiss(each, entry)
  }
  const list = (entry: OpenMachineEntry): number => {
    const at = positionOf(inOrder, entry.machine.id)
    byId.set(entry.machine.id, entry)
    if (byShortId !== undefined) addShortId(byShortId, entry)
    return at
  }
  const admitNew = (entry: OpenMachineEntry): void => {
    const at = list(entry)
    const below = (): number => inOrder[at - 1]?.rank ?? -1
    const above = (): number => inOrder[at]?.rank ?? capacity
    const isTight = above() - below() < 2 && !(makeRoom(at, Math.max(0, below())) && above() - below() >= 2)
    const rank = (below() + above()) >> 1
    inOrder.splice(at, 0, entry)
    if (isTight) giveRanks()
    else {
      entry.rank = rank
      admitEverywhere(entry)
    }
  }
  giveRanks()

  return {
    inOrder,
    byId: (id) => byId.get(id),
    atRank: (rank) => byRank[rank],
    byShortId: (shortId) => (shortId.length > 8 ? [] : (shortIds().get(shortId) ?? [])),
    changeLoad(entry, by) {
      const { rank, load } = entry
      if (notes !== undefined) note(entry, load)
      entry.load = load + by
      loads.move(rank, load, entry.load)
      for (const group of classList) if (group.fits[rank] === 1) group.loads.move(rank, load, entry.load)
    },
    noteLoads: (given) => {
      notes = given
    },
    meets: (machine, requirement) => requirement === undefined || classOf(requirement).fits[machine.rank] === 1,
    leastLoaded(requirement, test) {
      const rank = (requirement === undefined ? loads : classOf(requirement).loads).find((candidate) => {
        const entry = byRank[candidate]
        return entry !== undefined && test(entry)
      })
      return rank < 0 ? undefined : byRank[rank]
    },
    join(machine) {
      const entry = createMachineEntry(machine, 0)
      note(entry, undefined)
      admitNew(entry)
      return entry
    },
    rejoin(entry) {
      entry.isGone = false
      inOrder.splice(list(entry), 0, entry)
      admitEverywhere(entry)
    },
    leave(entry) {
      note(entry, entry.load)
      entry.isGone = true
      inOrder.splice(positionOf(inOrder, entry.machine.id), 1)
      byId.delete(entry.machine.id)
      if (byShortId !== undefined) removeShortId(byShortId, entry)
      withdraw(entry)
    },
    relabel(entry, machine) {
      withdraw(entry)
      entry.machine = machine
      admitEverywhere(entry)
    },
    forget(requirement) {
      if (classes.delete(requirement)) classList = [...classes.values()]
    },
  }
}

function addShortId(groups: Map<string, OpenMachineEntry[]>, entry: OpenMachineEntry): void {
  const short = entry.machine.id.slice(0, 8)
  const group = groups.get(short)
  if (group === undefined) groups.set(short, [entry])
  else group.splice(positionOf(group, entry.machine.id), 0, entry)
}

function removeShortId(groups: Map<string, OpenMachineEntry[]>, entry: OpenMachineEntry): void {
  const short = entry.machine.id.slice(0, 8)
  const group = (groups.get(short) ?? []).filter((each) => each !== entry)
  if (group.length === 0) groups.delete(short)
  else groups.set(short, group)
}

const noGlobals: ReadonlySet<UnitEntry> = new Set()

const createMachineEntry = (machine: Machine, rank: number): OpenMachineEntry => ({
  machine,
  rank,
  load: 0,
  units: new Occupancy(),
  globals: noGlobals,
  isGone: false,
  version: 0,
})

/** Where the ID is, or belongs, in a list in ID order. */
function positionOf(entries: readonly OpenMachineEntry[], id: string): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareText(entries[middle]?.machine.id ?? '', id) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function duplicate(entries: readonly OpenMachineEntry[]): SchedulerError {
  const twice = entries.find(({ machine: { id } }, index) => entries[index + 1]?.machine.id === id)
  return new SchedulerError(
    'scheduler/duplicate-machine',
    `machine ${twice?.machine.id ?? ''} is in the cluster state twice`,
    { hint: 'give every machine once; two machines with one ID must not both join a cluster' },
  )
}
