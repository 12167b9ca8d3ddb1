import { assert, ClusterError, silentLogger } from '@cluster/prelude'
import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../test/virtual-clock.ts'
import { DaemonError } from './errors.ts'
import type { ProcessHost } from './process-host.ts'
import { type DaemonContext, runDaemon } from './run.ts'

function processOf(main: (context: DaemonContext) => Promise<void>, shutdownTimeoutMs = 1000) {
  const printed: string[] = []
  const ends: string[] = []
  const clock = createVirtualClock()
  let handlers: Parameters<ProcessHost['listen']>[0] | undefined
  const host: ProcessHost = {
    listen: (given) => {
      handlers = given
    },
    printError: (text) => void printed.push(text),
    exit: (code) => void ends.push(`exit ${code}`),
    finish: (code) => void ends.push(`finish ${code}`),
  }
  const done = runDaemon({ name: 'fleetd', main, log: silentLogger, shutdownTimeoutMs, clock, host })
  const signal = (): Parameters<ProcessHost['listen']>[0] => {
    assert(handlers !== undefined, 'the daemon listens to signals')
    return handlers
  }
  return { done, printed, ends, clock, signal }
}

const untilStopped = ({ signal }: DaemonContext): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

describe('runDaemon', () => {
  it('ends well when main returns', async () => {
    const { done, ends } = processOf(async () => undefined)
    await done
    expect(ends).toEqual(['finish 0'])
  })

  it('turns SIGTERM into the signal and ends well', async () => {
    const { done, ends, signal } = processOf(untilStopped)
    signal().terminate('SIGTERM')
    await done
    expect(ends).toEqual(['finish 0'])
  })

  it('closes in reverse, also after a failure, and counts failures to close', async () => {
    const closed: string[] = []
    const { done, ends, printed } = processOf(async ({ onClose }) => {
      onClose('store', () => void closed.push('store'))
      onClose('systemd', async () => {
        closed.push('systemd')
        throw new Error('not now')
      })
      throw new ClusterError('x/y', 'it broke', { hint: 'mend it', cause: new Error('because') })
    })
    await done
    expect(closed).toEqual(['systemd', 'store'])
    expect(printed).toEqual(['fleetd: it broke\n', 'fleetd: because\n', 'fleetd: mend it\n'])
    expect(ends).toEqual(['finish 1'])
  })

  it('ends with 2 after wrong usage', async () => {
    const { done, ends } = processOf(async () => {
      throw new DaemonError('daemon/usage', 'there is no flag --x')
    })
    await done
    expect(ends).toEqual(['finish 2'])
  })

  it('takes an error that only says "stopped" as a good end', async () => {
    const { done, ends, signal } = processOf(async (context) => {
      await untilStopped(context)
      context.signal.throwIfAborted()
    })
    signal().terminate('SIGINT')
    await done
    expect(ends).toEqual(['finish 0'])
  })

  it('ends hard at the second signal', async () => {
    const { ends, signal } = processOf(() => new Promise(() => undefined))
    signal().terminate('SIGTERM')
    signal().terminate('SIGTERM')
    expect(ends).toEqual(['exit 130'])
  })

  it('takes no notice of signals once all is closed', async () => {
    const { done, ends, signal } = processOf(untilStopped)
    signal().terminate('SIGTERM')
    await done
    signal().terminate('SIGTERM')
    expect(ends).toEqual(['finish 0'])
  })

  it('ends hard at the deadline, and says so', async () => {
    const { ends, printed, clock, signal } = processOf(() => new Promise(() => undefined), 500)
    signal().terminate('SIGTERM')
    await clock.pass(499)
    expect(ends).toEqual([])
    await clock.pass(1)
    expect(ends).toEqual(['exit 1'])
    expect(printed[0]).toBe('fleetd: not stopped 500 ms after SIGTERM\n')
  })

  it('reloads one at a time, and a failed reload changes nothing', async () => {
    const reloaded: string[] = []
    const { done, ends, signal } = processOf(async (context) => {
      context.onReload(() => {
        throw new Error('bad file')
      })
      context.onReload(async () => void reloaded.push('second'))
      await untilStopped(context)
    })
    signal().reload()
    signal().reload()
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(reloaded).toEqual(['second', 'second'])
    signal().terminate('SIGTERM')
    await done
    expect(ends).toEqual(['finish 0'])
  })

  it('prints an error that nobody caught, and ends', () => {
    const { ends, printed, signal } = processOf(untilStopped)
    signal().uncaught(new Error('surprise'))
    expect(ends).toEqual(['exit 1'])
    expect(printed[0]).toBe('fleetd: surprise\n')
  })
})
