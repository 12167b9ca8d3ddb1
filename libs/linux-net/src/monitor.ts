/** A long-lived `ip monitor`: one line for each change of the machine's network. Starts again when it ends. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { programMissing } from './errors.ts'
import { isMissing, type ProgramHost, startProgram } from './run-program.ts'

/** Who hears of lines, and of the moments after which lines may be missing. */
export type MonitorListener = {
  readonly onLine: (line: string) => void
  /** Lines may have been missed: the monitor has started, started anew, or the kernel's queue was full. */
  readonly onGap: (why: string) => void
  /** No lines come: the program cannot be started. It is tried again. */
  readonly onError: (error: unknown) => void
}

/** Pause before a monitor that ended is started again, in milliseconds. */
const restartMs = 1000

/** Starts the monitor; it runs until it is disposed of. */
export function startMonitor(host: ProgramHost, listener: MonitorListener): AsyncDisposable {
  const stopped = new AbortController()
  let child: ChildProcessWithoutNullStreams | undefined

  /** One life of the program. */
  const watch = async (): Promise<void> => {
    const one = startProgram(['ip', '-N', '-o', 'monitor', 'link', 'address', 'route', 'neigh'], host)
    child = one
    let partial = ''
    one.stdin.on('error', () => undefined)
    one.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (partial + chunk).split('\n')
      partial = lines.pop() ?? ''
      for (const line of lines) if (line !== '') listener.onLine(line)
    })
    // "netlink receive error No buffer space available": changes came faster than they were read
    one.stderr.setEncoding('utf8').on('data', (chunk: string) => listener.onGap(chunk.trim()))
    await new Promise<void>((resolve, reject) => {
      one.once('spawn', () => listener.onGap('the watch on the kernel starts'))
      one.once('error', (error) => reject(isMissing(error) ? programMissing('ip', error) : error))
      one.once('close', () => resolve())
    })
  }

  const done = (async () => {
    while (!stopped.signal.aborted) {
      // Not for ever: a machine without memory or process numbers has some again later, an upgrade ends.
      await watch().catch(listener.onError)
      if (!stopped.signal.aborted) await host.clock.sleep(restartMs, stopped.signal)
    }
  })()

  return {
    [Symbol.asyncDispose]: async () => {
      stopped.abort()
      child?.kill('SIGTERM')
      await done
    },
  }
}
