/**
 * The picture of a cluster that the registry holds: entries in, values out. Pure. A foreign or damaged value is left
 * out and reported under `problems`; it never fails the view, and a unit whose text cannot be read is never taken
 * for one that is gone. Source: spec/fleet.md §3.1, §4 "Reading rules", traps 1, 2, 6, 7, 56.
 */
import type { Key, KvEntry, Revision } from '@cluster/kv'
import { err, ok, type Result } from '@cluster/prelude'
import type { ClusterState, Machine, TargetState, Unit } from '@cluster/scheduler'
import {
  clusterDialect,
  type FleetRequirements,
  readAsFleet,
  readRequirements,
  type UnitOption,
} from '@cluster/unit-file'
import {
  type Damage,
  decodeJobObject,
  decodeLease,
  decodeMachine,
  decodeUnitState,
  decodeUnitText,
  type EngineLease,
  type MachineObject,
  type UnitState,
} from './codec.ts'
import type { Keyspace } from './keyspace.ts'

export type RegistryUnit = {
  readonly name: string
  /** 40 hex digits. */
  readonly hash: string
  /** As stored; what agents write to disk. */
  readonly text: string
  readonly options: readonly UnitOption[]
  readonly requirements: FleetRequirements
  readonly targetState?: TargetState
  /** What stands there instead when that is none of the three words. */
  readonly unknownTargetState?: string
  readonly machine?: string
  /** Machine that says it launched the unit. */
  readonly heartbeat?: string
}

/** A unit that is there, but whose object or text cannot be used. Nobody touches it until it can be read again. */
export type UnreadableUnit = { readonly name: string; readonly machine?: string; readonly problem: string }

export type RegistryMachine = MachineObject & {
  /** What the machine says of itself, overlaid by what was set through the API. */
  readonly effectiveMetadata: Readonly<Record<string, string>>
}

export type RegistryLease = EngineLease & { readonly revision: Revision; readonly ttlSeconds?: number }

/** A key, and the write that gave it its value. */
export type KeyAt = { readonly key: Key; readonly revision: Revision }

export type RegistryProblem = { readonly key: Key; readonly problem: string }

export type ClusterView = {
  readonly revision: Revision
  readonly units: ReadonlyMap<string, RegistryUnit>
  readonly unreadableUnits: ReadonlyMap<string, UnreadableUnit>
  /** Leftovers under `job/` of units that do not exist: keys other than the object. */
  readonly leftovers: ReadonlyMap<string, { readonly machine?: string; readonly keys: readonly KeyAt[] }>
  readonly machines: ReadonlyMap<string, RegistryMachine>
  /** Dynamic metadata by machine, also of machines that are away. An empty value hides a configured one. */
  readonly dynamicMetadata: ReadonlyMap<string, Readonly<Record<string, string>>>
  /** By unit, then by machine. */
  readonly states: ReadonlyMap<string, ReadonlyMap<string, UnitState>>
  readonly lease?: RegistryLease
  /** 0 when nobody wrote one yet. */
  readonly engineVersion: number
  /** Hashes of stored texts that no unit refers to, with the revision that wrote them. */
  readonly unreferencedTexts: ReadonlyMap<string, Revision>
  readonly problems: readonly RegistryProblem[]
}

export type ViewReader = {
  /** The view of these entries. Values that are as they were at the last call are not decoded again. */
  readonly read: (entries: Iterable<KvEntry>, revision: Revision) => ClusterView
}

type JobKeys = {
  object?: KvEntry
  targetState?: string
  machine?: string
  heartbeat?: string
  readonly keys: KeyAt[]
}

type ParsedText = { readonly text: string; readonly options: readonly UnitOption[] }

/** A reader of views; it keeps what it decoded from one call to the next. */
export function createViewReader(keyspace: Keyspace): ViewReader {
  const decodedTexts = createMemo(parseText)
  const decodedObjects = createMemo(decodeJobObject)
  const decodedStates = createMemo(decodeUnitState)
  const decodedMachines = createMemo(decodeMachine)
  let requirements = new Map<string, { readonly hash: string; readonly value: FleetRequirements }>()

  return {
    read(entries, revision) {
      const freshRequirements: typeof requirements = new Map()
      const problems: RegistryProblem[] = []
      const jobs = new Map<string, JobKeys>()
      const texts = new Map<string, { readonly entry: KvEntry; readonly parsed: ParsedText | undefined }>()
      const states = new Map<string, Map<string, UnitState>>()
      const objects = new Map<string, MachineObject>()
      const dynamic = new Map<string, Record<string, string>>()
      let lease: RegistryLease | undefined
      let version = 0

      const usable = <T>(memo: Memo<T>, entry: KvEntry): T | undefined => {
        const result = memo.decode(entry)
        if (!result.ok) problems.push({ key: entry.key, problem: result.error.message })
        return result.ok ? result.value : undefined
      }
      const jobOf = (unit: string): JobKeys => {
        const known = jobs.get(unit)
        if (known !== undefined) return known
        const made: JobKeys = { keys: [] }
        jobs.set(unit, made)
        return made
      }

      for (const entry of entries) {
        const meaning = keyspace.parse(entry.key)
        switch (meaning.kind) {
          case 'unit-text':
            texts.set(meaning.hash, { entry, parsed: usable(decodedTexts, entry) })
            break
          case 'job-object':
            jobOf(meaning.unit).object = entry
            break
          case 'target-state':
            jobOf(meaning.unit).targetState = entry.value
            jobOf(meaning.unit).keys.push({ key: entry.key, revision: entry.revision })
            break
          case 'target':
            jobOf(meaning.unit).machine = entry.value
            jobOf(meaning.unit).keys.push({ key: entry.key, revision: entry.revision })
            break
          case 'heartbeat':
            jobOf(meaning.unit).heartbeat = entry.value
            jobOf(meaning.unit).keys.push({ key: entry.key, revision: entry.revision })
            break
          case 'unit-state': {
            const state = usable(decodedStates, entry)
            // An old writer leaves the machine out of the value; the key names it all the same.
            if (state !== undefined) {
              const machine = state.machine === '' ? meaning.machine : state.machine
              childOf(states, meaning.unit).set(machine, { ...state, machine })
            }
            break
          }
          case 'machine': {
            const machine = usable(decodedMachines, entry)
            if (machine === undefined) break
            if (machine.id === meaning.machine) objects.set(machine.id, machine)
            else problems.push({ key: entry.key, problem: `"ID" is ${machine.id}, unlike the key` })
            break
          }
          case 'machine-metadata': {
            const values = dynamic.get(meaning.machine) ?? {}
            values[meaning.name] = entry.value
            dynamic.set(meaning.machine, values)
            break
          }
          case 'engine-lease':
            lease = {
              ...decodeLease(entry.value),
              revision: entry.revision,
              ...(entry.ttlSeconds === undefined ? {} : { ttlSeconds: entry.ttlSeconds }),
            }
            break
          case 'engine-version':
            version = /^\d{1,9}$/.test(entry.value) ? Number(entry.value) : 0
            break
          case 'legacy-unit-state':
          case 'unknown':
            break
          default:
            meaning satisfies never
        }
      }

      const units = new Map<string, RegistryUnit>()
      const unreadableUnits = new Map<string, UnreadableUnit>()
      const leftovers = new Map<string, { readonly machine?: string; readonly keys: readonly KeyAt[] }>()
      const referenced = new Set<string>()
      for (const [directory, job] of jobs) {
        const place = job.machine === undefined ? {} : { machine: job.machine }
        if (job.object === undefined) {
          leftovers.set(directory, { ...place, keys: job.keys })
          continue
        }
        const object = usable(decodedObjects, job.object)
        const unreadable = (problem: string): void => {
          unreadableUnits.set(directory, { name: directory, ...place, problem })
        }
        if (object === undefined) {
          unreadable('its object cannot be read')
          continue
        }
        if (object.name !== directory) {
          // Every other key of the unit is found by the directory, so a name of its own would only split it in two.
          problems.push({ key: job.object.key, problem: `"Name" is ${JSON.stringify(object.name)}, unlike the key` })
          unreadable('its object names another unit')
          continue
        }
        referenced.add(object.hash)
        const text = texts.get(object.hash)?.parsed
        if (text === undefined) {
          const problem = texts.has(object.hash) ? 'its text cannot be parsed' : `its text ${object.hash} is missing`
          problems.push({ key: job.object.key, problem })
          unreadable(problem)
          continue
        }
        const known = requirements.get(object.name)
        const value = known?.hash === object.hash ? known.value : readRequirements(object.name, text.options)
        freshRequirements.set(object.name, { hash: object.hash, value })
        if (job.targetState !== undefined && targetStateOf(job.targetState) === undefined) {
          const problem = `${JSON.stringify(job.targetState)} is no target state; the unit counts as inactive`
          problems.push({ key: keyspace.targetState(directory), problem })
        }
        units.set(object.name, {
          name: object.name,
          hash: object.hash,
          text: text.text,
          options: text.options,
          requirements: value,
          ...readTargetState(job.targetState),
          ...place,
          ...(job.heartbeat === undefined ? {} : { heartbeat: job.heartbeat }),
        })
      }

      for (const memo of [decodedTexts, decodedObjects, decodedStates, decodedMachines]) memo.forgetUnused()
      requirements = freshRequirements
      return {
        revision,
        units,
        unreadableUnits,
        leftovers,
        machines: withMetadata(objects, dynamic),
        dynamicMetadata: dynamic,
        states,
        ...(lease === undefined ? {} : { lease }),
        engineVersion: version,
        unreferencedTexts: new Map(
          [...texts].filter(([hash]) => !referenced.has(hash)).map(([hash, { entry }]) => [hash, entry.revision]),
        ),
        problems,
      }
    },
  }
}

type Memo<T> = {
  readonly decode: (entry: KvEntry) => Result<T, Damage>
  /** Drops what was not asked for since the last call. */
  readonly forgetUnused: () => void
}

function createMemo<T>(decode: (value: string) => Result<T, Damage>): Memo<T> {
  type Known = { readonly value: string; readonly result: Result<T, Damage> }
  let known = new Map<Key, Known>()
  let used = new Map<Key, Known>()
  return {
    decode({ key, value }) {
      const before = known.get(key)
      const now = before?.value === value ? before : { value, result: decode(value) }
      used.set(key, now)
      return now.result
    },
    forgetUnused() {
      known = used
      used = new Map()
    },
  }
}

function parseText(value: string): Result<ParsedText, Damage> {
  const text = decodeUnitText(value)
  if (!text.ok) return text
  const options = readAsFleet(text.value, clusterDialect)
  return options.ok ? ok({ text: text.value, options: options.value }) : err({ message: options.error.message })
}

function childOf<V>(parents: Map<string, Map<string, V>>, name: string): Map<string, V> {
  const known = parents.get(name)
  if (known !== undefined) return known
  const made = new Map<string, V>()
  parents.set(name, made)
  return made
}

const targetStateOf = (text: string): TargetState | undefined =>
  text === 'inactive' || text === 'loaded' || text === 'launched' ? text : undefined

function readTargetState(text: string | undefined): Pick<RegistryUnit, 'targetState' | 'unknownTargetState'> {
  if (text === undefined) return {}
  const targetState = targetStateOf(text)
  return targetState === undefined ? { unknownTargetState: text } : { targetState }
}

function withMetadata(
  objects: ReadonlyMap<string, MachineObject>,
  dynamic: ReadonlyMap<string, Readonly<Record<string, string>>>,
): ReadonlyMap<string, RegistryMachine> {
  const machines = new Map<string, RegistryMachine>()
  for (const [id, object] of objects) {
    machines.set(id, { ...object, effectiveMetadata: overlayMetadata(object.metadata, dynamic.get(id)) })
  }
  return machines
}

/** Configured metadata overlaid by dynamic; an empty dynamic value takes the key away. */
export function overlayMetadata(
  configured: Readonly<Record<string, string>>,
  dynamic: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const merged = { ...configured, ...dynamic }
  return Object.fromEntries(Object.entries(merged).filter(([name]) => dynamic?.[name] !== ''))
}

/**
 * What the planners are given.
 *
 * @param unconfirmedMachines machines that are not listed but may be alive
 */
export function clusterStateOf(view: ClusterView, unconfirmedMachines: readonly string[] = []): ClusterState {
  const orphanTargets = [...view.leftovers].flatMap(([unit, { machine }]) =>
    machine === undefined ? [] : [{ unit, machine }],
  )
  return {
    machines: [...view.machines.values()].map(plannedMachine),
    units: [...view.units.values()].map(plannedUnit),
    ...(orphanTargets.length === 0 ? {} : { orphanTargets }),
    ...(unconfirmedMachines.length === 0 ? {} : { unconfirmedMachines }),
  }
}

const plannedMachine = ({ id, effectiveMetadata }: RegistryMachine): Machine => ({ id, metadata: effectiveMetadata })

const plannedUnit = ({ name, hash, requirements, targetState, unknownTargetState, machine }: RegistryUnit): Unit => ({
  name,
  hash,
  requirements,
  ...(targetState === undefined ? {} : { targetState }),
  ...(unknownTargetState === undefined ? {} : { unknownTargetState }),
  ...(machine === undefined ? {} : { machine }),
})

/**
 * How far a unit has come, as fleet computes it: launched means that its machine said so and publishes a state of it,
 * not that systemd calls it active.
 */
export function currentStateOf(view: Pick<ClusterView, 'states'>, unit: RegistryUnit): TargetState {
  if (unit.machine === undefined || view.states.get(unit.name)?.get(unit.machine) === undefined) return 'inactive'
  return unit.heartbeat === unit.machine ? 'launched' : 'loaded'
}
