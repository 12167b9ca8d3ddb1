/**
 * Which other units does a start or a stop touch, and in which order do their jobs run? Pure functions over the units
 * of one manager. Rules: spec/unit-files.md §9, systemd.unit(5).
 */
import { err, ok, type Result } from '@cluster/prelude'

/** What one unit says of others; names as written, also of units that are not here. */
export type UnitRelations = {
  readonly wants: readonly string[]
  /** `Requires=` and `BindsTo=`. */
  readonly requires: readonly string[]
  readonly requisite: readonly string[]
  readonly bindsTo: readonly string[]
  readonly partOf: readonly string[]
  readonly conflicts: readonly string[]
  readonly after: readonly string[]
  readonly before: readonly string[]
}

/** The units of this manager by name. */
export type UnitGraph = ReadonlyMap<string, UnitRelations>

export type JobKind = 'start' | 'stop'

/** Why nothing is started at all. */
export type TransactionError = { readonly unit: string; readonly message: string }

/** Units to stop and units to start, the one asked for among them. */
export type Transaction = { readonly stops: readonly string[]; readonly starts: readonly string[] }

/**
 * Whether the host is taken to have a unit that this manager does not: everything that is a state of the machine
 * (targets, mounts, devices, slices, swaps), and systemd's own services and sockets.
 */
export const hostHas = (name: string): boolean =>
  /\.(?:target|mount|automount|device|slice|swap|scope)$/.test(name) ||
  /^(?:systemd-.*|dbus)\.(?:service|socket)$/.test(name)

/**
 * What a start of a unit pulls in. Wanted units that are not here are passed over.
 *
 * @param isUp whether a unit runs or is about to
 * @param problemOf why a unit here cannot be started, if so
 */
export function planStart(
  graph: UnitGraph,
  name: string,
  { isUp, problemOf }: { isUp: (name: string) => boolean; problemOf: (name: string) => string | undefined },
): Result<Transaction, TransactionError> {
  const required = new Set<string>()
  const starts = new Set<string>()
  const waiting: { readonly unit: string; readonly isRequired: boolean }[] = [{ unit: name, isRequired: true }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { unit, isRequired } = next
    if (starts.has(unit) && (!isRequired || required.has(unit))) continue
    const relations = graph.get(unit)
    if (relations === undefined) {
      if (!isRequired || hostHas(unit)) continue
      return err({ unit, message: `Unit ${unit} not found.` })
    }
    const problem = problemOf(unit)
    if (problem !== undefined) {
      if (isRequired) return err({ unit, message: problem })
      continue
    }
    const missing = relations.requisite.find((other) => graph.has(other) && !isUp(other))
    if (missing !== undefined) {
      if (isRequired) return err({ unit, message: `${missing}, which ${unit} has as Requisite=, is not active.` })
      continue
    }
    starts.add(unit)
    if (isRequired) required.add(unit)
    // what a wanted unit requires is required for it, not for us
    for (const other of relations.requires) waiting.push({ unit: other, isRequired })
    for (const other of relations.wants) waiting.push({ unit: other, isRequired: false })
  }
  leaveOutUnmet(graph, starts, required)
  const conflicting = conflictsOf(graph, starts)
  for (const { one, other } of conflicting) {
    if (!starts.has(one) || !starts.has(other)) continue
    const loser = required.has(other) ? one : other
    if (required.has(loser)) return err({ unit: name, message: `Transaction contains conflicting jobs for ${loser}.` })
    starts.delete(loser)
  }
  const cycle = breakCycles(graph, starts, required)
  leaveOutUnmet(graph, starts, required)
  if (cycle !== undefined) {
    return err({ unit: name, message: `Transaction order is cyclic: ${cycle.join(' after ')}.` })
  }
  const stops = new Set<string>()
  for (const { one, other } of conflicting) {
    if (starts.has(one) && isUp(other)) for (const unit of planStop(graph, other, isUp)) stops.add(unit)
  }
  for (const unit of starts) stops.delete(unit)
  return ok({ stops: [...stops], starts: [...starts] })
}

/** Wanted units of which a requirement is not started with them, until none is left. */
function leaveOutUnmet(graph: UnitGraph, starts: Set<string>, required: ReadonlySet<string>): void {
  for (let size = -1; size !== starts.size; ) {
    size = starts.size
    for (const unit of [...starts]) {
      if (!required.has(unit) && !meetsItsOwn(graph, unit, starts)) starts.delete(unit)
    }
  }
}

const meetsItsOwn = (graph: UnitGraph, unit: string, starts: ReadonlySet<string>): boolean =>
  (graph.get(unit)?.requires ?? []).every((other) => starts.has(other) || (!graph.has(other) && hostHas(other)))

function conflictsOf(
  graph: UnitGraph,
  starts: ReadonlySet<string>,
): readonly { readonly one: string; readonly other: string }[] {
  const pairs: { readonly one: string; readonly other: string }[] = []
  for (const [unit, { conflicts }] of graph) {
    for (const other of conflicts) {
      if (!graph.has(other) || other === unit) continue
      if (starts.has(unit)) pairs.push({ one: unit, other })
      if (starts.has(other)) pairs.push({ one: other, other: unit })
    }
  }
  return pairs
}

/** Takes wanted units out of circles of order; a circle of required ones is the answer. */
function breakCycles(
  graph: UnitGraph,
  starts: Set<string>,
  required: ReadonlySet<string>,
): readonly string[] | undefined {
  for (let cycle = findCycle(graph, starts); cycle !== undefined; cycle = findCycle(graph, starts)) {
    const wanted = cycle.find((unit) => !required.has(unit))
    if (wanted === undefined) return cycle
    starts.delete(wanted)
  }
  return undefined
}

function findCycle(graph: UnitGraph, units: ReadonlySet<string>): readonly string[] | undefined {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (unit: string): readonly string[] | undefined => {
    if (done.has(unit)) return undefined
    const seen = path.indexOf(unit)
    if (seen !== -1) return path.slice(seen)
    path.push(unit)
    for (const other of units) {
      const found = other !== unit && startsAfter(graph, unit, other) ? visit(other) : undefined
      if (found !== undefined) return found
    }
    path.pop()
    done.add(unit)
    return undefined
  }
  for (const unit of units) {
    const found = visit(unit)
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether `unit` is started after `other`, and so stopped before it. */
export const startsAfter = (graph: UnitGraph, unit: string, other: string): boolean =>
  graph.get(unit)?.after.includes(other) === true || graph.get(other)?.before.includes(unit) === true

/** Units that go down when somebody stops this one, itself first: those that require it, are bound to it or part of it. */
export function planStop(graph: UnitGraph, name: string, isUp: (name: string) => boolean): readonly string[] {
  const stops = new Set([name])
  for (const unit of stops) {
    for (const [other, { requires, requisite, partOf }] of graph) {
      if (!isUp(other)) continue
      if (requires.includes(unit) || requisite.includes(unit) || partOf.includes(unit)) stops.add(other)
    }
  }
  return [...stops]
}

/** Units that go down when this one ends by itself. */
export const boundTo = (graph: UnitGraph, name: string): readonly string[] =>
  [...graph].filter(([, { bindsTo }]) => bindsTo.includes(name)).map(([unit]) => unit)

/** Units whose waiting start fails with a failed start of this one. */
export const requiredBy = (graph: UnitGraph, name: string): readonly string[] =>
  [...graph].filter(([, { requires }]) => requires.includes(name)).map(([unit]) => unit)

/** A job that waits for its turn or runs. */
export type Job = { readonly kind: JobKind; readonly isRunning: boolean }

/**
 * Whether a job must wait for another: a start for the starts of what it comes after, a stop for the stops of what comes
 * after it; between units that are ordered in any way a stop goes before a start.
 */
export function waitsFor(graph: UnitGraph, unit: string, kind: JobKind, other: string, otherKind: JobKind): boolean {
  if (kind === 'start' && otherKind === 'start') return startsAfter(graph, unit, other)
  const related = startsAfter(graph, unit, other) || startsAfter(graph, other, unit)
  if (kind === 'start') return related || conflict(graph, unit, other)
  return otherKind === 'stop' && startsAfter(graph, other, unit)
}

const conflict = (graph: UnitGraph, one: string, other: string): boolean =>
  graph.get(one)?.conflicts.includes(other) === true || graph.get(other)?.conflicts.includes(one) === true

/** Jobs whose turn it is. Where all wait for one another, all of them: a standstill helps nobody. */
export function readyJobs(graph: UnitGraph, jobs: ReadonlyMap<string, Job>): readonly string[] {
  const waiting = [...jobs].filter(([, { isRunning }]) => !isRunning)
  const ready = waiting
    .filter(([unit, { kind }]) =>
      [...jobs].every(([other, job]) => other === unit || !waitsFor(graph, unit, kind, other, job.kind)),
    )
    .map(([unit]) => unit)
  if (ready.length > 0 || waiting.length < jobs.size) return ready
  return waiting.map(([unit]) => unit)
}
