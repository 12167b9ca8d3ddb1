import { expect, it } from 'vitest'
import { until } from './until.ts'

it('gives the value as soon as it is the one waited for', async () => {
  let looks = 0
  const look = (): number => {
    looks += 1
    if (looks === 1) throw new Error('not even there')
    return looks
  }
  await expect(until(look, { what: 'three', timeoutMs: 60_000, everyMs: 0, is: (n) => n === 3 })).resolves.toBe(3)
})

it('tells at the end what was seen last', async () => {
  const waiting = until(() => 'inactive', {
    what: 'a.service active',
    timeoutMs: 0,
    everyMs: 0,
    is: (s) => s === 'active',
  })
  await expect(waiting).rejects.toMatchObject({
    code: 'lab/timeout',
    message: expect.stringMatching(/a\.service active.*last seen: inactive/),
  })
})

it('ends with the signal', async () => {
  const waiting = until(() => 1, { what: 'two', timeoutMs: 60_000, is: (n) => n === 2, signal: AbortSignal.abort() })
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
})
