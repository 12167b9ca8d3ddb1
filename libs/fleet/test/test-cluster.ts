/** Several fleetds in one process: one model store, one fake systemd each, one clock that moves when told to. */
import type { HttpRequest, HttpResponse } from '@cluster/http'
import {
  type Conflict,
  createManualClock,
  createModelKv,
  type Kv,
  type ManualClock,
  type ModelKv,
  type Revision,
} from '@cluster/kv'
import { err, type Logger, type Result, seededRandom, silentMeter } from '@cluster/prelude'
import { createFakeSystemd, type FakeSystemd } from '@cluster/systemd'
import { createFleet, type Fleet, type FleetConfig, type RecordStore } from '../src/index.ts'

export type LogLine = { readonly level: string; readonly message: string; readonly fields: object }

export type TestMachine = {
  readonly id: string
  readonly systemd: FakeSystemd
  /** This machine's connection to the store. */
  readonly kv: ModelKv
  readonly fleet: () => Fleet
  readonly log: LogLine[]
  /** Starts fleetd, on whatever systemd runs and the record says. */
  readonly start: (config?: FleetConfig) => Promise<void>
  /** An orderly stop of fleetd. */
  readonly stop: () => Promise<void>
  /** fleetd is gone from one moment to the next; units go on. */
  readonly kill: () => Promise<void>
  /** The whole machine is gone. */
  readonly powerOff: () => Promise<void>
}

export type TestCluster = AsyncDisposable & {
  readonly clock: ManualClock
  /** A connection that is never cut. */
  readonly store: ModelKv
  readonly machines: readonly TestMachine[]
  readonly machine: (index: number) => TestMachine
  /** A request to the API of one machine (default: the first). */
  readonly ask: (method: string, target: string, body?: unknown, machine?: TestMachine) => Promise<Answer>
  readonly put: (unit: string, text: string, targetState?: string) => Promise<Answer>
  /** Machines on which systemd runs the unit, by index. */
  readonly runsOn: (unit: string) => readonly number[]
  /** Value of a key under fleet's prefix. */
  readonly value: (key: string) => Promise<string | undefined>
  readonly keys: () => Promise<readonly string[]>
}

export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly json: Json
  readonly text: string
}
// Bodies of answers are looked into freely in tests.
export type Json = Readonly<Record<string, unknown>>

export const idOf = (index: number): string => `${index + 1}`.padEnd(8, 'abcdef0').padEnd(32, `${index}`)

export type TestClusterOptions = {
  readonly size?: number
  readonly metadata?: readonly Readonly<Record<string, string>>[]
  readonly config?: FleetConfig
}

/** A cluster whose daemons run and are registered. */
export async function startCluster({
  size = 3,
  metadata = [],
  config = {},
}: TestClusterOptions = {}): Promise<TestCluster> {
  const clock = createManualClock()
  const store = createModelKv({ clock })
  const machines = Array.from({ length: size }, (_, index) =>
    createMachine({ clock, kv: store.connect(), index, metadata: metadata[index] ?? {}, config }),
  )
  for (const machine of machines) await machine.start()
  await clock.advance(100)

  const cluster: TestCluster = {
    clock,
    store,
    machines,
    machine: (index) => {
      const found = machines[index]
      if (found === undefined) throw new Error(`no machine ${index}`)
      return found
    },
    async ask(method, target, body, machine = cluster.machine(0)) {
      const answering = machine.fleet().api(requestOf(method, target, body))
      let answer: HttpResponse | undefined
      const settled = Promise.resolve(answering).then((found) => {
        answer = found
      })
      // The store may be slow on purpose: let time pass until there is an answer.
      for (let turn = 0; turn < 20 && answer === undefined; turn++) await clock.advance(turn === 0 ? 0 : 500)
      await settled
      return readAnswer(answer ?? { status: 0 })
    },
    put: (unit, text, targetState = 'launched') =>
      cluster.ask('PUT', `/fleet/v1/units/${unit}`, { options: optionsOf(text), desiredState: targetState }),
    runsOn: (unit) => machines.flatMap(({ systemd }, index) => (systemd.upNames().includes(unit) ? [index] : [])),
    value: async (key) => (await store.get(`/_coreos.com/fleet/${key}`))?.value,
    keys: async () => (await store.range('/_coreos.com/fleet')).entries.map(({ key }) => key.slice(19)),
    async [Symbol.asyncDispose]() {
      await Promise.all(machines.map((machine) => machine.kill()))
      await store[Symbol.asyncDispose]()
    },
  }
  return cluster
}

type MachineOptions = {
  readonly clock: ManualClock
  readonly kv: ModelKv
  readonly index: number
  readonly metadata: Readonly<Record<string, string>>
  readonly config: FleetConfig
}

export function createMachine({ clock, kv, index, metadata, config }: MachineOptions): TestMachine {
  const id = idOf(index)
  const systemd = createFakeSystemd()
  const log: LogLine[] = []
  let boot = 1
  let record: string | undefined
  let fleet: Fleet | undefined
  let running: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined

  const halt = async (): Promise<void> => {
    const { abort, ended } = running ?? {}
    running = undefined
    abort?.abort()
    let hasEnded = ended === undefined
    void ended?.then(() => {
      hasEnded = true
    })
    // A stop may wait for a store that is away.
    for (let turn = 0; turn < 40 && !hasEnded; turn++) await clock.advance(turn === 0 ? 0 : 500)
    await ended
  }
  return {
    id,
    systemd,
    kv,
    log,
    fleet: () => {
      if (fleet === undefined) throw new Error('not started')
      return fleet
    },
    async start(extra) {
      const isCurrent = boot
      const records: RecordStore = {
        read: async () => record,
        write: async (text) => {
          if (boot === isCurrent) record = text
        },
      }
      fleet = await createFleet({
        kv: withoutFound(kv),
        units: systemd.open(),
        machine: { id, bootId: `boot-${boot}`, publicIp: `10.0.0.${index + 1}`, metadata },
        version: '1.0.0',
        config: { ...config, ...extra },
        records,
        clock,
        random: seededRandom(index + 1),
        log: recordingLogger(log),
        meter: silentMeter,
      })
      const abort = new AbortController()
      running = { abort, ended: fleet.run(abort.signal) }
    },
    stop: halt,
    async kill() {
      // Its connection goes first, so that nothing it does in dying reaches the store.
      kv.setUnavailable(true)
      await halt()
      kv.setUnavailable(false)
    },
    async powerOff() {
      kv.setUnavailable(true)
      await halt()
      kv.setUnavailable(false)
      systemd.reboot()
      boot += 1
    },
  }
}

/** etcd's v2 API does not say what stood in the way of a write; nothing may rely on it. */
function withoutFound(kv: Kv): Kv {
  const strip = (outcome: Result<Revision, Conflict>): Result<Revision, Conflict> =>
    outcome.ok ? outcome : err({ ...outcome.error, found: undefined })
  return {
    range: (prefix, signal) => kv.range(prefix, signal),
    get: (key, signal) => kv.get(key, signal),
    put: async (key, value, options) => strip(await kv.put(key, value, options)),
    delete: async (key, options) => strip(await kv.delete(key, options)),
    deletePrefix: (prefix, signal) => kv.deletePrefix(prefix, signal),
    watch: (prefix, after, signal) => kv.watch(prefix, after, signal),
  }
}

function recordingLogger(lines: LogLine[]): Logger {
  const at =
    (level: string) =>
    (message: string, fields: object = {}) => {
      lines.push({ level, message, fields })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export function requestOf(
  method: string,
  target: string,
  body?: unknown,
  headers: HttpRequest['headers'] = [['Content-Type', 'application/json']],
): HttpRequest {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  const [path = '', query = ''] = target.split('?')
  return {
    method,
    target,
    path,
    query: new URLSearchParams(query),
    headers,
    body: (async function* () {
      if (text !== '') yield new TextEncoder().encode(text)
    })(),
    peer: { kind: 'unix' },
    signal: new AbortController().signal,
  }
}

export async function readAnswer({ status, headers = [], body = '' }: HttpResponse): Promise<Answer> {
  let text = ''
  if (typeof body === 'string') text = body
  else if (body instanceof Uint8Array) text = new TextDecoder().decode(body)
  else for await (const chunk of body) text += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk)
  const json: unknown = text.startsWith('{') ? JSON.parse(text) : {}
  return {
    status,
    headers: Object.fromEntries(headers),
    text,
    json: typeof json === 'object' && json !== null ? { ...json } : {},
  }
}

/** `Section.Name=Value` lines in short: `[Section]` headers and assignments. */
export function optionsOf(text: string): readonly { section: string; name: string; value: string }[] {
  let section = ''
  return text.split('\n').flatMap((line) => {
    const header = /^\[(.*)\]$/.exec(line)
    if (header !== null) {
      section = header[1] ?? ''
      return []
    }
    const at = line.indexOf('=')
    return at < 0 ? [] : [{ section, name: line.slice(0, at), value: line.slice(at + 1) }]
  })
}

export const service = (...fleet: readonly string[]): string =>
  ['[Service]', 'ExecStart=/bin/sleep infinity', ...(fleet.length === 0 ? [] : ['[X-Fleet]', ...fleet])].join('\n')
