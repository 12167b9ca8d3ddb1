/** fleetctl: the real surroundings, signals, the exit code. */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type FlagValues, ioOf, runCommandLine } from '@cluster/cli'
import { systemClock } from '@cluster/daemon/system'
import type { Context, RunProgram } from './context.ts'
import { fleetctl } from './fleetctl.ts'
import { filesIn } from './local-files.ts'
import { openFleet } from './open-fleet.ts'

const io = ioOf(process)
const interruption = new AbortController()

const runProgram: RunProgram = ([program, ...args], signal) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' })
    const stop = (): void => void child.kill('SIGINT')
    signal.addEventListener('abort', stop)
    child.on('error', (error) => ('code' in error && error.code === 'ENOENT' ? resolve(undefined) : reject(error)))
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop)
      if (signal.aborted) reject(signal.reason)
      else resolve(code ?? 1)
    })
  })

async function processMachines(folders: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const id = (await readFile(join(folder, 'machine-id'), 'utf8').catch(() => '')).trim()
      return id === '' ? [] : [[id, folder] as const]
    }),
  )
  return new Map(found.flat())
}

async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline')
  // Not a terminal to readline: it would take Ctrl-C for itself.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  try {
    io.stderr.write(question)
    return await new Promise((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('close', () => resolve(''))
      interruption.signal.addEventListener('abort', () => reject(interruption.signal.reason))
    })
  } finally {
    lines.close()
  }
}

// The first signal ends waits and requests; a second one ends the program where it stands.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort())

const surroundings = (settings: FlagValues): Context => ({
  io,
  settings,
  clock: systemClock,
  files: filesIn(process.cwd()),
  host: {
    machineId: async () => (await readFile('/etc/machine-id', 'utf8').catch(() => undefined))?.trim(),
    homeFolder: homedir(),
    processMachines,
    async *readProcessLog(query) {
      const { readProcessJournal } = await import('@cluster/systemd')
      yield* readProcessJournal(query)
    },
  },
  runProgram,
  ask,
  signal: interruption.signal,
  openFleet: (flags) => openFleet({ io, clock: systemClock }, flags),
})

// No top-level await: the program is bundled as CommonJS. The exit code is set, not forced, so that output is flushed.
void runCommandLine(fleetctl, process.argv.slice(2), io, surroundings).then((exitCode) => {
  process.exitCode = exitCode
})
