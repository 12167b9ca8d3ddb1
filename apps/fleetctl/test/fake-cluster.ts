/**
 * A cluster of three machines in memory behind the client's port: an API server with the recorded answers of fleetd
 * (spec/fleet.md §8), the real planner, and machines that do what they are told a moment later.
 */
import {
  type FailedAnswer,
  FleetApiError,
  type FleetBrake,
  type FleetClient,
  type FleetUnit,
  type FleetUnitState,
} from '@cluster/fleet-api'
import { defaultPolicy, explainUnit, planCluster, type Unit, verdictText } from '@cluster/scheduler'
import {
  checkFleetUnitName,
  checkUnitRequirements,
  hashOptions,
  parseFleetName,
  readRequirements,
  type UnitOption,
} from '@cluster/unit-file'

type Stored = {
  options: readonly UnitOption[]
  targetState: string
  machineId: string | undefined
  /** By machine. */
  readonly running: Map<
    string,
    { hash: string; launched: boolean; state: Pick<FleetUnitState, 'loadState' | 'activeState' | 'subState'> }
  >
}

export type FakeMachine = { readonly id: string; readonly ip: string; metadata: Record<string, string> }

export type FakeCluster = {
  readonly client: FleetClient & AsyncDisposable
  readonly machines: FakeMachine[]
  /** The planner and all machines do one step. */
  readonly tick: () => void
  /** Every request so far: `PUT a.service launched`. */
  readonly requests: string[]
  /** While it returns an error, requests fail with it. */
  failWith: ((request: string) => Error | undefined) | undefined
  /** By machine, whether it is drained. */
  readonly cordons: Map<string, boolean>
  brake: FleetBrake
  /** Whether the daemon is an original one, without `why`, cordons and brake. */
  isOriginal: boolean
  readonly units: Map<string, Stored>
  /** Units whose machine never publishes anything. */
  readonly stuck: Set<string>
}

export const refusal = (status: number, message: string, body = ''): FleetApiError => {
  const answer: FailedAnswer = { status, message, body }
  return new FleetApiError('fleet-api/refused', `HTTP ${status}: ${message}`, { answer })
}

export function createFakeCluster(): FakeCluster {
  const units = new Map<string, Stored>()
  const machine = (id: string, ip: string, metadata: Record<string, string>): FakeMachine => ({ id, ip, metadata })
  const cluster: Omit<FakeCluster, 'client'> = {
    machines: [
      machine('1a000000000000000000000000000001', '10.77.0.11', { az: 'us-west-1a', disk: 'ssd' }),
      machine('2b000000000000000000000000000002', '10.77.0.12', { az: 'us-west-1b', disk: 'ssd' }),
      machine('3c000000000000000000000000000003', '10.77.0.13', { az: 'us-west-1b' }),
    ],
    units,
    requests: [],
    failWith: undefined,
    cordons: new Map(),
    brake: { kind: 'idle', released: [] },
    isOriginal: false,
    stuck: new Set(),
    tick: () => tick(cluster),
  }
  return Object.assign(cluster, { client: clientOf(cluster) })
}

function clientOf(cluster: Omit<FakeCluster, 'client'>): FleetClient & AsyncDisposable {
  const { units, machines, requests } = cluster
  const request = <T>(name: string, signal: AbortSignal | undefined, answer: () => T): Promise<T> => {
    requests.push(name)
    if (signal?.aborted === true) return Promise.reject(new FleetApiError('fleet-api/aborted', 'given up'))
    const failure = cluster.failWith?.(name)
    if (failure !== undefined) return Promise.reject(failure)
    return Promise.resolve().then(answer)
  }
  return {
    endpoint: 'unix:///fake.sock',
    listUnits: (signal) =>
      request('LIST units', signal, () => [...units.keys()].sort().map((name) => shown(cluster, name, true))),
    getUnit: (name, signal) =>
      request(`GET ${name}`, signal, () => (units.has(name) ? shown(cluster, name, false) : undefined)),
    putUnit: (name, change, signal) =>
      request(
        `PUT ${name} ${change.options === undefined ? '-' : 'options'} ${change.targetState ?? '-'}`,
        signal,
        () => put(units, name, change),
      ),
    deleteUnit: (name, signal) =>
      request(`DELETE ${name}`, signal, () => {
        const stored = units.get(name)
        if (stored === undefined) return false
        stored.targetState = 'destroyed'
        return true
      }),
    listStates: ({ unit, machineId } = {}, signal) =>
      request(`STATES ${unit ?? 'all'}`, signal, () =>
        [...units]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .flatMap(([name, { running }]) =>
            [...running]
              .filter(([id]) => (unit ?? name) === name && (machineId ?? id) === id)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([id, { hash, state }]) => ({ name, machineId: id, hash, ...state })),
          ),
      ),
    getState: () => Promise.resolve(undefined),
    listMachines: (signal) =>
      request('LIST machines', signal, () =>
        machines.map(({ id, ip, metadata }) => {
          const drain = cluster.cordons.get(id)
          const cordon = drain === undefined ? {} : { cordon: drain ? ('draining' as const) : ('cordoned' as const) }
          return { id, metadata, primaryIp: ip, ...cordon }
        }),
      ),
    listCordons: (signal) =>
      request('LIST cordons', signal, () =>
        cluster.isOriginal
          ? 'unsupported'
          : Array.from(cluster.cordons, ([machineId, drain]) => ({ machineId, drain })),
      ),
    cordon: ({ machineId, drain }, signal) =>
      request(`CORDON ${machineId} ${drain}`, signal, () => {
        if (cluster.isOriginal) return 'unsupported'
        cluster.cordons.set(machineId, drain)
        return 'done'
      }),
    uncordon: (machineId, signal) =>
      request(`UNCORDON ${machineId}`, signal, () => {
        if (cluster.isOriginal) return 'unsupported'
        cluster.cordons.delete(machineId)
        return 'done'
      }),
    brake: (signal) => request('GET brake', signal, () => (cluster.isOriginal ? 'unsupported' : cluster.brake)),
    releaseBrake: (signal) =>
      request('DELETE brake', signal, () => {
        if (cluster.isOriginal) return 'unsupported'
        if (cluster.brake.kind === 'idle') return 'not-held'
        cluster.brake = { kind: 'idle', released: cluster.brake.lostMachines }
        return 'done'
      }),
    changeMetadata: () => Promise.resolve(),
    why: (name, signal) =>
      request(`WHY ${name}`, signal, () => {
        if (cluster.isOriginal) return 'unsupported' as const
        if (!units.has(name)) return 'no-such-unit' as const
        const stored = [...units].map(([each, unit]) => plannerUnit(each, unit))
        const told = explainUnit({ machines, units: stored }, name, defaultPolicy)
        const machineId = units.get(name)?.machineId
        return {
          unit: name,
          situation: told.situation.kind,
          lines: told.lines,
          ...(machineId === undefined ? {} : { machineId }),
          machines: told.machines.map(({ machine, verdict }) => ({
            machineId: machine,
            fits: verdict.kind === 'fits',
            rule: verdict.kind,
            text: verdictText(verdict),
          })),
        }
      }),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

const isGlobal = (name: string, { options }: Stored): boolean => readRequirements(name, options).global
const exists = ({ targetState }: Stored): boolean => targetState !== 'destroyed'

function shown({ units }: Pick<FakeCluster, 'units'>, name: string, inList: boolean): FleetUnit {
  const stored = units.get(name)
  if (stored === undefined) throw new Error(`${name} is stored`)
  const { options, targetState, machineId, running } = stored
  const here = machineId === undefined ? undefined : running.get(machineId)
  const currentState = here === undefined ? 'inactive' : here.launched ? 'launched' : 'loaded'
  if (isGlobal(name, stored)) return { name, options, targetState, ...(inList ? { currentState: 'inactive' } : {}) }
  return { name, options, targetState, currentState, ...(machineId === undefined ? {} : { machineId }) }
}

/** The checks of PUT units/N in their order. */
function put(
  units: Map<string, Stored>,
  name: string,
  { options = [], targetState }: { readonly options?: readonly UnitOption[]; readonly targetState?: string },
) {
  const named = checkFleetUnitName(name)
  if (!named.ok) throw refusal(400, named.error.message)
  const stored = units.get(name)
  const isNew = stored === undefined || !exists(stored)
  if (isNew && options.length === 0) throw refusal(409, 'unit does not exist and options field empty')
  if (isNew || (options.length > 0 && hashOptions(options) !== hashOptions(stored.options))) {
    const wrong = checkUnitRequirements(name, options).find(({ severity }) => severity === 'error')
    if (wrong !== undefined) throw refusal(400, wrong.message)
    units.set(name, {
      options,
      targetState: targetState ?? 'inactive',
      machineId: stored?.machineId,
      running: stored?.running ?? new Map(),
    })
    return { kind: 'created' as const, warnings: [] }
  }
  if (targetState === undefined) throw refusal(409, 'must provide DesiredState to update existing unit')
  if (parseFleetName(name)?.isTemplate === true && targetState !== 'inactive') {
    throw refusal(400, `cannot activate template "${name}"`)
  }
  stored.targetState = targetState
  return { kind: 'updated' as const, warnings: [] }
}

function tick(cluster: Omit<FakeCluster, 'client'>): void {
  const { units, machines } = cluster
  const all = [...units].filter(([, stored]) => exists(stored))
  // As the engine plans: what is drained is left as if it were gone.
  const planned = machines
    .filter(({ id }) => cluster.cordons.get(id) !== true)
    .map((machine) => ({ ...machine, isCordoned: cluster.cordons.has(machine.id) }))
  const state = { machines: planned, units: all.map(([name, stored]) => plannerUnit(name, stored)) }
  for (const task of planCluster(state, defaultPolicy).tasks) {
    const stored = units.get(task.unit)
    if (stored !== undefined) stored.machineId = task.kind === 'schedule' ? task.machine : undefined
  }
  for (const [name, stored] of units) {
    for (const { id, metadata } of machines) {
      const wanted = wantedOn(name, stored, id, metadata)
      const hash = hashOptions(stored.options)
      if (wanted === 'inactive') stored.running.delete(id)
      else if (!cluster.stuck.has(name)) {
        stored.running.set(id, {
          hash,
          launched: wanted === 'launched',
          state: systemd(stored.options, wanted === 'launched'),
        })
      }
    }
    if (!exists(stored)) units.delete(name)
  }
}

const plannerUnit = (name: string, { options, targetState, machineId }: Stored): Unit => ({
  name,
  hash: hashOptions(options),
  requirements: readRequirements(name, options),
  ...(targetState === 'loaded' || targetState === 'launched' ? { targetState } : { targetState: 'inactive' }),
  ...(machineId === undefined ? {} : { machine: machineId }),
})

function wantedOn(name: string, stored: Stored, machineId: string, metadata: Readonly<Record<string, string>>): string {
  if (!exists(stored)) return 'inactive'
  if (!isGlobal(name, stored)) return stored.machineId === machineId ? stored.targetState : 'inactive'
  const required = readRequirements(name, stored.options).metadata
  const fits = [...required].every(([key, values]) => values.includes(metadata[key] ?? ''))
  return fits ? stored.targetState : 'inactive'
}

/** What systemd would make of the unit. */
function systemd(options: readonly UnitOption[], launched: boolean) {
  const value = (key: string): string | undefined => options.findLast(({ name }) => name === key)?.value
  const state = (activeState: string, subState: string, loadState = 'loaded') => ({ loadState, activeState, subState })
  const program = value('ExecStart')
  if (program === undefined) return state('inactive', 'dead', 'bad-setting')
  if (!launched) return state('inactive', 'dead')
  if (program === '/bin/false' || program === '/no/such/binary') return state('failed', 'failed')
  if (program === '/bin/loops') return state('activating', 'auto-restart')
  if (program === '/bin/slow') return state('activating', 'start-pre')
  if (value('Type') !== 'oneshot') return state('active', 'running')
  return value('RemainAfterExit') === 'yes' ? state('active', 'exited') : state('inactive', 'dead')
}
