import { createManualClock } from '@cluster/kv'
import { seededRandom } from '@cluster/prelude'
import { describe, expect, it } from 'vitest'
import { createEndpoints } from './endpoints.ts'

const [a, b, c] = ['http://a:1', 'http://b:1', 'http://c:1'] as const

function start(first = 0) {
  const clock = createManualClock()
  const random = { next: () => first }
  return { clock, endpoints: createEndpoints([a, b, c], clock, random) }
}

describe('endpoints', () => {
  it('start at a random one', () => {
    expect(start(0).endpoints.inOrder()).toEqual([a, b, c])
    expect(start(0.5).endpoints.inOrder()).toEqual([b, c, a])
  })

  it('stay with the one that answered', () => {
    const { endpoints } = start()
    endpoints.succeeded(c)
    expect(endpoints.inOrder()).toEqual([c, a, b])
  })

  it('leave one that failed until it has rested, and longer each time', async () => {
    const { clock, endpoints } = start(0)
    endpoints.failed(a)
    expect(endpoints.inOrder()).toEqual([b, c, a])
    await clock.advance(100)
    expect(endpoints.inOrder()).toEqual([a, b, c])
    endpoints.failed(a)
    await clock.advance(100)
    expect(endpoints.inOrder()).toEqual([b, c, a])
    await clock.advance(100)
    expect(endpoints.inOrder()).toEqual([a, b, c])
    for (let count = 0; count < 50; count++) endpoints.failed(a)
    await clock.advance(10_000)
    expect(endpoints.inOrder()).toEqual([a, b, c])
  })

  it('name all, even when all failed: the one that has rested longest first', async () => {
    const { clock, endpoints } = start()
    for (const endpoint of [b, a, c]) {
      endpoints.failed(endpoint)
      await clock.advance(10)
    }
    expect(endpoints.inOrder()).toEqual([b, a, c])
  })

  it.each([
    ['http://10.0.0.1:2379/', 'http://10.0.0.1:2379'],
    ['HTTPS://Host:2379', 'https://host:2379'],
    ['http://[::1]:2379', 'http://[::1]:2379'],
  ])('%s is %s', (input, origin) => {
    expect(createEndpoints([input, input], createManualClock(), seededRandom(1)).all).toEqual([origin])
  })

  it.each([
    ['localhost:2379'],
    ['10.0.0.1'],
    ['unix:///a'],
    ['http://a/v2'],
    ['http://a?x'],
    ['http://user:secret@a'],
    [''],
  ])('%j is none', (input) => {
    const make = () => createEndpoints([input], createManualClock(), seededRandom(1))
    expect(make).toThrowError(expect.objectContaining({ code: 'kv-client/invalid-endpoint' }))
    expect(make).toThrowError(expect.objectContaining({ message: expect.not.stringContaining('secret') }))
  })

  it('are needed', () => {
    expect(() => createEndpoints([], createManualClock(), seededRandom(1))).toThrowError(
      expect.objectContaining({ code: 'kv-client/invalid-endpoint' }),
    )
  })
})
