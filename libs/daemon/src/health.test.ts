import { expect, it } from 'vitest'
import { createVirtualClock } from '../test/virtual-clock.ts'
import { createHealth } from './health.ts'

it('is well without checks, and while all pass', async () => {
  const health = createHealth({ clock: createVirtualClock() })
  expect(await health.report()).toEqual({ status: 200, body: { status: 'ok', checks: {} } })
  health.add('store', () => undefined)
  expect(await health.report()).toEqual({ status: 200, body: { status: 'ok', checks: { store: { ok: true } } } })
})

it('names what fails, and forgets it when it is taken away', async () => {
  const health = createHealth({ clock: createVirtualClock() })
  health.add('store', () => undefined)
  const remove = health.add('systemd', async () => {
    throw new Error('no bus', { cause: new Error('ENOENT') })
  })
  expect(await health.report()).toEqual({
    status: 503,
    body: { status: 'failing', checks: { store: { ok: true }, systemd: { ok: false, problem: 'no bus: ENOENT' } } },
  })
  remove()
  expect((await health.report()).status).toBe(200)
})

it('does not wait for ever', async () => {
  const clock = createVirtualClock()
  const health = createHealth({ clock, timeoutMs: 500 })
  health.add('stuck', () => new Promise(() => undefined))
  const report = health.report()
  await clock.pass(500)
  expect((await report).body.checks['stuck']).toEqual({ ok: false, problem: 'no answer within 500 ms' })
})
