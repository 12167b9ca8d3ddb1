/**
 * The processes of a demonstration, known by a variable that each of them inherits: whoever started them, and whoever
 * their parent is by now. Read from /proc; a process that clears its environment is not found.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { LabError } from './errors.ts'

/** A variable and its value. */
export type Mark = readonly [name: string, value: string]

/** The living processes that have the mark, this one left out. */
export function markedProcesses([name, value]: Mark): readonly number[] {
  const wanted = `${name}=${value}`
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map(Number)
    .filter((pid) => environmentOf(pid).split('\0').includes(wanted))
}

/**
 * Ends every process with the mark at once, as a power cut does: SIGKILL, by its PID, again until none is left, because
 * one may start another meanwhile.
 *
 * @throws LabError `lab/timeout` when some are still there after 10 s
 */
export async function killMarked(mark: Mark, timeoutMs = 10_000): Promise<void> {
  const startMs = performance.now()
  for (;;) {
    const left = markedProcesses(mark)
    if (left.length === 0) return
    if (performance.now() - startMs > timeoutMs) {
      throw new LabError('lab/timeout', `processes ${left.join(', ')} do not end`, {
        hint: 'they may wait for a disk that does not answer; end them by hand when it does',
      })
    }
    for (const pid of left) kill(pid)
    await delay(10)
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Of a process that went away, of a zombie, and of another user's, nothing. */
function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}
