/** Runs fleetctl in one process against the fake cluster, with virtual time and files in memory. */
import { memoryIo, runCommandLine } from '@cluster/cli'
import type { JournalEntry } from '@cluster/systemd'
import type { Context } from '../src/context.ts'
import { fleetctl } from '../src/fleetctl.ts'
import type { LocalFile, LocalFiles } from '../src/local-files.ts'
import { createFakeCluster, type FakeCluster } from './fake-cluster.ts'

export type World = {
  readonly cluster: FakeCluster
  /** Texts by path; other kinds of files as what reading them gives. */
  readonly files: Map<string, string | LocalFile>
  /** Programs that were run, and how they answer. */
  readonly programs: string[][]
  runProgram: (argv: readonly string[]) => number | undefined
  machineId: string | undefined
  /** Folders of process managers on this computer, by machine ID, and what they have logged. */
  readonly processMachines: Map<string, string>
  readonly processLog: JournalEntry[]
}

export const createWorld = (): World => ({
  cluster: createFakeCluster(),
  files: new Map(),
  programs: [],
  runProgram: () => 0,
  machineId: '1a000000000000000000000000000001',
  processMachines: new Map(),
  processLog: [],
})

export type Outcome = {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
  readonly elapsedMs: number
}

/** @param interruptAfterMs virtual time after which the person presses Ctrl-C */
export async function fleetctlIn(
  world: World,
  argv: readonly string[],
  options: {
    readonly interruptAfterMs?: number
    readonly env?: Readonly<Record<string, string>>
    readonly isTerminal?: boolean
    readonly stdin?: string
    /** What each look at the clock takes, for work that watches it. */
    readonly lookMs?: number
  } = {},
): Promise<Outcome> {
  const { interruptAfterMs = 600_000, env = {}, isTerminal = false, stdin = '', lookMs = 0 } = options
  const io = memoryIo({ env, isTerminal, stdin })
  const interruption = new AbortController()
  let nowMs = 0
  const files: LocalFiles = {
    exists: async (path) => world.files.has(path),
    read: async (path) => {
      const file = world.files.get(path)
      if (file === undefined) return { kind: 'absent' }
      return typeof file === 'string' ? { kind: 'text', text: file } : file
    },
    glob: async (pattern) => {
      const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`)
      return [...world.files.keys()].filter((path) => expression.test(path))
    },
  }
  const surroundings = (settings: Context['settings']): Context => ({
    io,
    settings,
    files,
    clock: {
      nowMs: () => Date.UTC(2026, 0, 2) + nowMs,
      monotonicMs: () => {
        nowMs += lookMs
        return nowMs
      },
      sleep: async (ms) => {
        nowMs += ms
        world.cluster.tick()
        if (nowMs >= interruptAfterMs) interruption.abort()
      },
    },
    host: {
      machineId: async () => world.machineId,
      homeFolder: '/home/core',
      processMachines: async (folders) =>
        new Map([...world.processMachines].filter(([, folder]) => folders.includes(folder))),
      async *readProcessLog({ unit, lines = world.processLog.length }) {
        const entries = world.processLog.filter((entry) => entry.unit === unit)
        yield* lines === 0 ? [] : entries.slice(-lines)
      },
    },
    runProgram: async (program) => {
      world.programs.push([...program])
      return world.runProgram(program)
    },
    ask: async (question) => {
      io.stderr.write(question)
      if (stdin === 'interrupt') {
        interruption.abort()
        interruption.signal.throwIfAborted()
      }
      return stdin.split('\n')[0] ?? ''
    },
    signal: interruption.signal,
    openFleet: async () => world.cluster.client,
  })
  const exit = await runCommandLine(fleetctl, argv, io, surroundings)
  return { exit, ...io.written, elapsedMs: nowMs }
}
