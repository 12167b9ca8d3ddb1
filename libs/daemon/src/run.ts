/**
 * The life of a daemon: signals become an AbortSignal, what was opened is closed in reverse, and nothing holds the end
 * up for longer than a deadline. The only code that knows signals and exit codes.
 */
import { type Clock, describeError, InvariantError, isClusterError, type Logger } from '@cluster/prelude'
import { DaemonError } from './errors.ts'
import { withoutCredentials } from './printable.ts'
import { nodeHost, type ProcessHost } from './process-host.ts'
import { systemClock } from './system-clock.ts'

export type DaemonContext = {
  /** Fires at SIGTERM and SIGINT: finish what must be finished, and return. */
  readonly signal: AbortSignal
  /** Closes this when the daemon ends; what was opened last is closed first. */
  readonly onClose: (what: string, close: () => Promise<void> | void) => void
  /** Called at SIGHUP, one at a time; an error is logged and changes nothing. */
  readonly onReload: (reload: () => Promise<void> | void) => void
}

export type DaemonOptions = {
  readonly name: string
  /** The daemon. Returning ends it well, throwing ends it with a message and a code. */
  readonly main: (context: DaemonContext) => Promise<void>
  readonly log: Logger
  /** From the signal to the hard end. Default 30 s: well before systemd's own patience of 90 s ends. */
  readonly shutdownTimeoutMs?: number
  readonly clock?: Clock
  /** The process; given only by tests. */
  readonly host?: ProcessHost
}

/** 0 done, 1 failed, 2 wrong usage, 130 interrupted a second time. */
export function exitCodeOf(error: unknown): number {
  return isClusterError(error, 'daemon/usage') ? 2 : 1
}

/** Runs `main` to its end and sets the exit code of the process. Never rejects. */
export async function runDaemon({
  name,
  main,
  log,
  shutdownTimeoutMs = 30_000,
  clock = systemClock,
  host = nodeHost,
}: DaemonOptions): Promise<void> {
  const stop = new AbortController()
  const ended = new AbortController()
  const closers: { what: string; close: () => Promise<void> | void }[] = []
  const reloads: (() => Promise<void> | void)[] = []
  let reloading: Promise<void> = Promise.resolve()

  const end = (reason: string): void => {
    if (stop.signal.aborted) return
    log.info('stopping', { reason })
    stop.abort()
    void clock.sleep(shutdownTimeoutMs, ended.signal).then(() => {
      if (ended.signal.aborted) return
      const late = new DaemonError('daemon/shutdown-timeout', `not stopped ${shutdownTimeoutMs} ms after ${reason}`, {
        hint: 'the process is ended hard; the last lines of the log say what it was waiting for',
      })
      report(late)
      host.exit(1)
    })
  }

  const print = (text: string): void => host.printError(`${withoutCredentials(text)}\n`)
  const report = (error: unknown): void => {
    for (const line of describeError(error).flatMap((one) => one.split('\n'))) print(`${name}: ${line}`)
    // a bug of ours: where it happened is all that helps
    if (!isClusterError(error) && error instanceof Error && error.stack !== undefined) print(error.stack)
  }

  const onSignal = (signalName: string): void => {
    // all is closed and the process is on its way out: late impatience must not turn that into a failure
    if (ended.signal.aborted) return
    if (stop.signal.aborted) {
      print(`${name}: ${signalName} again: ended at once`)
      host.exit(130)
    } else end(signalName)
  }
  const reload = async (): Promise<void> => {
    for (const one of reloads) {
      try {
        await one()
      } catch (error) {
        log.error('reload failed; everything stays as it was', { error })
      }
    }
  }
  host.listen({
    terminate: onSignal,
    reload: () => {
      reloading = reloading.then(reload)
    },
    // state is unknown from here on: say it and end, the init system starts us again
    uncaught: (error) => {
      report(error)
      host.exit(1)
    },
  })

  let code = 0
  try {
    await main({
      signal: stop.signal,
      onClose: (what, close) => void closers.push({ what, close }),
      onReload: (one) => void reloads.push(one),
    })
  } catch (error) {
    if (error instanceof InvariantError || !isAbortBy(error, stop.signal)) {
      report(error)
      code = exitCodeOf(error)
    }
  }
  end('the end of main')
  for (const { what, close } of closers.reverse()) {
    try {
      await close()
    } catch (error) {
      log.error('closing failed', { what, error })
      code = code === 0 ? 1 : code
    }
  }
  ended.abort()
  host.finish(code)
}

/** Whether an error only says that we were asked to stop. */
const isAbortBy = (error: unknown, signal: AbortSignal): boolean =>
  signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'))
