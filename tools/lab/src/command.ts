/**
 * Programs of the host, run to their end. Output is bounded, so that a chatty program cannot eat the memory.
 */
import { spawn } from 'node:child_process'
import { LabError } from './errors.ts'

const outputBytesMax = 16 * 1024 * 1024

export type CommandResult = {
  /** The exit code; 128 plus the signal's number when a signal ended it, as a shell says it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export type CommandOptions = {
  readonly input?: string | undefined
  /** SIGKILL after this long; the result then has code 137. */
  readonly timeoutMs?: number | undefined
  /** Ends the program with all that it started, and rejects when they have ended. */
  readonly signal?: AbortSignal | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly cwd?: string | undefined
  /** Called with each complete line of stdout and stderr as it comes. */
  readonly onLine?: ((line: string) => void) | undefined
}

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

/**
 * Runs a program and gives what it said, whatever its exit code.
 *
 * @throws LabError `lab/command-failed` when the program cannot be started
 */
export function runCommand(
  file: string,
  args: readonly string[],
  { input, timeoutMs, signal: abort, env, cwd, onLine }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    // A group of its own, where it may have to be ended: a shell would go on waiting for the program it runs.
    const detached = abort !== undefined
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: env ?? process.env, cwd, detached })
    const stdout = collect(child.stdout, onLine)
    const stderr = collect(child.stderr, onLine)
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    const interrupt = (): void => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
    }
    abort?.addEventListener('abort', interrupt, { once: true })
    child.on('error', (cause) => {
      clearTimeout(timer)
      abort?.removeEventListener('abort', interrupt)
      reject(
        new LabError('lab/command-failed', `${file} could not be started`, {
          hint: `install the package that has ${file}, or look at PATH`,
          cause,
        }),
      )
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      abort?.removeEventListener('abort', interrupt)
      if (abort?.aborted === true) {
        reject(abort.reason)
        return
      }
      resolve({ code: code ?? 128 + (signalNumbers[signal ?? ''] ?? 0), stdout: stdout(), stderr: stderr() })
    })
    // A program may end without reading its input; that is its business.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input ?? '')
  })
}

/**
 * Runs a program that must succeed and gives its stdout.
 *
 * @throws LabError `lab/command-failed` with what the program said
 */
export async function runOrThrow(file: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await runCommand(file, args, options)
  if (result.code !== 0) {
    const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-5).join('\n')
    throw new LabError(
      'lab/command-failed',
      `${[file, ...args].join(' ')} ended with code ${result.code}${said === '' ? '' : `: ${said}`}`,
    )
  }
  return result.stdout
}

function collect(stream: NodeJS.ReadableStream, onLine: CommandOptions['onLine']): () => string {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  let rest = ''
  stream.on('data', (chunk: Buffer) => {
    if (sizeBytes < outputBytesMax) chunks.push(chunk)
    sizeBytes += chunk.length
    if (onLine === undefined) return
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  stream.on('end', () => {
    if (rest !== '') onLine?.(rest)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}
