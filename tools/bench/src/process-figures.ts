/** What the kernel says a process has used, from /proc. */
import { readFileSync } from 'node:fs'

export type ProcessFigures = {
  /** User and system time of all threads. */
  readonly cpuSeconds: number
  /** The same of the main thread alone. */
  readonly mainThreadSeconds: number
  readonly rssBytes: number
}

/** Linux counts in hundredths on every machine that Node runs on. */
const ticksPerSecond = 100

export function processFigures(pid: number): ProcessFigures {
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return {
    cpuSeconds: cpuSeconds(`/proc/${pid}/stat`),
    mainThreadSeconds: cpuSeconds(`/proc/${pid}/task/${pid}/stat`),
    rssBytes: Number(rss ?? 0) * 1024,
  }
}

function cpuSeconds(file: string): number {
  // The name in parentheses may hold anything; the fields after it are numbers.
  const text = readFileSync(file, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
