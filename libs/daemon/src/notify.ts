/**
 * Tells systemd how the daemon is: ready, stopping, status, alive (sd_notify(3)).
 *
 * Node cannot send datagrams to a unix socket, so each word is sent by the program `systemd-notify`, started as our own
 * child. As root it speaks in our name, and any NotifyAccess= works; as another user the unit needs NotifyAccess=all
 * (or exec), since the message then comes from a helper process. Abstract sockets are fine.
 */
import { spawn } from 'node:child_process'
import type { Clock, Logger } from '@cluster/prelude'

export type Notifier = {
  /** Everything that must be there is there; units ordered after this one may start. */
  readonly ready: (status?: string) => Promise<void>
  /** One line for `systemctl status`. */
  readonly status: (status: string) => Promise<void>
  readonly stopping: () => Promise<void>
  /** Says "alive" at half of WatchdogSec=, until the signal fires; returns at once when systemd asked for none. */
  readonly keepAlive: (signal: AbortSignal) => Promise<void>
}

export type NotifierOptions = {
  /** Where NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Our process ID: a watchdog meant for another process is not ours. */
  readonly pid: number
  readonly clock: Clock
  readonly log: Logger
  /** Runs `systemd-notify` with these arguments; the default starts the program. */
  readonly send?: (assignments: readonly string[]) => Promise<void>
}

/** Without NOTIFY_SOCKET nothing is sent. A message that cannot be sent is a warning, once: the daemon goes on. */
export function createNotifier({ environment, pid, clock, log, send = systemdNotify }: NotifierOptions): Notifier {
  const isAsked = (environment['NOTIFY_SOCKET'] ?? '') !== ''
  const watchdogMs = isAsked ? watchdogOf(environment, pid) : undefined
  let hasWarned = false

  async function say(...assignments: readonly string[]): Promise<void> {
    if (!isAsked) return
    try {
      await send(assignments)
    } catch (error) {
      if (hasWarned) return
      hasWarned = true
      log.warn('systemd cannot be told how we are', { error })
    }
  }

  return {
    ready: (status) => say('READY=1', ...(status === undefined ? [] : [statusOf(status)])),
    status: (status) => say(statusOf(status)),
    stopping: () => say('STOPPING=1'),
    keepAlive: async (signal) => {
      if (watchdogMs === undefined) return
      while (!signal.aborted) {
        await say('WATCHDOG=1')
        await clock.sleep(watchdogMs / 2, signal)
      }
    },
  }
}

/** One line: a line end would begin another assignment. */
const statusOf = (status: string): string => `STATUS=${status.replaceAll(/\p{Cc}+/gu, ' ')}`

function watchdogOf(environment: NotifierOptions['environment'], pid: number): number | undefined {
  const microseconds = Number(environment['WATCHDOG_USEC'] ?? Number.NaN)
  const meantFor = environment['WATCHDOG_PID']
  if (!Number.isFinite(microseconds) || microseconds <= 0) return undefined
  return meantFor === undefined || meantFor === String(pid) ? microseconds / 1000 : undefined
}

function systemdNotify(assignments: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('systemd-notify', assignments, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 5000 })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, 1000)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`systemd-notify ended with ${code}: ${complaint.trim()}`))
    })
  })
}
