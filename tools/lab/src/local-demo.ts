/**
 * The demonstration on this computer alone, whose machines are processes: states come from fleetd, times from the
 * process managers' own logs.
 */
import { runCommand } from './command.ts'
import { type DemoOptions, type DemoStage, sayHeading, tellStory } from './demo-story.ts'
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
import { until } from './until.ts'

export type LocalDemoOptions = DemoOptions & {
  /** Where everything lies; the caller takes it down. */
  readonly folder: string
  readonly programs: LocalPrograms
  /** Ends by losing a machine instead of staying up. */
  readonly losesMachine: boolean
}

/** Runs the demonstration. Throws when any of it did not happen. */
export async function demonstrateLocally(options: LocalDemoOptions): Promise<LocalCluster> {
  const { folder, programs, io, signal, losesMachine } = options
  sayHeading(io, 'Three machines on this computer, one store, a fleetd on each; units run as processes')
  io.stdout.write('\n')
  const cluster = await bringUpLocal(folder, programs, streamProgress(process.stdout, '  '), signal)
  await tellStory(localStage(cluster, programs, signal), { io, signal, losesMachine })
  return cluster
}

function localStage(cluster: LocalCluster, programs: LocalPrograms, signal: AbortSignal): DemoStage<LocalMachine> {
  const { machines, storeUrl } = cluster
  const gone = new Set<LocalMachine>()
  const isUp = (machine: LocalMachine): boolean => !gone.has(machine)
  return {
    machines,
    fleetctl: (args, on) =>
      runCommand(process.execPath, [programs.fleetctl, ...args], {
        cwd: programs.examples,
        env: fleetctlEnvironment(cluster, on),
        timeoutMs: 60_000,
        signal,
      }),
    hint: ({ folder }) => lastWords(`${folder}/fleetd.log`),
    activeOn: async (unit) => {
      const asked = machines.find(isUp)
      const ids = asked === undefined ? [] : await activeOn(asked, unit)
      return machines.filter((machine) => isUp(machine) && ids.includes(machineIdOf(machine)))
    },
    nowMs: Date.now,
    becameActiveMs: async (unit, on) => startedAtMs(on, unit) ?? Date.now(),
    valuesBelow: (directory) => valuesBelow(storeUrl, directory),
    fetchText: async (url) => (await fetch(url, { signal: AbortSignal.timeout(2000) })).text(),
    lose: async (machine) => {
      const lostMs = Date.now()
      gone.add(machine)
      await loseMachine(machine)
      return lostMs
    },
    bringBack: async (machine) => {
      returnMachine(cluster, machine, programs)
      const witness = machines.find(isUp) ?? machine
      await until(() => listedMachines(witness), {
        what: `${machine.name} among the machines`,
        timeoutMs: 15_000,
        is: ({ length }) => length === machines.length,
        signal,
      })
      gone.delete(machine)
    },
    words: {
      lost: (name) => `kill -9 of ${name}, its fleetd and every process of its units`,
      figure: 'machine lost',
      event: 'the loss',
    },
  }
}

async function valuesBelow(storeUrl: string, directory: string): Promise<ReadonlyMap<string, string>> {
  const response = await fetch(`${storeUrl}/v2/keys${directory}?sorted=true`, { signal: AbortSignal.timeout(2000) })
  const node = fieldOf(await response.json(), 'node')
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
