/**
 * The demonstration behind `npm start`: the units of examples/ on three machines that are processes of this computer,
 * told as commands and their output. Everything it prints was seen: states come from fleetd, times from the process
 * managers' own logs, answers over HTTP, keys from the store.
 */
import { type Io, type Paint, paintFor } from '@cluster/cli'
import { runCommand } from './command.ts'
import { LabError } from './errors.ts'
import {
  activeOn,
  bringUpLocal,
  fleetctlEnvironment,
  type LocalCluster,
  type LocalMachine,
  type LocalPrograms,
  lastWords,
  listedMachines,
  loseMachine,
  machineIdOf,
  returnMachine,
  startedAtMs,
} from './local-cluster.ts'
import { streamProgress } from './progress.ts'
import { indented, seconds } from './terminal-lines.ts'
import { until } from './until.ts'

/** The TTL that web-discovery@.service asks for. */
const announcementTtlSeconds = 6

/** The figures that we promise, in milliseconds: beyond the second the demonstration fails. */
const aims = { startMs: 500, moveMs: 12_000 } as const

export type LocalDemoOptions = {
  /** Where everything lies; the caller takes it down. */
  readonly folder: string
  readonly programs: LocalPrograms
  readonly io: Io
  readonly signal: AbortSignal
  /** Ends by losing a machine instead of staying up. */
  readonly losesMachine: boolean
}

type Stage = {
  readonly cluster: LocalCluster
  readonly programs: LocalPrograms
  readonly say: (text?: string) => void
  readonly paint: Paint
  readonly signal: AbortSignal
  /** Types a command on a machine and shows what it prints. */
  readonly type: (command: string, machine?: LocalMachine) => Promise<void>
}

/** Runs the demonstration. Throws when any of it did not happen. */
export async function demonstrateLocally(options: LocalDemoOptions): Promise<LocalCluster> {
  const { folder, programs, io, signal } = options
  const paint = paintFor(io.stdout, io.env)
  const say = (text = ''): void => io.stdout.write(`${text}\n`)
  const heading = (text: string): void => say(`\n${paint.bold(`== ${text}`)}`)

  heading('Three machines on this computer, one store, a fleetd on each; units run as processes')
  say()
  const cluster = await bringUpLocal(folder, programs, streamProgress(process.stdout, '  '), signal)
  const type = typist(cluster, programs, io, paint, signal)
  const stage: Stage = { cluster, programs, say, paint, signal, type }
  await type('fleetctl list-machines')

  heading('Start a unit: the cluster finds it a machine')
  const requestedMs = Date.now()
  await type('fleetctl start hello.service')
  const helloPlace = await runningPlace(stage, 'hello.service')
  const startMs = (startedAtMs(helloPlace, 'hello.service') ?? Date.now()) - requestedMs
  say(`\n  ${helloPlace.name} runs it ${paint.good(`${seconds(startMs, 2)} s`)} after the command was typed.`)
  await type('fleetctl journal --output cat hello.service')

  heading('Web servers that never share a machine, each with a sidekick that announces it')
  await type('fleetctl submit web@.service web-discovery@.service')
  await type('fleetctl start web@1.service web@2.service')
  await type('fleetctl start web-discovery@1.service web-discovery@2.service')
  heading('One on every machine; a timer with its service; one that fits nowhere')
  await type('fleetctl start monitor.service')
  await type('fleetctl load backup.service')
  await type('fleetctl start backup.timer')
  await type('fleetctl start --no-block gpu.service')
  await everyMachineRuns(stage, 'monitor.service')
  await runningPlace(stage, 'backup.timer')
  await type('fleetctl list-units')
  await type('fleetctl why gpu.service')

  heading('The web servers answer, found through the store')
  say()
  for (const [instance, url] of await announced(stage, ['1', '2']))
    say(`  web@${instance}  GET ${url}  ${await answer(url, instance, signal)}`)

  heading(`Stop a server: its announcement ends with it (TTL ${announcementTtlSeconds} s)`)
  const stoppedMs = performance.now()
  await type('fleetctl stop web@2.service')
  await until(() => announcements(stage), {
    what: 'the announcement of web@2 gone from the store',
    timeoutMs: (announcementTtlSeconds + 5) * 1000,
    everyMs: 50,
    is: (found) => !found.has('2'),
    signal,
  })
  say(`\n  /services/web/2 is gone from the store after ${paint.good(`${seconds(performance.now() - stoppedMs)} s`)}.`)
  await type('fleetctl start web@2.service')
  await type('fleetctl restart web-discovery@2.service')
  await announced(stage, ['1', '2'])

  const moveMs = options.losesMachine ? await loseAndReturn(stage) : undefined

  heading('Figures')
  say()
  say(
    `  start requested → unit active      ${paint.good(`${seconds(startMs, 2)} s`)}   (aim: under ${aims.startMs / 1000} s)`,
  )
  say(
    moveMs === undefined
      ? '  machine lost → active elsewhere    see it happen: npm start -- --exit'
      : `  machine lost → active elsewhere    ${paint.good(`${seconds(moveMs)} s`)}    (never more than ${aims.moveMs / 1000} s)`,
  )
  if (moveMs !== undefined && moveMs > aims.moveMs) {
    throw new LabError('lab/timeout', `web@1 came back after ${seconds(moveMs)} s; it must not take more than 12 s`)
  }
  return cluster
}

/** The machine of web@1 is killed with all that runs on it, and comes back later. Gives how long web@1 was away. */
async function loseAndReturn(stage: Stage): Promise<number> {
  const { cluster, programs, say, paint, signal, type } = stage
  const lost = await runningPlace(stage, 'web@1.service')
  const others = cluster.machines.filter(({ name }) => name !== lost.name)
  const [witness = lost] = others
  say(`\n${paint.bold(`== kill -9 of ${lost.name}, its fleetd and every process of its units; web@1 was there`)}\n`)
  const lostMs = Date.now()
  await loseMachine(lost)
  const place = await runningPlace(stage, 'web@1.service', { among: others, timeoutMs: 40_000 })
  const moveMs = (startedAtMs(place, 'web@1.service') ?? Date.now()) - lostMs
  say(`  ${place.name} runs web@1 now, ${paint.good(`${seconds(moveMs)} s`)} after the loss.`)
  const found = await until(() => announcements(stage), {
    what: 'the announcement of web@1 at its new place',
    timeoutMs: 15_000,
    is: (all) => all.get('1')?.includes(`//${place.address}:`) === true,
    signal,
  })
  const url = found.get('1') ?? ''
  say(`  web@1  GET ${url}  ${await answer(url, '1', signal)}`)
  await type('fleetctl list-machines', witness)
  await type('fleetctl list-units', witness)

  say(`\n${paint.bold(`== ${lost.name} comes back, as after a boot`)}\n`)
  const returnedMs = performance.now()
  returnMachine(cluster, lost, programs)
  await until(() => listedMachines(witness), {
    what: `${lost.name} among the machines`,
    timeoutMs: 15_000,
    is: (ids) => ids.length === cluster.machines.length,
    signal,
  })
  await everyMachineRuns(stage, 'monitor.service')
  say(
    `  ${lost.name} runs its global unit ${paint.good(`${seconds(performance.now() - returnedMs)} s`)} later; web@1 stays.`,
  )
  await type('fleetctl list-units --fields unit,machine,active', lost)
  return moveMs
}

/** What to do with a cluster that stays up. */
export const tryLocally = ({ folder, storeUrl }: LocalCluster): string => `
The cluster stays up until Ctrl-C. In another terminal:

  . ${folder}/env
  fleetctl list-units
  fleetctl status hello.service
  fleetctl journal --follow hello.service
  fleetctl why gpu.service
  machine lose node3            kill -9 of its fleetd and its units; then list-units again
  machine return node3          starts it again
  curl -s '${storeUrl}/v2/keys/services?recursive=true'

Its logs: ${folder}/kvd.log and ${folder}/node*/fleetd.log

`

function typist(
  cluster: LocalCluster,
  programs: LocalPrograms,
  io: Io,
  paint: Paint,
  signal: AbortSignal,
): Stage['type'] {
  const [first] = cluster.machines
  return async (command, machine = first) => {
    if (machine === undefined) return
    signal.throwIfAborted()
    io.stdout.write(`\n  ${paint.dim(`${machine.name} $`)} ${command}\n`)
    const [, ...args] = command.split(' ')
    const result = await runCommand(process.execPath, [programs.fleetctl, ...args], {
      cwd: programs.examples,
      env: fleetctlEnvironment(cluster, machine),
      timeoutMs: 60_000,
      signal,
    })
    const output = `${result.stdout}${result.stderr}`.trimEnd()
    if (output !== '') io.stdout.write(output.split('\n').map(indented).join(''))
    if (result.code === 0) return
    throw new LabError('lab/command-failed', `"${command}" ended with code ${result.code}`, {
      hint: lastWords(`${machine.folder}/fleetd.log`),
    })
  }
}

/** The one machine that runs the unit, as soon as there is exactly one among those that count. */
async function runningPlace(
  { cluster, signal }: Stage,
  unit: string,
  {
    among = cluster.machines,
    timeoutMs = 15_000,
  }: { readonly among?: readonly LocalMachine[]; readonly timeoutMs?: number } = {},
): Promise<LocalMachine> {
  const places = await until(() => placesOf(unit, among), {
    what: `${unit} active on one machine`,
    timeoutMs,
    everyMs: 25,
    is: ({ length }) => length === 1,
    signal,
  })
  const [place] = places
  if (place === undefined) throw new LabError('lab/unknown-machine', `${unit} is active nowhere`)
  return place
}

async function placesOf(unit: string, among: readonly LocalMachine[]): Promise<readonly LocalMachine[]> {
  const [asked] = among
  const ids = asked === undefined ? [] : await activeOn(asked, unit)
  return among.filter((machine) => ids.includes(machineIdOf(machine)))
}

async function everyMachineRuns({ cluster, signal }: Stage, unit: string): Promise<void> {
  await until(() => placesOf(unit, cluster.machines), {
    what: `${unit} active on every machine`,
    timeoutMs: 15_000,
    everyMs: 25,
    is: ({ length }) => length === cluster.machines.length,
    signal,
  })
}

/** Where the instances say they serve, once all of them have said it. */
async function announced(stage: Stage, instances: readonly string[]): Promise<ReadonlyMap<string, string>> {
  return until(() => announcements(stage), {
    what: `announcements of web ${instances.join(', ')}`,
    timeoutMs: 15_000,
    is: (found) => instances.every((instance) => found.has(instance)),
    signal: stage.signal,
  })
}

/** What lies below /services/web in the store: instances with their URLs. */
async function announcements({ cluster: { storeUrl } }: Stage): Promise<ReadonlyMap<string, string>> {
  const response = await fetch(`${storeUrl}/v2/keys/services/web?sorted=true`, { signal: AbortSignal.timeout(2000) })
  const body: unknown = await response.json()
  const node = fieldOf(body, 'node')
  const nodes = fieldOf(node, 'nodes')
  if (!Array.isArray(nodes)) return new Map()
  return new Map(
    nodes.flatMap((entry: unknown) => {
      const [key, value] = [fieldOf(entry, 'key'), fieldOf(entry, 'value')]
      return typeof key === 'string' && typeof value === 'string' ? [[key.replace(/.*\//, ''), value] as const] : []
    }),
  )
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined

/** What a web server says. */
async function answer(url: string, instance: string, signal: AbortSignal): Promise<string> {
  const ask = async (): Promise<string> => (await fetch(url, { signal: AbortSignal.timeout(2000) })).text()
  const text = await until(ask, {
    what: `${url} answering for web ${instance}`,
    timeoutMs: 10_000,
    is: (said) => said.startsWith(`web ${instance} `),
    signal,
  })
  return `"${text.trim()}"`
}
