/** Runs kvctl in this process and gives what came of it. */
import { memoryIo } from '@cluster/cli'
import { systemClock } from '@cluster/daemon/system'
import { seededRandom } from '@cluster/prelude'
import type { ProgramName, Started, Surroundings } from '../src/command.ts'
import { runKvctl } from '../src/kvctl.ts'

export type Ran = { readonly exit: number; readonly stdout: string; readonly stderr: string }

export type RunOptions = {
  readonly program?: ProgramName
  /** Where the store is: `ETCDCTL_ENDPOINTS`. */
  readonly url?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** What is typed when a password is asked for. */
  readonly password?: string
  readonly signal?: AbortSignal
  readonly start?: (argv: readonly string[], env: Readonly<Record<string, string>>) => Promise<Started>
  readonly resolveService?: Surroundings['resolveService']
}

/** Runs it with these words; as etcdctl unless asked otherwise. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { program = 'etcdctl', url, env = {}, stdin = '', password } = options
  const io = memoryIo({ stdin, env: { ...(url === undefined ? {} : { ETCDCTL_ENDPOINTS: url }), ...env } })
  const exit = await runKvctl(argv, {
    program,
    io,
    clock: systemClock,
    random: seededRandom(1),
    signal: options.signal ?? new AbortController().signal,
    readPassword: async (prompt) => {
      io.stdout.write(`${prompt}\n`)
      if (password === undefined) throw new Error('nobody expected a question')
      return password
    },
    start: options.start ?? (async () => ({ kind: 'failed', reason: 'nobody expected a program' })),
    resolveService: options.resolveService ?? (async () => []),
  })
  return { exit, ...io.written }
}
