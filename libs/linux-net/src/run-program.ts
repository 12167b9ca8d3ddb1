/** One short-lived program: its input, its output, a limit of time. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import type { Clock } from '@cluster/prelude'
import { LinuxNetError, programMissing } from './errors.ts'

/** How to start programs here. */
export type ProgramHost = {
  /** Words in front of every command, such as `ip netns exec NAME`; default none. */
  readonly prefix?: readonly string[]
  readonly clock: Clock
  /** How long a program may take, in milliseconds; default 10,000. */
  readonly timeoutMs?: number
}

/** What a program that has ended left. */
export type ProgramOutcome = { readonly status: number; readonly stdout: string; readonly stderr: string }

/** Limit of time where none is said. */
export const timeoutMsDefault = 10_000

/** Names of programs in the folders of administrators too, which are not in every PATH; messages in English. */
const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  LC_ALL: 'C',
  PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`,
})

/** Starts a program with pipes on all three streams. The caller listens for `error`. */
export function startProgram(words: readonly string[], { prefix = [] }: ProgramHost): ChildProcessWithoutNullStreams {
  const [program = '', ...args] = [...prefix, ...words]
  return spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: environment() })
}

/**
 * Runs a program to its end.
 *
 * @returns also when it failed: look at `status` (-1 after a signal)
 * @throws LinuxNetError `linux-net/program-missing`, `linux-net/timeout`; the reason of the signal when that fires
 */
export async function runProgram(
  words: readonly string[],
  host: ProgramHost,
  { input = '', signal }: { readonly input?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<ProgramOutcome> {
  signal?.throwIfAborted()
  const child = startProgram(words, host)
  const ended = new AbortController()
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)]
  // a program that ends without reading its input says why on stderr
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const end = new Promise<number>((resolve, reject) => {
    child.once('error', (error) => reject(isMissing(error) ? programMissing(words[0] ?? '', error) : error))
    child.once('close', (code) => resolve(code ?? -1))
  })
  const stop = (): void => void child.kill('SIGKILL')
  signal?.addEventListener('abort', stop)
  const timeoutMs = host.timeoutMs ?? timeoutMsDefault
  let late = false
  void host.clock.sleep(timeoutMs, ended.signal).then(() => {
    if (ended.signal.aborted) return
    late = true
    stop()
  })
  try {
    const status = await end
    signal?.throwIfAborted()
    if (late) throw tooLate(words.join(' '), timeoutMs)
    const outcome = { status, stdout: stdout(), stderr: stderr() }
    if (status !== 0 && /^exec of ".*" failed: No such file/m.test(outcome.stderr)) throw programMissing(words[0] ?? '')
    return outcome
  } finally {
    ended.abort()
    signal?.removeEventListener('abort', stop)
  }
}

/** The error for a program that does not answer. */
export const tooLate = (what: string, timeoutMs: number): LinuxNetError =>
  new LinuxNetError('linux-net/timeout', `${what} did not end within ${timeoutMs} ms`, {
    hint: 'the machine is overloaded, or another program holds the lock of the kernel’s network tables',
  })

/** Whether a program could not be started because it is not there, or may not be run by us. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')

function textOf(stream: NodeJS.ReadableStream): () => string {
  const chunks: string[] = []
  stream.setEncoding('utf8')
  stream.on('data', (chunk) => chunks.push(String(chunk)))
  return () => chunks.join('')
}
