/** A program that runs until it is stopped, its output in a file. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'

export type RunningProgram = {
  readonly pid: number | undefined
  /** Sends the signal and waits for the end; SIGKILL follows after ten seconds. Gives the exit code, or the signal. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | string>
  readonly signal: (signal: NodeJS.Signals) => void
  /** How it ended, once it has. */
  readonly ended: Promise<number | string>
  readonly hasEnded: () => boolean
  /** Everything that it has written so far, this time and before. */
  readonly log: () => string
}

/** Starts it with its output appended to a file. */
export function startProgram(
  [file, args]: readonly [file: string, args: readonly string[]],
  logFile: string,
  env: NodeJS.ProcessEnv = process.env,
): RunningProgram {
  const output = openSync(logFile, 'a')
  // Were we killed, it is not to go on without us.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', file, ...args], { stdio: ['ignore', output, output], env })
  closeSync(output)
  let hasEnded = false
  const ended = new Promise<number | string>((resolve) => {
    const end = (how: number | string): void => {
      hasEnded = true
      resolve(how)
    }
    child.once('error', (error) => end(error.message))
    child.once('close', (code, signal) => end(code ?? signal ?? 'unknown'))
  })
  return {
    pid: child.pid,
    ended,
    hasEnded: () => hasEnded,
    signal: (signal) => void child.kill(signal),
    stop: async (signal = 'SIGTERM') => {
      if (!hasEnded) {
        child.kill(signal)
        const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
        await ended
        clearTimeout(late)
      }
      return ended
    },
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
  }
}
