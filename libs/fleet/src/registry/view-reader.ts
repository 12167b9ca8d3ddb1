/**
 * Entries in, the picture of the cluster out. What is as it was is not looked at again: after a change of one key only
 * what that key stands for is read anew. Pure. Source: spec/fleet.md §3.1, §4 "Reading rules", traps 1, 2, 6, 7, 56.
 */
import type { Key, KvEntry, Revision } from '@cluster/kv'
import { err, ok, type Result } from '@cluster/prelude'
import type { TargetState } from '@cluster/scheduler'
import { clusterDialect, readAsFleet, readRequirements, type UnitOption } from '@cluster/unit-file'
import { atOnce, eachSliced, type Sliced } from '../slices.ts'
import {
  type ClusterView,
  type KeyAt,
  overlayMetadata,
  type RegistryMachine,
  type RegistryProblem,
  type RegistryUnit,
  type UnreadableUnit,
} from './cluster-view.ts'
import {
  type BrakeRecord,
  type BrakeRelease,
  type Cordon,
  type Damage,
  decodeBrakeRecord,
  decodeBrakeRelease,
  decodeCordon,
  decodeJobObject,
  decodeLease,
  decodeMachine,
  decodeUnitState,
  decodeUnitText,
  type MachineObject,
  type UnitState,
} from './codec.ts'
import type { KeyMeaning, Keyspace } from './keyspace.ts'
import { createSharedMap } from './shared-map.ts'

/** What a view shows differently from an earlier one, or may. */
export type Touched = {
  /** Names of units that came, went, or have another text, target state or place. */
  readonly units: ReadonlySet<string>
  /** IDs of machines that came, went, or have other metadata or another cordon. */
  readonly machines: ReadonlySet<string>
}

export type ViewReader = {
  /** The view of exactly these entries. Each is compared with what it was at the last call. */
  readonly read: (entries: Iterable<KvEntry>, revision: Revision) => ClusterView
  /** The same with pauses, in which neither the entries may change nor the reader be asked for anything else. */
  readonly readSliced: (entries: Iterable<KvEntry>, revision: Revision) => Sliced<ClusterView>
  /**
   * The view after changes of these keys: as `read` of all entries gives it, at the price of the changes and of copying
   * the maps they are in.
   *
   * @param changedKeys every key that appeared, vanished or got another value since the last call of either
   * @param entries all entries
   */
  readonly update: (changedKeys: Iterable<Key>, entries: ReadonlyMap<Key, KvEntry>, revision: Revision) => ClusterView
  /** The same with pauses; see `readSliced`. */
  readonly updateSliced: (
    changedKeys: Iterable<Key>,
    entries: ReadonlyMap<Key, KvEntry>,
    revision: Revision,
  ) => Sliced<ClusterView>
  /** What the views since the last call of this show differently. */
  readonly takeTouched: () => Touched
}

/** What is below the directory of a unit; changed in place. */
type Job = { object?: KvEntry; targetState?: KvEntry; target?: KvEntry; heartbeat?: KvEntry }
type JobPart = keyof Job
type ParsedText = { readonly text: string; readonly options: readonly UnitOption[] }

const jobParts: Partial<Record<KeyMeaning['kind'], JobPart>> = {
  'job-object': 'object',
  'target-state': 'targetState',
  target: 'target',
  heartbeat: 'heartbeat',
}

/** So many keys, or units, are read before others get their turn: some milliseconds in a process that just began. */
const sliceSize = 128

/** A reader of views; it keeps what it read from one call to the next. */
export function createViewReader(keyspace: Keyspace): ViewReader {
  const known = new Map<Key, string>()
  const jobs = new Map<string, Job>()
  const texts = new Map<string, { readonly key: Key; readonly parsed: ParsedText | undefined }>()
  /** By hash, the units whose objects name it. */
  const users = new Map<string, Set<string>>()
  const hashOfUser = new Map<string, string>()
  const objects = new Map<string, MachineObject>()
  const statesByKey = new Map<string, Map<string, UnitState>>()
  const leftoverUnits = new Set<string>()
  const unusedHashes = new Set<string>()

  const units = createSharedMap<string, RegistryUnit>()
  const unreadableUnits = createSharedMap<string, UnreadableUnit>()
  const machines = createSharedMap<string, RegistryMachine>()
  const dynamicMetadata = createSharedMap<string, Readonly<Record<string, string>>>()
  const cordons = createSharedMap<string, Cordon>()
  const states = createSharedMap<string, ReadonlyMap<string, UnitState>>()
  const problems = createSharedMap<Key, RegistryProblem>()
  let engineVersion = 0
  let brake: BrakeRecord | undefined
  let brakeRelease: BrakeRelease | undefined

  let touchedUnits = new Set<string>()
  let touchedMachines = new Set<string>()

  const report = (key: Key, problem: string | undefined): void => {
    if (problem === undefined) problems.delete(key)
    else problems.set(key, { key, problem })
  }
  const usable = <T>(entry: KvEntry, decode: (value: string) => Result<T, Damage>): T | undefined => {
    const result = decode(entry.value)
    report(entry.key, result.ok ? undefined : result.error.message)
    return result.ok ? result.value : undefined
  }

  /** Takes one key as it is now; what depends on it is read later. */
  const take = (key: Key, entry: KvEntry | undefined, stale: Stale): void => {
    const meaning = keyspace.parse(key)
    if (entry !== undefined) known.set(key, entry.value)
    else {
      known.delete(key)
      problems.delete(key)
    }
    switch (meaning.kind) {
      case 'unit-text': {
        if (entry === undefined) texts.delete(meaning.hash)
        else texts.set(meaning.hash, { key, parsed: usable(entry, parseText) })
        stale.hashes.add(meaning.hash)
        for (const unit of users.get(meaning.hash) ?? []) stale.units.add(unit)
        break
      }
      case 'job-object':
      case 'target-state':
      case 'target':
      case 'heartbeat': {
        const part = jobParts[meaning.kind]
        if (part !== undefined) takeJobPart(meaning.unit, part, entry)
        stale.units.add(meaning.unit)
        break
      }
      case 'unit-state': {
        takeState(meaning.unit, meaning.machine, entry)
        stale.states.add(meaning.unit)
        break
      }
      case 'machine': {
        const object = entry && usable(entry, decodeMachine)
        if (object?.id === meaning.machine) objects.set(object.id, object)
        else {
          objects.delete(meaning.machine)
          if (object !== undefined) report(key, `"ID" is ${object.id}, unlike the key`)
        }
        stale.machines.add(meaning.machine)
        break
      }
      case 'machine-metadata': {
        const { [meaning.name]: _, ...others } = dynamicMetadata.get(meaning.machine) ?? {}
        const values = entry === undefined ? others : { ...others, [meaning.name]: entry.value }
        if (Object.keys(values).length === 0) dynamicMetadata.delete(meaning.machine)
        else dynamicMetadata.set(meaning.machine, values)
        stale.machines.add(meaning.machine)
        break
      }
      case 'cordon': {
        // Whatever stands there, somebody wanted the machine to get no more units.
        if (entry === undefined) cordons.delete(meaning.machine)
        else cordons.set(meaning.machine, usable(entry, decodeCordon) ?? { drain: false })
        stale.machines.add(meaning.machine)
        break
      }
      case 'brake':
        brake = entry && usable(entry, decodeBrakeRecord)
        break
      case 'brake-release':
        brakeRelease = entry && usable(entry, decodeBrakeRelease)
        break
      case 'engine-version':
        engineVersion = entry !== undefined && /^\d{1,9}$/.test(entry.value) ? Number(entry.value) : 0
        break
      case 'engine-lease':
      case 'legacy-unit-state':
      case 'unknown':
        break
      default:
        meaning satisfies never
    }
  }

  const takeJobPart = (unit: string, part: JobPart, entry: KvEntry | undefined): void => {
    let job = jobs.get(unit)
    if (job === undefined) {
      job = {}
      jobs.set(unit, job)
    }
    if (entry !== undefined) job[part] = entry
    else {
      delete job[part]
      if (Object.keys(job).length === 0) jobs.delete(unit)
    }
  }

  const takeState = (unit: string, machine: string, entry: KvEntry | undefined): void => {
    const state = entry && usable(entry, decodeUnitState)
    const ofUnit = statesByKey.get(unit) ?? new Map<string, UnitState>()
    if (state === undefined) ofUnit.delete(machine)
    // An old writer leaves the machine out of the value; the key names it all the same.
    else ofUnit.set(machine, { ...state, machine: state.machine === '' ? machine : state.machine })
    if (ofUnit.size === 0) statesByKey.delete(unit)
    else statesByKey.set(unit, ofUnit)
  }

  const readUnit = (
    name: string,
    stored: KvEntry,
    { target, targetState, heartbeat }: Job,
    stale: Stale,
  ): RegistryUnit | UnreadableUnit => {
    const place = target === undefined ? {} : { machine: target.value }
    const object = usable(stored, decodeJobObject)
    use(name, object?.name === name ? object.hash : undefined, stale)
    if (object === undefined) return { name, ...place, problem: 'its object cannot be read' }
    if (object.name !== name) {
      // Every other key of the unit is found by the directory, so a name of its own would only split it in two.
      report(stored.key, `"Name" is ${JSON.stringify(object.name)}, unlike the key`)
      return { name, ...place, problem: 'its object names another unit' }
    }
    const text = texts.get(object.hash)
    if (text?.parsed === undefined) {
      const problem = text === undefined ? `its text ${object.hash} is missing` : 'its text cannot be parsed'
      report(stored.key, problem)
      return { name, ...place, problem }
    }
    if (targetState !== undefined && targetStateOf(targetState.value) === undefined) {
      const problem = `${JSON.stringify(targetState.value)} is no target state; the unit counts as inactive`
      report(targetState.key, problem)
    }
    const before = units.get(name)
    const { options } = text.parsed
    return {
      name,
      hash: object.hash,
      text: text.parsed.text,
      options,
      requirements: before?.options === options ? before.requirements : readRequirements(name, options),
      ...readTargetState(targetState?.value),
      ...place,
      ...(heartbeat === undefined ? {} : { heartbeat: heartbeat.value }),
    }
  }

  /** Notes which text a unit refers to; `undefined`: none. */
  const use = (unit: string, hash: string | undefined, stale: Stale): void => {
    const before = hashOfUser.get(unit)
    if (before === hash) return
    if (before !== undefined) {
      const others = users.get(before)
      others?.delete(unit)
      if (others?.size === 0) users.delete(before)
      stale.hashes.add(before)
    }
    if (hash === undefined) hashOfUser.delete(unit)
    else {
      hashOfUser.set(unit, hash)
      const all = users.get(hash)
      if (all === undefined) users.set(hash, new Set([unit]))
      else all.add(unit)
      stale.hashes.add(hash)
    }
  }

  const settleUnit = (name: string, stale: Stale): void => {
    touchedUnits.add(name)
    const job = jobs.get(name)
    const object = job?.object
    if (job?.targetState !== undefined) problems.delete(job.targetState.key)
    if (object === undefined) use(name, undefined, stale)
    const found = job && object && readUnit(name, object, job, stale)
    if (found !== undefined && 'hash' in found) units.set(name, found)
    else units.delete(name)
    if (found !== undefined && 'problem' in found) unreadableUnits.set(name, found)
    else unreadableUnits.delete(name)
    if (object === undefined && job !== undefined) leftoverUnits.add(name)
    else leftoverUnits.delete(name)
  }

  const settleMachine = (id: string): void => {
    touchedMachines.add(id)
    const object = objects.get(id)
    if (object === undefined) {
      machines.delete(id)
      return
    }
    const cordon = cordons.get(id)
    machines.set(id, {
      ...object,
      effectiveMetadata: overlayMetadata(object.metadata, dynamicMetadata.get(id)),
      ...(cordon === undefined ? {} : { cordon }),
    })
  }

  const settleStates = (unit: string): void => {
    const ofUnit = statesByKey.get(unit)
    if (ofUnit === undefined) states.delete(unit)
    else {
      const inOrder = [...ofUnit].sort(([one], [other]) => (one < other ? -1 : 1))
      states.set(unit, new Map(inOrder.map(([, state]) => [state.machine, state])))
    }
  }

  function* settle(stale: Stale): Sliced<void> {
    yield* eachSliced(stale.units, sliceSize, (unit) => settleUnit(unit, stale))
    yield* eachSliced(stale.machines, sliceSize, settleMachine)
    yield* eachSliced(stale.states, sliceSize, settleStates)
    for (const hash of stale.hashes) {
      if (texts.has(hash) && !users.has(hash)) unusedHashes.add(hash)
      else unusedHashes.delete(hash)
    }
  }

  /** Revisions move when a value is written again, which is no change: they are looked up. */
  const viewOf = (entries: ReadonlyMap<Key, KvEntry>, revision: Revision): ClusterView => {
    const at = (key: Key): KeyAt => ({ key, revision: entries.get(key)?.revision ?? revision })
    const lease = entries.get(keyspace.engineLease)
    const leftovers = Array.from(leftoverUnits, (unit) => {
      const { heartbeat, target, targetState } = jobs.get(unit) ?? {}
      const keys = [heartbeat, target, targetState].flatMap((entry) => (entry === undefined ? [] : [at(entry.key)]))
      return [unit, { ...(target === undefined ? {} : { machine: target.value }), keys }] as const
    })
    return {
      revision,
      units: units.share(),
      unreadableUnits: unreadableUnits.share(),
      leftovers: new Map(leftovers),
      machines: machines.share(),
      dynamicMetadata: dynamicMetadata.share(),
      cordons: cordons.share(),
      ...(brake === undefined ? {} : { brake }),
      ...(brakeRelease === undefined ? {} : { brakeRelease }),
      states: states.share(),
      ...(lease === undefined
        ? {}
        : {
            lease: {
              ...decodeLease(lease.value),
              revision: lease.revision,
              ...(lease.ttlSeconds === undefined ? {} : { ttlSeconds: lease.ttlSeconds }),
            },
          }),
      engineVersion,
      unreferencedTexts: new Map(
        Array.from(unusedHashes, (hash) => [hash, at(keyspace.unitText(hash)).revision] as const),
      ),
      problems: [...problems.share().values()].sort((one, other) => (one.key < other.key ? -1 : 1)),
    }
  }

  function* readSliced(entries: Iterable<KvEntry>, revision: Revision): Sliced<ClusterView> {
    const stale = nothingStale()
    const fresh = new Map<Key, KvEntry>()
    yield* eachSliced(entries, sliceSize, (entry) => {
      fresh.set(entry.key, entry)
      if (known.get(entry.key) !== entry.value) take(entry.key, entry, stale)
    })
    const gone = [...known.keys()].filter((key) => !fresh.has(key))
    yield* eachSliced(gone, sliceSize, (key) => take(key, undefined, stale))
    yield* settle(stale)
    return viewOf(fresh, revision)
  }

  function* updateSliced(
    changedKeys: Iterable<Key>,
    entries: ReadonlyMap<Key, KvEntry>,
    revision: Revision,
  ): Sliced<ClusterView> {
    const stale = nothingStale()
    yield* eachSliced(changedKeys, sliceSize, (key) => take(key, entries.get(key), stale))
    yield* settle(stale)
    return viewOf(entries, revision)
  }

  return {
    readSliced,
    updateSliced,
    read: (entries, revision) => atOnce(readSliced(entries, revision)),
    update: (changedKeys, entries, revision) => atOnce(updateSliced(changedKeys, entries, revision)),
    takeTouched() {
      const touched = { units: touchedUnits, machines: touchedMachines }
      touchedUnits = new Set()
      touchedMachines = new Set()
      return touched
    },
  }
}

type Stale = {
  readonly units: Set<string>
  readonly machines: Set<string>
  readonly states: Set<string>
  readonly hashes: Set<string>
}

const nothingStale = (): Stale => ({ units: new Set(), machines: new Set(), states: new Set(), hashes: new Set() })

function parseText(value: string): Result<ParsedText, Damage> {
  const text = decodeUnitText(value)
  if (!text.ok) return text
  const options = readAsFleet(text.value, clusterDialect)
  return options.ok ? ok({ text: text.value, options: options.value }) : err({ message: options.error.message })
}

const targetStateOf = (text: string): TargetState | undefined =>
  text === 'inactive' || text === 'loaded' || text === 'launched' ? text : undefined

function readTargetState(text: string | undefined): Pick<RegistryUnit, 'targetState' | 'unknownTargetState'> {
  if (text === undefined) return {}
  const targetState = targetStateOf(text)
  return targetState === undefined ? { unknownTargetState: text } : { targetState }
}
