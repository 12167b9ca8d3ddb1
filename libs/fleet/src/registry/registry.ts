/**
 * The writes there are. Each is one or a few keys, in an order that leaves readers a whole picture at every moment;
 * whoever may meet another writer says what must hold. Source: spec/fleet.md §4, traps 2, 3, 7, 42.
 */
import type { Conflict, Kv, KvEntry, Revision } from '@cluster/kv'
import type { Result } from '@cluster/prelude'
import type { TargetState } from '@cluster/scheduler'
import { inSlices } from '../slices.ts'
import type { ClusterView, KeyAt, RegistryUnit, UnreadableUnit } from './cluster-view.ts'
import {
  type BrakeRecord,
  type BrakeRelease,
  type Cordon,
  decodeJobObject,
  decodeLease,
  decodeUnitState,
  type EngineLease,
  encodeBrakeRecord,
  encodeBrakeRelease,
  encodeCordon,
  encodeJobObject,
  encodeLease,
  encodeMachine,
  encodeUnitState,
  encodeUnitText,
  engineVersion,
  type MachineObject,
  type UnitState,
} from './codec.ts'
import type { Keyspace } from './keyspace.ts'
import { createViewReader } from './view-reader.ts'

export type UnitContent = { readonly name: string /** 40 hex digits. */; readonly hash: string; readonly text: string }

/** One unit as stored, with the states its machines publish. */
export type StoredUnit =
  | { readonly kind: 'unit'; readonly unit: RegistryUnit; readonly states: ClusterView['states'] }
  | { readonly kind: 'unreadable'; readonly unit: UnreadableUnit }

export type HeldLease = { readonly value: EngineLease; readonly revision: Revision; readonly ttlSeconds?: number }

/** All methods throw the KvErrors of the store. */
export type Registry = {
  readonly keyspace: Keyspace
  /** Everything, read now. */
  readonly readView: (signal?: AbortSignal) => Promise<ClusterView>
  /** One unit, read now; `undefined` when there is none. */
  readonly readUnit: (name: string, signal?: AbortSignal) => Promise<StoredUnit | undefined>

  /** A new unit. Its object comes last: readers see nothing of it before. */
  readonly createUnit: (content: UnitContent, targetState: TargetState, signal?: AbortSignal) => Promise<void>
  /** New content for a unit that is there. */
  readonly replaceUnit: (content: UnitContent, targetState: TargetState, signal?: AbortSignal) => Promise<void>
  readonly setTargetState: (unit: string, targetState: TargetState, signal?: AbortSignal) => Promise<void>
  /** Everything of the unit but its text, which others may share. Not there: nothing happens. */
  readonly destroyUnit: (unit: string, signal?: AbortSignal) => Promise<void>
  /** Sets a piece of dynamic metadata; `''` hides what the machine itself configured. */
  readonly setMetadata: (machine: string, name: string, value: string, signal?: AbortSignal) => Promise<void>

  /** Keeps further units off a machine, up or not. */
  readonly cordon: (machine: string, cordon: Cordon, signal?: AbortSignal) => Promise<void>
  readonly uncordon: (machine: string, signal?: AbortSignal) => Promise<void>
  /** Tells everybody what the brake holds back; `undefined`: nothing. */
  readonly writeBrake: (record: BrakeRecord | undefined, signal?: AbortSignal) => Promise<Revision | undefined>
  /** Lets units leave these lost machines for ten minutes at most. */
  readonly releaseBrake: (machines: readonly string[], signal?: AbortSignal) => Promise<void>
  /** Leaves some machines of a release, for another ten minutes, or none; a conflict when it is another by now. */
  readonly narrowBrakeRelease: (
    before: BrakeRelease,
    machines: readonly string[],
    signal?: AbortSignal,
  ) => Promise<Result<Revision, Conflict>>

  /** Places a unit that has no machine yet. */
  readonly schedule: (unit: string, machine: string, signal?: AbortSignal) => Promise<Result<Revision, Conflict>>
  /** Takes a unit from the machine it is on. */
  readonly unschedule: (unit: string, machine: string, signal?: AbortSignal) => Promise<Result<Revision, Conflict>>
  /** Removes a text, provided nobody wrote it again since `revision`. */
  readonly removeText: (hash: string, revision: Revision, signal?: AbortSignal) => Promise<Result<Revision, Conflict>>
  /** Removes keys that belong to no unit, except those that were written again meanwhile: a unit is being created. */
  readonly removeLeftovers: (keys: readonly KeyAt[], signal?: AbortSignal) => Promise<void>

  /** Registers the machine; a conflict when its key is there already. */
  readonly createMachine: (
    machine: MachineObject,
    ttlSeconds: number,
    signal?: AbortSignal,
  ) => Promise<Result<Revision, Conflict>>
  /** Takes over a key that was last written at `revision`. */
  readonly resumeMachine: (
    machine: MachineObject,
    ttlSeconds: number,
    revision: Revision,
    signal?: AbortSignal,
  ) => Promise<Result<Revision, Conflict>>
  /** Keeps the machine registered; a conflict when its key has gone. */
  readonly refreshMachine: (
    machine: MachineObject,
    ttlSeconds: number,
    signal?: AbortSignal,
  ) => Promise<Result<Revision, Conflict>>
  /** The machine's key as it stands now: after a conflict, as not every store says what it found. */
  readonly readMachine: (machine: string, signal?: AbortSignal) => Promise<KvEntry | undefined>
  readonly removeMachine: (machine: string, signal?: AbortSignal) => Promise<void>

  /** "I launched it." The key is made; use it only for a unit that is there. */
  readonly startHeartbeat: (unit: string, machine: string, ttlSeconds: number, signal?: AbortSignal) => Promise<void>
  /** "It is still launched." A conflict when the key has gone, so that a destroyed unit stays destroyed. */
  readonly refreshHeartbeat: (
    unit: string,
    machine: string,
    ttlSeconds: number,
    signal?: AbortSignal,
  ) => Promise<Result<Revision, Conflict>>
  /** Ends it, if it is this machine's. */
  readonly stopHeartbeat: (unit: string, machine: string, signal?: AbortSignal) => Promise<void>
  readonly publishState: (unit: string, state: UnitState, ttlSeconds: number, signal?: AbortSignal) => Promise<void>
  /** Removes this machine's state of the unit and no other's. */
  readonly removeState: (unit: string, machine: string, signal?: AbortSignal) => Promise<void>

  readonly readLease: (signal?: AbortSignal) => Promise<HeldLease | undefined>
  /** Takes a lease that nobody holds. */
  readonly acquireLease: (
    machine: string,
    ttlSeconds: number,
    signal?: AbortSignal,
  ) => Promise<Result<Revision, Conflict>>
  /** Renews, or takes over, a lease that stands as it did at `revision`. */
  readonly replaceLease: (
    machine: string,
    ttlSeconds: number,
    revision: Revision,
    signal?: AbortSignal,
  ) => Promise<Result<Revision, Conflict>>
  readonly releaseLease: (revision: Revision, signal?: AbortSignal) => Promise<Result<Revision, Conflict>>
  /** Raises the engine version from `present` (0: not there) to ours. */
  readonly raiseEngineVersion: (present: number, signal?: AbortSignal) => Promise<void>
}

/** How long a release holds at most; it ends sooner, when nothing is left of what it was for. */
const releaseTtlSeconds = 600

/** The registry of one cluster, over any store. */
export function createRegistry(kv: Kv, keyspace: Keyspace): Registry {
  const reader = createViewReader(keyspace)
  let lastRead: Promise<unknown> = Promise.resolve()
  const ownLease = (machine: string): string => encodeLease({ machine, version: engineVersion })

  /** The text under its hash. There already: nothing happens; the same hash is the same text. */
  const writeText = (content: UnitContent, signal: AbortSignal | undefined): Promise<Result<Revision, Conflict>> =>
    kv.put(keyspace.unitText(content.hash), encodeUnitText(content.text), {
      onlyIf: { kind: 'absent' },
      ...withSignal(signal),
    })

  /**
   * A text that was there already may have been collected as unreferenced a moment ago, or be about to be. Written
   * again behind the object that refers to it, it is there, and at a revision that no collector has in mind.
   */
  const keepText = async (content: UnitContent, signal: AbortSignal | undefined): Promise<void> => {
    await kv.put(keyspace.unitText(content.hash), encodeUnitText(content.text), withSignal(signal))
  }

  const writeObject = async (content: UnitContent, signal: AbortSignal | undefined): Promise<void> => {
    await kv.put(keyspace.jobObject(content.name), encodeJobObject(content), withSignal(signal))
  }

  const writeTargetState = async (
    unit: string,
    targetState: TargetState,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    await kv.put(keyspace.targetState(unit), targetState, withSignal(signal))
  }

  return {
    keyspace,
    async readView(signal) {
      const { entries, revision } = await kv.range(keyspace.prefix, signal)
      const read = async (): Promise<ClusterView> => {
        const view = await inSlices(reader.readSliced(entries, revision))
        reader.takeTouched()
        return view
      }
      // One at a time: the reader keeps what it read.
      const reading = lastRead.then(read, read)
      lastRead = reading
      return await reading
    },
    async readUnit(name, signal) {
      const job = await kv.range(keyspace.job(name), signal)
      const object = job.entries.find(({ key }) => key === keyspace.jobObject(name))
      if (object === undefined) return undefined
      const decoded = decodeJobObject(object.value)
      const text = decoded.ok ? await kv.get(keyspace.unitText(decoded.value.hash), signal) : undefined
      const states = await kv.range(keyspace.unitStates(name), signal)
      const entries = [...job.entries, ...states.entries, ...(text === undefined ? [] : [text])]
      const view = createViewReader(keyspace).read(entries, job.revision)
      const unit = view.units.get(name)
      if (unit !== undefined) return { kind: 'unit', unit, states: view.states }
      const unreadable = view.unreadableUnits.get(name)
      return unreadable === undefined ? undefined : { kind: 'unreadable', unit: unreadable }
    },

    async createUnit(content, targetState, signal) {
      const written = await writeText(content, signal)
      // Readers take a unit without this key for one nobody decided on, so it stands there before the unit does (trap 7).
      await writeTargetState(content.name, targetState, signal)
      await writeObject(content, signal)
      if (!written.ok) await keepText(content, signal)
    },
    async replaceUnit(content, targetState, signal) {
      const written = await writeText(content, signal)
      await writeObject(content, signal)
      await writeTargetState(content.name, targetState, signal)
      if (!written.ok) await keepText(content, signal)
    },
    setTargetState: writeTargetState,
    async destroyUnit(unit, signal) {
      await kv.deletePrefix(keyspace.job(unit), signal)
    },
    async setMetadata(machine, name, value, signal) {
      await kv.put(keyspace.machineMetadata(machine, name), value, withSignal(signal))
    },

    async cordon(machine, cordon, signal) {
      await kv.put(keyspace.cordon(machine), encodeCordon(cordon), withSignal(signal))
    },
    async uncordon(machine, signal) {
      await kv.delete(keyspace.cordon(machine), withSignal(signal))
    },
    async writeBrake(record, signal) {
      const written =
        record === undefined
          ? await kv.delete(keyspace.brake, withSignal(signal))
          : await kv.put(keyspace.brake, encodeBrakeRecord(record), withSignal(signal))
      return written.ok ? written.value : undefined
    },
    async releaseBrake(machines, signal) {
      const options = { ttlSeconds: releaseTtlSeconds, ...withSignal(signal) }
      await kv.put(keyspace.brakeRelease, encodeBrakeRelease({ machines }), options)
    },
    async narrowBrakeRelease(before, machines, signal) {
      const options = { onlyIf: { kind: 'value', value: encodeBrakeRelease(before) } as const, ...withSignal(signal) }
      return machines.length === 0
        ? await kv.delete(keyspace.brakeRelease, options)
        : await kv.put(keyspace.brakeRelease, encodeBrakeRelease({ machines }), {
            ttlSeconds: releaseTtlSeconds,
            ...options,
          })
    },

    schedule: (unit, machine, signal) =>
      kv.put(keyspace.target(unit), machine, { onlyIf: { kind: 'absent' }, ...withSignal(signal) }),
    unschedule: (unit, machine, signal) =>
      kv.delete(keyspace.target(unit), { onlyIf: { kind: 'value', value: machine }, ...withSignal(signal) }),
    removeText: (hash, revision, signal) =>
      kv.delete(keyspace.unitText(hash), { onlyIf: { kind: 'revision', revision }, ...withSignal(signal) }),
    async removeLeftovers(keys, signal) {
      for (const { key, revision } of keys) {
        await kv.delete(key, { onlyIf: { kind: 'revision', revision }, ...withSignal(signal) })
      }
    },

    createMachine: (machine, ttlSeconds, signal) =>
      kv.put(keyspace.machine(machine.id), encodeMachine(machine), {
        onlyIf: { kind: 'absent' },
        ttlSeconds,
        ...withSignal(signal),
      }),
    resumeMachine: (machine, ttlSeconds, revision, signal) =>
      kv.put(keyspace.machine(machine.id), encodeMachine(machine), {
        onlyIf: { kind: 'revision', revision },
        ttlSeconds,
        ...withSignal(signal),
      }),
    refreshMachine: (machine, ttlSeconds, signal) =>
      kv.put(keyspace.machine(machine.id), encodeMachine(machine), {
        onlyIf: { kind: 'present' },
        ttlSeconds,
        ...withSignal(signal),
      }),
    readMachine: (machine, signal) => kv.get(keyspace.machine(machine), signal),
    async removeMachine(machine, signal) {
      await kv.delete(keyspace.machine(machine), withSignal(signal))
    },

    async startHeartbeat(unit, machine, ttlSeconds, signal) {
      await kv.put(keyspace.heartbeat(unit), machine, { ttlSeconds, ...withSignal(signal) })
    },
    refreshHeartbeat: (unit, machine, ttlSeconds, signal) =>
      kv.put(keyspace.heartbeat(unit), machine, { onlyIf: { kind: 'present' }, ttlSeconds, ...withSignal(signal) }),
    async stopHeartbeat(unit, machine, signal) {
      await kv.delete(keyspace.heartbeat(unit), { onlyIf: { kind: 'value', value: machine }, ...withSignal(signal) })
    },
    async publishState(unit, state, ttlSeconds, signal) {
      const value = encodeUnitState(state)
      await kv.put(keyspace.legacyUnitState(unit), value, { ttlSeconds, ...withSignal(signal) })
      await kv.put(keyspace.unitState(unit, state.machine), value, { ttlSeconds, ...withSignal(signal) })
    },
    async removeState(unit, machine, signal) {
      const legacy = await kv.get(keyspace.legacyUnitState(unit), signal)
      const state = legacy === undefined ? undefined : decodeUnitState(legacy.value)
      if (legacy !== undefined && state?.ok === true && state.value.machine === machine) {
        const onlyIf = { kind: 'value', value: legacy.value } as const
        await kv.delete(keyspace.legacyUnitState(unit), { onlyIf, ...withSignal(signal) })
      }
      await kv.delete(keyspace.unitState(unit, machine), withSignal(signal))
    },

    async readLease(signal) {
      const entry = await kv.get(keyspace.engineLease, signal)
      if (entry === undefined) return undefined
      const { value, revision, ttlSeconds } = entry
      return { value: decodeLease(value), revision, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) }
    },
    acquireLease: (machine, ttlSeconds, signal) =>
      kv.put(keyspace.engineLease, ownLease(machine), {
        onlyIf: { kind: 'absent' },
        ttlSeconds,
        ...withSignal(signal),
      }),
    replaceLease: (machine, ttlSeconds, revision, signal) =>
      kv.put(keyspace.engineLease, ownLease(machine), {
        onlyIf: { kind: 'revision', revision },
        ttlSeconds,
        ...withSignal(signal),
      }),
    releaseLease: (revision, signal) =>
      kv.delete(keyspace.engineLease, { onlyIf: { kind: 'revision', revision }, ...withSignal(signal) }),
    async raiseEngineVersion(present, signal) {
      const value = String(present)
      const options = { onlyIf: { kind: 'value', value } as const, ...withSignal(signal) }
      const raised = await kv.put(keyspace.engineVersion, String(engineVersion), options)
      if (raised.ok || raised.error.found !== undefined) return
      await kv.put(keyspace.engineVersion, String(engineVersion), { onlyIf: { kind: 'absent' }, ...withSignal(signal) })
    },
  }
}

const withSignal = (signal: AbortSignal | undefined): { readonly signal?: AbortSignal } =>
  signal === undefined ? {} : { signal }
