/**
 * The demonstration behind `npm start`: the units of examples/ on three machines, told as commands and their output.
 * Everything it prints was seen on the stage it plays on: unit states, answers over HTTP, keys from the store.
 */
import { type Io, type Paint, paintFor } from '@cluster/cli'
import type { CommandResult } from './command.ts'
import { LabError } from './errors.ts'
import { indented, seconds } from './terminal-lines.ts'
import { until } from './until.ts'

/** The TTL that web-discovery@.service asks for. */
const announcementTtlSeconds = 6

/** The figures that we promise, in milliseconds: beyond the second the demonstration fails. */
const aims = { startMs: 500, moveMs: 12_000 } as const

export type StageMachine = {
  /** As the prompt shows it. */
  readonly name: string
  readonly address: string
}

/** Three machines and their store, whatever they are made of. */
export type DemoStage<Machine extends StageMachine> = {
  readonly machines: readonly Machine[]
  /** Runs fleetctl with these arguments, the example units in the working directory. */
  readonly fleetctl: (args: readonly string[], on: Machine) => Promise<CommandResult>
  /** Where to look when a command failed there. */
  readonly hint: (on: Machine) => string
  /** The machines on which the unit is active now, of those that can be asked. */
  readonly activeOn: (unit: string) => Promise<readonly Machine[]>
  /** The clock of `becameActiveMs` and of `lose`. */
  readonly nowMs: () => number
  readonly becameActiveMs: (unit: string, on: Machine) => Promise<number>
  /** The values below a directory of the store, by the last part of their keys; empty while it is not there. */
  readonly valuesBelow: (directory: string) => Promise<ReadonlyMap<string, string>>
  /** What the address answers, asked from a machine that is up. */
  readonly fetchText: (url: string) => Promise<string>
  /** Takes a machine away without a word; resolves with the moment. */
  readonly lose: (machine: Machine) => Promise<number>
  /** The same machine again, after `lose`; resolves when the others list it. */
  readonly bringBack: (machine: Machine) => Promise<void>
  readonly words: {
    /** `Power cut on node1` */
    readonly lost: (name: string) => string
    /** `power cut`, as the table of figures has it. */
    readonly figure: string
    /** `the power cut`, as in "4.8 s after …". */
    readonly event: string
  }
}

export type DemoOptions = { readonly io: Io; readonly signal: AbortSignal }

type Telling<Machine extends StageMachine> = {
  readonly stage: DemoStage<Machine>
  readonly signal: AbortSignal
  readonly paint: Paint
  readonly say: (text?: string) => void
  readonly heading: (text: string) => void
  /** Types a command on a machine, the first unless given, and shows what it prints. */
  readonly type: (command: string, on?: Machine) => Promise<void>
}

/** A line that opens a chapter. */
export const sayHeading = (io: Io, text: string): void => {
  io.stdout.write(`\n${paintFor(io.stdout, io.env).bold(`== ${text}`)}\n`)
}

/**
 * Tells it on a stage that is up; ends with the loss of a machine, or leaves the cluster as it is.
 *
 * @throws LabError when any of it did not happen, or too late
 */
export async function tellStory<Machine extends StageMachine>(
  stage: DemoStage<Machine>,
  { io, signal, losesMachine }: DemoOptions & { readonly losesMachine: boolean },
): Promise<void> {
  const paint = paintFor(io.stdout, io.env)
  const say = (text = ''): void => io.stdout.write(`${text}\n`)
  const telling: Telling<Machine> = {
    stage,
    signal,
    paint,
    say,
    heading: (text) => sayHeading(io, text),
    type: typist(stage, io, paint, signal),
  }
  const { heading, type } = telling
  await type('fleetctl list-machines')
  const startMs = await startOne(telling)

  heading('Web servers that never share a machine, each with a sidekick that announces it')
  await type('fleetctl submit web@.service web-discovery@.service')
  await type('fleetctl start web@1.service web@2.service')
  await type('fleetctl start web-discovery@1.service web-discovery@2.service')
  heading('One on every machine; a timer with its service; one that fits nowhere')
  await type('fleetctl start monitor.service')
  await type('fleetctl load backup.service')
  await type('fleetctl start backup.timer')
  await type('fleetctl start --no-block gpu.service')
  await everyMachineRuns(telling, 'monitor.service')
  await runningPlace(telling, 'backup.timer')
  await type('fleetctl list-units')
  await type('fleetctl why gpu.service')

  heading('The web servers answer, found through the store')
  say()
  for (const [instance, url] of await announced(telling, ['1', '2'])) await sayAnswer(telling, instance, url)
  await stopOne(telling)

  const moveMs = losesMachine ? await loseOne(telling) : undefined
  sayFigures(telling, startMs, moveMs)
  if (moveMs !== undefined && moveMs > aims.moveMs) {
    throw new LabError('lab/timeout', `web@1 came back after ${seconds(moveMs)} s; it must not take more than 12 s`)
  }
}

/** Gives how long hello.service took from the command to its being active. */
async function startOne<M extends StageMachine>(telling: Telling<M>): Promise<number> {
  const { stage, paint, say, heading, type } = telling
  heading('Start a unit: the cluster finds it a machine')
  const requestedMs = stage.nowMs()
  await type('fleetctl start hello.service')
  const place = await runningPlace(telling, 'hello.service')
  const startMs = (await stage.becameActiveMs('hello.service', place)) - requestedMs
  say(`\n  ${place.name} runs it ${paint.good(`${seconds(startMs, 2)} s`)} after the command was typed.`)
  await type('fleetctl journal --output cat hello.service', place)
  return startMs
}

/** A server is stopped: its sidekick takes the announcement out of the store. */
async function stopOne<M extends StageMachine>(telling: Telling<M>): Promise<void> {
  const { stage, paint, say, heading, type, signal } = telling
  heading(`Stop a server: its announcement ends with it (TTL ${announcementTtlSeconds} s)`)
  const stoppedMs = stage.nowMs()
  await type('fleetctl stop web@2.service')
  await until(() => announcements(stage), {
    what: 'the announcement of web@2 gone from the store',
    timeoutMs: (announcementTtlSeconds + 5) * 1000,
    is: (found) => !found.has('2'),
    signal,
  })
  say(`\n  /services/web/2 is gone from the store after ${paint.good(`${seconds(stage.nowMs() - stoppedMs)} s`)}.`)
  await type('fleetctl start web@2.service')
  await type('fleetctl restart web-discovery@2.service')
  await announced(telling, ['1', '2'])
}

/** The machine of web@1 is lost with all that runs on it, and comes back later. Gives how long web@1 was away. */
async function loseOne<M extends StageMachine>(telling: Telling<M>): Promise<number> {
  const { stage, paint, say, heading, type, signal } = telling
  const lost = await runningPlace(telling, 'web@1.service')
  const others = stage.machines.filter((machine) => machine !== lost)
  heading(`${stage.words.lost(lost.name)}; web@1 was there`)
  say()
  const lostMs = await stage.lose(lost)
  const place = await runningPlace(telling, 'web@1.service', { among: others, timeoutMs: 40_000 })
  const moveMs = (await stage.becameActiveMs('web@1.service', place)) - lostMs
  say(`  ${place.name} runs web@1 now, ${paint.good(`${seconds(moveMs)} s`)} after ${stage.words.event}.`)
  const found = await until(() => announcements(stage), {
    what: 'the announcement of web@1 at its new place',
    timeoutMs: 15_000,
    is: (all) => all.get('1')?.includes(`//${place.address}:`) === true,
    signal,
  })
  await sayAnswer(telling, '1', found.get('1') ?? '')
  await type('fleetctl list-machines', place)
  await type('fleetctl list-units', place)

  heading(`${lost.name} comes back, as after a boot`)
  say()
  const returnedMs = stage.nowMs()
  await stage.bringBack(lost)
  await everyMachineRuns(telling, 'monitor.service')
  const tookMs = stage.nowMs() - returnedMs
  say(`  ${lost.name} runs its global unit ${paint.good(`${seconds(tookMs)} s`)} later; web@1 stays.`)
  await type('fleetctl list-units --fields unit,machine,active', lost)
  return moveMs
}

function sayFigures<M extends StageMachine>(
  { stage, paint, say, heading }: Telling<M>,
  startMs: number,
  moveMs: number | undefined,
): void {
  const start = 'start requested → unit active'
  const move = `${stage.words.figure} → active elsewhere`
  const width = Math.max(start.length, move.length) + 4
  heading('Figures')
  say()
  say(`  ${start.padEnd(width)}${paint.good(`${seconds(startMs, 2)} s`)}   (aim: under ${aims.startMs / 1000} s)`)
  say(
    moveMs === undefined
      ? `  ${move.padEnd(width)}see it happen: npm start -- --exit`
      : `  ${move.padEnd(width)}${paint.good(`${seconds(moveMs)} s`)}    (never more than ${aims.moveMs / 1000} s)`,
  )
}

function typist<M extends StageMachine>(
  stage: DemoStage<M>,
  io: Io,
  paint: Paint,
  signal: AbortSignal,
): Telling<M>['type'] {
  const [first] = stage.machines
  return async (command, on = first) => {
    if (on === undefined) return
    signal.throwIfAborted()
    io.stdout.write(`\n  ${paint.dim(`${on.name} $`)} ${command}\n`)
    const [, ...args] = command.split(' ')
    const result = await stage.fleetctl(args, on)
    signal.throwIfAborted()
    const output = `${result.stdout}${result.stderr}`.trimEnd()
    if (output !== '') io.stdout.write(output.split('\n').map(indented).join(''))
    if (result.code === 0) return
    throw new LabError('lab/command-failed', `"${command}" ended with code ${result.code}`, { hint: stage.hint(on) })
  }
}

/** The one machine that runs the unit, as soon as there is exactly one among those that count. */
async function runningPlace<M extends StageMachine>(
  { stage, signal }: Telling<M>,
  unit: string,
  { among = stage.machines, timeoutMs = 15_000 }: { readonly among?: readonly M[]; readonly timeoutMs?: number } = {},
): Promise<M> {
  const look = async (): Promise<readonly M[]> => (await stage.activeOn(unit)).filter((one) => among.includes(one))
  const [place] = await until(look, {
    what: `${unit} active on one machine`,
    timeoutMs,
    is: ({ length }) => length === 1,
    signal,
  })
  if (place === undefined) throw new LabError('lab/unknown-machine', `${unit} is active nowhere`)
  return place
}

async function everyMachineRuns<M extends StageMachine>({ stage, signal }: Telling<M>, unit: string): Promise<void> {
  await until(() => stage.activeOn(unit), {
    what: `${unit} active on every machine`,
    timeoutMs: 20_000,
    is: ({ length }) => length === stage.machines.length,
    signal,
  })
}

const announcements = <M extends StageMachine>(stage: DemoStage<M>): Promise<ReadonlyMap<string, string>> =>
  stage.valuesBelow('/services/web')

/** Where the instances say they serve, once all of them have said it. */
const announced = <M extends StageMachine>(
  { stage, signal }: Telling<M>,
  instances: readonly string[],
): Promise<ReadonlyMap<string, string>> =>
  until(() => announcements(stage), {
    what: `announcements of web ${instances.join(', ')}`,
    timeoutMs: 15_000,
    is: (found) => instances.every((instance) => found.has(instance)),
    signal,
  })

async function sayAnswer<M extends StageMachine>(
  { stage, say, signal }: Telling<M>,
  instance: string,
  url: string,
): Promise<void> {
  const text = await until(() => stage.fetchText(url), {
    what: `${url} answering for web ${instance}`,
    timeoutMs: 10_000,
    is: (said) => said.startsWith(`web ${instance} `),
    signal,
  })
  say(`  web@${instance}  GET ${url}  "${text.trim()}"`)
}
