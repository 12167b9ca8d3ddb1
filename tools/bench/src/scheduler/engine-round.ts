/** What a round of the engine costs: from entries of the store to tasks, without the store itself. */
import { createHeldPlan, createKeyspace, createViewReader } from '@cluster/fleet'
import { type Key, type KvEntry, toRevision } from '@cluster/kv'
import { type ClusterState, defaultPolicy, planCluster, type Unit } from '@cluster/scheduler'

/** Milliseconds. A pause lets everything else in the process go first. */
export type EngineRounds = {
  /** The first round of a process that knows nothing: all of it, and the longest time without a pause. */
  readonly firstMs: number
  readonly longestWithoutPauseMs: number
  /** Rounds after one change of one key. */
  readonly changesMs: readonly number[]
  /** The same without anything held: everything is read and planned anew. */
  readonly anewMs: readonly number[]
}

const keyspace = createKeyspace()
const changeCount = 1000
const anewCount = 5

/** Measures rounds over a registry in which every unit has its place. */
export function measureEngineRounds(state: ClusterState, nowMs: () => number): EngineRounds {
  const entries = placedRegistry(state)
  let revision = entries.size
  const write = (key: Key, value: string): void => {
    revision++
    entries.set(key, { key, value, revision: toRevision(revision) })
  }
  let longestWithoutPauseMs = 0
  const inSlices = <T>(work: Generator<undefined, T, undefined>): T => {
    for (;;) {
      const sliceMs = nowMs()
      const { done, value } = work.next()
      longestWithoutPauseMs = Math.max(longestWithoutPauseMs, nowMs() - sliceMs)
      if (done) return value
    }
  }
  const nobody: ReadonlySet<string> = new Set()

  const reader = createViewReader(keyspace)
  const held = createHeldPlan(defaultPolicy)
  const startMs = nowMs()
  held.look(inSlices(reader.readSliced(entries.values(), toRevision(revision))))
  inSlices(held.plan(nobody))
  const firstMs = nowMs() - startMs
  const longestFirstMs = longestWithoutPauseMs
  reader.takeTouched()

  let changed: Key[] = []
  const changesMs = Array.from({ length: changeCount }, (_, index) => {
    const unit = state.units[(index * 7) % state.units.length]
    const key = keyspace.targetState(unit?.name ?? '')
    write(key, entries.get(key)?.value === 'launched' ? 'inactive' : 'launched')
    const changeMs = nowMs()
    const view = reader.update([...changed, key], entries, toRevision(revision))
    held.note(reader.takeTouched())
    held.look(view)
    const tasks = inSlices(held.plan(nobody))
    const spentMs = nowMs() - changeMs
    // What the engine wrote comes back to it with the next change.
    changed = tasks.map(({ kind, unit: name, machine }) => {
      const target = keyspace.target(name)
      if (kind === 'schedule') write(target, machine)
      else entries.delete(target)
      return target
    })
    return spentMs
  })

  const anewMs = Array.from({ length: anewCount }, () => {
    const anew = createHeldPlan(defaultPolicy)
    const roundMs = nowMs()
    anew.look(createViewReader(keyspace).read(entries.values(), toRevision(revision)))
    inSlices(anew.plan(nobody))
    return nowMs() - roundMs
  })
  return { firstMs, longestWithoutPauseMs: longestFirstMs, changesMs, anewMs }
}

/** The registry of this state with every unit in its place, as fleet writes it. */
function placedRegistry(state: ClusterState): Map<Key, KvEntry> {
  const { placement } = planCluster(state, defaultPolicy)
  const entries = new Map<Key, KvEntry>()
  const put = (key: Key, value: string): void => {
    entries.set(key, { key, value, revision: toRevision(entries.size + 1) })
  }
  for (const { id, metadata } of state.machines) {
    put(keyspace.machine(id), JSON.stringify({ ID: id, PublicIP: '', Metadata: metadata, Version: '' }))
  }
  for (const [index, unit] of state.units.entries()) {
    const bytes = Array.from({ length: 20 }, (_, place) => (index >> (8 * Math.min(place, 3))) & 255)
    const hash = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')
    put(keyspace.unitText(hash), JSON.stringify({ Raw: textOf(unit) }))
    put(keyspace.jobObject(unit.name), JSON.stringify({ Name: unit.name, UnitHash: bytes }))
    put(keyspace.targetState(unit.name), 'launched')
    const machine = placement.get(unit.name)
    if (machine !== undefined) put(keyspace.target(unit.name), machine)
  }
  return entries
}

const textOf = ({ name, requirements: { machineOf, conflicts, metadata } }: Unit): string =>
  [
    '[Service]',
    `ExecStart=/usr/bin/server --name ${name}`,
    'Restart=always',
    '[X-Fleet]',
    ...machineOf.map((peer) => `MachineOf=${peer}`),
    ...conflicts.map((glob) => `Conflicts=${glob}`),
    ...[...metadata].flatMap(([key, values]) => values.map((value) => `MachineMetadata=${key}=${value}`)),
    '',
  ].join('\n')
