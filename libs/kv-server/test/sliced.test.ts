/** Directories too large for one turn: sent in slices, as of one index, no faster than they are read. */
import { describe, expect, it } from 'vitest'
import { createTestApi, type TestApi } from './test-api.ts'

/** More than the store renders in one turn. */
const keyCount = 5000

function fill(api: TestApi): void {
  for (let at = 0; at < keyCount; at += 1) {
    const path = `/1/big/${String(at).padStart(6, '0')}`
    const command = {
      kind: 'set',
      path,
      value: 'v',
      isDirectory: false,
      deadlineMs: undefined,
      isRefresh: false,
    } as const
    api.replica.propose(command, () => undefined)
  }
}

const keysOf = (body: string): string[] => JSON.parse(body).node.nodes.map(({ key }: { key: string }) => key)

describe('a large directory', () => {
  it('goes out over several turns, as of the index of its head', () => {
    const api = createTestApi()
    fill(api)
    const reading = api.send('GET /v2/keys/big?sorted=true')
    expect(reading.answer?.headers).toMatchObject({ 'X-Etcd-Index': String(keyCount), 'X-Raft-Term': '2' })
    expect(reading.isEnded).toBe(false)
    api.send('DELETE /v2/keys/big?recursive=true')
    api.settle()
    expect(reading.isEnded).toBe(true)
    const keys = keysOf(reading.answer?.body ?? '')
    expect([keys.length, keys[0], keys.at(-1)]).toEqual([keyCount, '/big/000000', '/big/004999'])
  })

  it('waits for a client that does not read, and cuts it off when it takes too long', () => {
    const api = createTestApi()
    fill(api)
    const [slow, stuck] = [api.send('GET /v2/keys/big'), api.send('GET /v2/keys/big')]
    slow.isStalled = true
    stuck.isStalled = true
    api.settle()
    const written = slow.chunks.length
    api.settle()
    expect([slow.chunks.length, slow.isEnded]).toEqual([written, false])
    slow.drain()
    api.settle()
    expect(keysOf(slow.answer?.body ?? '').length).toBe(keyCount)
    api.fireTimers()
    api.settle()
    expect([stuck.isAborted, stuck.isEnded]).toEqual([true, false])
  })

  it('is given up when its client goes away', () => {
    const api = createTestApi()
    fill(api)
    const reading = api.send('GET /v2/keys/big')
    reading.leave()
    const written = reading.chunks.length
    api.settle()
    expect([reading.chunks.length, reading.isEnded]).toEqual([written, false])
  })

  it('is only begun for HEAD', () => {
    const api = createTestApi()
    fill(api)
    const { answer, isEnded } = api.send('HEAD /v2/keys/big')
    expect([answer?.status, answer?.body, isEnded]).toEqual([200, '', true])
  })
})

describe('a large directory in a quorum read', () => {
  it('goes out over several turns as of its place in the log, and counts once', () => {
    const api = createTestApi()
    const command = { kind: 'set', isDirectory: false, deadlineMs: undefined, isRefresh: false } as const
    for (let at = 0; at < 1100; at += 1) {
      const path = `/1/big/${String(at).padStart(4, '0')}`
      api.replica.propose({ ...command, path, value: 'v'.repeat(1000) }, () => undefined)
    }
    const before = api.replica.store.stats.getsSuccess
    const reading = api.send('GET /v2/keys/big?quorum=true&sorted=true')
    expect(reading.answer?.headers).toMatchObject({ 'X-Etcd-Index': '1100', 'X-Raft-Index': '1105' })
    expect([reading.answer?.status, reading.isEnded]).toEqual([200, false])
    api.send('DELETE /v2/keys/big?recursive=true')
    api.settle()
    expect([reading.isEnded, keysOf(reading.answer?.body ?? '').length]).toEqual([true, 1100])
    expect(api.replica.store.stats.getsSuccess - before).toBe(1)
  })
})

describe('many large directories', () => {
  it('are read 16 at a time, the others in turn, those who left not at all', () => {
    const api = createTestApi()
    fill(api)
    const readings = Array.from({ length: 20 }, () => api.send('GET /v2/keys/big'))
    expect(readings.filter(({ answer }) => answer !== undefined).length).toBe(16)
    readings[16]?.leave()
    api.settle()
    expect(readings.map(({ isEnded }) => isEnded)).toEqual(readings.map((_reading, at) => at !== 16))
  })

  it('that are gone when their turn comes leave it to the next', () => {
    const api = createTestApi()
    fill(api)
    const readings = Array.from({ length: 20 }, () => api.send('GET /v2/keys/big'))
    api.send('DELETE /v2/keys/big?recursive=true')
    api.settle()
    expect(readings.map(({ answer }) => answer?.status)).toEqual(readings.map((_reading, at) => (at < 16 ? 200 : 404)))
  })
})
