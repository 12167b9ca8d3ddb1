/** Long polls and streams as answers: spec/etcd-v2.md §2.4, §2.5. What matches is the store's and tested there. */
import { describe, expect, it } from 'vitest'
import { createTestApi, type TestApi } from './test-api.ts'

const put = (api: TestApi, count: number, key = 'a') => {
  for (let at = 0; at < count; at += 1) api.send(`PUT /v2/keys/${key} value=${at}`)
}

describe('a long poll', () => {
  it('gives its head at once, one event, and ends', () => {
    const api = createTestApi()
    put(api, 2)
    const watch = api.send('GET /v2/keys/a?wait=true')
    expect(watch.answer).toEqual({
      status: 200,
      headers: {
        'Content-Type': 'application/json',
        'X-Etcd-Cluster-Id': 'cdf818194e3a8c32',
        'X-Etcd-Index': '2',
        'X-Raft-Index': '6',
        'X-Raft-Term': '2',
      },
      body: '',
    })
    put(api, 2)
    api.settle()
    expect(watch.answer?.body).toBe(
      '{"action":"set","node":{"key":"/a","value":"0","modifiedIndex":3,"createdIndex":3},' +
        '"prevNode":{"key":"/a","value":"1","modifiedIndex":2,"createdIndex":2}}\n',
    )
    expect([watch.isEnded, api.replica.store.stats.watchers]).toEqual([true, 0])
  })

  it('of the past is answered from the history', () => {
    const api = createTestApi()
    put(api, 3)
    const watch = api.send('GET /v2/keys/a?wait=true&waitIndex=2')
    expect(watch.answer?.headers['X-Etcd-Index']).toBe('3')
    api.settle()
    expect([watch.isEnded, watch.chunks.length]).toEqual([true, 1])
    expect(watch.answer?.body).toContain('"modifiedIndex":2')
  })

  it('of a past that is forgotten is an error', () => {
    const api = createTestApi()
    put(api, 1002)
    expect(api.send('GET /v2/keys/a?wait=true&waitIndex=2').answer).toEqual({
      status: 400,
      headers: {
        'Content-Type': 'application/json',
        'X-Etcd-Cluster-Id': 'cdf818194e3a8c32',
        'X-Etcd-Index': '1002',
      },
      body:
        '{"errorCode":401,"message":"The event in requested index is outdated and cleared",' +
        '"cause":"the requested history has been cleared [3/2]","index":1002}\n',
    })
  })

  it('of a future beyond all indexes waits', () => {
    const api = createTestApi()
    const watch = api.send('GET /v2/keys/a?wait=true&waitIndex=18446744073709551615')
    put(api, 1)
    api.settle()
    expect([watch.answer?.status, watch.chunks]).toEqual([200, []])
  })

  it('whose client goes away is forgotten', () => {
    const api = createTestApi()
    const watch = api.send('GET /v2/keys/a?wait=true')
    expect(api.replica.store.stats.watchers).toBe(1)
    watch.leave()
    expect(api.replica.store.stats.watchers).toBe(0)
    put(api, 1)
    api.settle()
    expect(watch.chunks).toEqual([])
  })

  it('whose client goes away between event and write is not written to', () => {
    const api = createTestApi()
    const watch = api.send('GET /v2/keys/a?wait=true')
    put(api, 1)
    watch.leave()
    api.settle()
    expect(watch.chunks).toEqual([])
  })
})

describe('a stream', () => {
  it('writes one chunk per event and stays', () => {
    const api = createTestApi()
    const watch = api.send('GET /v2/keys?wait=true&stream=true&recursive=true')
    put(api, 3)
    api.settle()
    put(api, 2, 'b')
    api.settle()
    expect([watch.chunks.length, watch.isEnded]).toEqual([5, false])
    expect(watch.chunks.every((chunk) => chunk.endsWith('}\n'))).toBe(true)
  })

  it('that hits history gives one event and stays open and silent', () => {
    const api = createTestApi()
    put(api, 3)
    const watch = api.send('GET /v2/keys/a?wait=true&stream=true&waitIndex=2')
    api.settle()
    put(api, 150)
    api.settle()
    expect([watch.chunks.length, watch.isEnded]).toEqual([1, false])
  })

  it('of a key that is removed tells so twice', () => {
    const api = createTestApi()
    put(api, 1)
    const watch = api.send('GET /v2/keys/a?wait=true&stream=true')
    api.send('DELETE /v2/keys/a')
    api.settle()
    expect(watch.chunks.length).toBe(2)
    expect(watch.chunks[0]).toBe(watch.chunks[1])
  })

  it('survives more events in one turn than its queue holds', () => {
    const api = createTestApi()
    const watch = api.send('GET /v2/keys/a?wait=true&stream=true')
    put(api, 700)
    api.settle()
    expect([watch.chunks.length, watch.isEnded]).toEqual([700, false])
    put(api, 1)
    api.settle()
    expect(watch.chunks.length).toBe(701)
  })

  it('whose client does not read ends when it has fallen too far behind, without a gap', () => {
    const api = createTestApi()
    const watch = api.send('GET /v2/keys/a?wait=true&stream=true')
    watch.isStalled = true
    for (let round = 0; round < 50; round += 1) {
      put(api, 10)
      api.settle()
    }
    // One write told that the client does not read: nothing after it.
    expect([watch.chunks.length, watch.isEnded]).toEqual([1, false])
    watch.drain()
    api.settle()
    expect(watch.isEnded).toBe(true)
    const indexes = watch.chunks.map((chunk) => JSON.parse(chunk).node.modifiedIndex)
    expect(indexes).toEqual(indexes.map((_index, at) => at + 1))
    expect(indexes.length).toBeLessThan(250)
    expect(api.replica.store.stats.watchers).toBe(0)
  })

  it('goes on where it was when the client reads again in time', () => {
    const api = createTestApi()
    const watch = api.send('GET /v2/keys/a?wait=true&stream=true')
    watch.isStalled = true
    put(api, 50)
    api.settle()
    put(api, 40)
    api.settle()
    watch.drain()
    put(api, 5)
    api.settle()
    expect([watch.chunks.length, watch.isEnded]).toEqual([95, false])
  })
})

describe('many watches', () => {
  it('of one key are written to 500 in a turn', () => {
    const api = createTestApi()
    const watches = Array.from({ length: 1201 }, () => api.send('GET /v2/keys/a?wait=true'))
    put(api, 1)
    const written = () => watches.filter(({ isEnded }) => isEnded).length
    const counts = [written()]
    while (api.turn() > 0) counts.push(written())
    expect(counts).toEqual([0, 500, 1000, 1201])
  })

  it('that are woken while others are written to are not lost', () => {
    const api = createTestApi()
    const streams = Array.from({ length: 600 }, () => api.send('GET /v2/keys/a?wait=true&stream=true'))
    put(api, 1)
    api.turn()
    put(api, 1)
    api.settle()
    expect(streams.every(({ chunks }) => chunks.length === 2)).toBe(true)
  })
})
