import { silentLogger } from '@cluster/prelude'
import { expect, it } from 'vitest'
import { createVirtualClock } from '../test/virtual-clock.ts'
import { createNotifier } from './notify.ts'

function notifier(environment: Readonly<Record<string, string>>, fails = false) {
  const sent: string[][] = []
  const warnings: string[] = []
  const clock = createVirtualClock()
  const notify = createNotifier({
    environment,
    pid: 42,
    clock,
    log: { ...silentLogger, warn: (message) => void warnings.push(message) },
    send: async (assignments) => {
      sent.push([...assignments])
      if (fails) throw new Error('not installed')
    },
  })
  return { notify, sent, warnings, clock }
}

it('says nothing when nobody listens', async () => {
  const { notify, sent } = notifier({})
  await notify.ready('up')
  await notify.keepAlive(new AbortController().signal)
  expect(sent).toEqual([])
})

it('says ready, status and stopping, one line each', async () => {
  const { notify, sent } = notifier({ NOTIFY_SOCKET: '/run/notify' })
  await notify.ready('3 units\nREADY=0')
  await notify.status('4 units')
  await notify.stopping()
  expect(sent).toEqual([['READY=1', 'STATUS=3 units READY=0'], ['STATUS=4 units'], ['STOPPING=1']])
})

it('is alive at half of the watchdog time, until told to stop', async () => {
  const { notify, sent, clock } = notifier({ NOTIFY_SOCKET: '@abstract', WATCHDOG_USEC: '4000000', WATCHDOG_PID: '42' })
  const stop = new AbortController()
  const alive = notify.keepAlive(stop.signal)
  await clock.pass(0)
  await clock.pass(1999)
  expect(sent).toHaveLength(1)
  await clock.pass(1)
  expect(sent).toHaveLength(2)
  stop.abort()
  await alive
})

it('leaves a watchdog for another process alone', async () => {
  const { notify, sent } = notifier({ NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '4000000', WATCHDOG_PID: '7' })
  await notify.keepAlive(new AbortController().signal)
  expect(sent).toEqual([])
})

it('warns once when systemd cannot be told, and goes on', async () => {
  const { notify, warnings } = notifier({ NOTIFY_SOCKET: '/run/notify' }, true)
  await notify.ready()
  await notify.stopping()
  expect(warnings).toHaveLength(1)
})
