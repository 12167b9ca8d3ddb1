/** kvctl, and etcdctl when it is called by that name: the real surroundings, signals, the exit code. */
import { basename } from 'node:path'
import { ioOf } from '@cluster/cli'
import { systemClock, systemRandom } from '@cluster/daemon/system'
import type { ProgramName } from './command.ts'
import { runKvctl } from './kvctl.ts'

// Standard input is opened by the commands that read it: opening it costs every other one a few milliseconds.
const stdin = { [Symbol.asyncIterator]: () => process.stdin[Symbol.asyncIterator]() }
const io = ioOf({ stdin, stdout: process.stdout, stderr: process.stderr, env: process.env })
const interruption = new AbortController()
const calledAs = basename(process.argv[1] ?? '').replace(/\.[cm]?js$/, '')
const program: ProgramName = calledAs === 'etcdctl' ? 'etcdctl' : 'kvctl'

// The first interrupt ends waits and requests; a second one ends the program where it stands.
process.once('SIGINT', () => interruption.abort())

// No top-level await: the program is bundled as CommonJS. The exit code is set, not forced, so that output is flushed.
void runKvctl(process.argv.slice(2), {
  program,
  io,
  signal: interruption.signal,
  clock: systemClock,
  random: systemRandom,
  readPassword: async (prompt) => {
    const { readPassword } = await import('./surroundings.ts')
    return await readPassword(io, process.stdin.isTTY ? process.stdin : undefined, prompt)
  },
  start: async (argv, env) => (await import('./surroundings.ts')).startProgram(argv, env),
  resolveService: async (name) => (await import('./surroundings.ts')).resolveService(name),
}).then((exitCode) => {
  process.exitCode = exitCode
})
