/**
 * Which processes are there, and which belong to a unit? Read from /proc (proc(5)). Without control groups a process is
 * recognised as a unit's by its session, by its parent, or by the INVOCATION_ID in its environment.
 */
import { readdirSync, readFileSync } from 'node:fs'

export type ProcessEntry = {
  readonly pid: number
  readonly parentPid: number
  readonly session: number
  /** Clock ticks after the boot; together with the PID the identity of a process. */
  readonly startTicks: number
  readonly command: string
}

/** A process that is not just waiting to be reaped; undefined when there is none. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  // the name stands in parentheses and may hold anything, parentheses too
  const end = stat.lastIndexOf(')')
  const fields = stat.slice(end + 2).split(' ')
  const [state, parent, , session] = fields
  if (end === -1 || state === undefined || state === 'Z' || state === 'X') return undefined
  return {
    pid,
    parentPid: Number(parent),
    session: Number(session),
    startTicks: Number(fields[19]),
    command: stat.slice(stat.indexOf('(') + 1, end),
  }
}

/** Whether this very process lives, not another that got its PID. */
export const isAlive = ({ pid, startTicks }: ProcessIdentity): boolean => readProcess(pid)?.startTicks === startTicks

export type ProcessIdentity = Pick<ProcessEntry, 'pid' | 'startTicks'>

/** Every process of the machine. */
export function listProcesses(): readonly ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((entry) => entry !== undefined)
}

/** How the processes of a unit are told from others. */
export type Belonging = {
  /** Processes that were started for it, each the leader of its own session. */
  readonly leaders: readonly ProcessIdentity[]
  readonly invocationId: string | undefined
}

/**
 * The processes of a unit, out of those given.
 *
 * A process that left its session, lost its parent and cleared its environment is not found.
 */
export function membersOf(
  processes: readonly ProcessEntry[],
  { leaders, invocationId }: Belonging,
  invocationOf: (pid: number) => string | undefined = readInvocationId,
): readonly ProcessEntry[] {
  const byPid = new Map(processes.map((entry) => [entry.pid, entry]))
  // a leader's number stays taken while its session lives; with another start time it belongs to somebody else
  const sessions = new Set(
    leaders
      .filter(({ pid, startTicks }) => (byPid.get(pid)?.startTicks ?? startTicks) === startTicks)
      .map(({ pid }) => pid),
  )
  const members = new Map<number, ProcessEntry>()
  for (const entry of processes) {
    const isMember =
      sessions.has(entry.session) || (invocationId !== undefined && invocationOf(entry.pid) === invocationId)
    if (isMember) members.set(entry.pid, entry)
  }
  for (let found = true; found; ) {
    found = false
    for (const entry of processes) {
      if (members.has(entry.pid) || !members.has(entry.parentPid)) continue
      members.set(entry.pid, entry)
      found = true
    }
  }
  return [...members.values()]
}

function readInvocationId(pid: number): string | undefined {
  return /(?:^|\0)INVOCATION_ID=([0-9a-f]{32})\0/.exec(readText(`/proc/${pid}/environ`))?.[1]
}

/** Of a process that went away, or that is another user's, nothing. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
