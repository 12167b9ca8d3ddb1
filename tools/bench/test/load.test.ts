import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { percentile, runLoad } from '../src/kv/load.ts'
import { getRequests, keyPath, putRequests } from '../src/kv/requests.ts'
import { median } from '../src/statistics.ts'
import { table } from '../src/table.ts'

const space = { keys: 10, valueBytes: 4, perDirectory: 5 }

describe('the load', () => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    request.resume()
    request.on('end', () => {
      response.statusCode = request.method === 'PUT' ? 201 : 404
      response.end('x'.repeat(70_000))
    })
  })
  afterEach(() => server.close())

  it('sends every request once, waits for whole answers and counts failures', async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = isAddress(address) ? address.port : 0
    const target = { host: '127.0.0.1', port }
    const put = await runLoad({
      target,
      connections: 3,
      make: putRequests(target, space),
      seconds: 60,
      requestsMax: 20,
    })
    const get = await runLoad({
      target,
      connections: 2,
      make: getRequests(target, space),
      seconds: 60,
      requestsMax: 10,
    })
    expect([put.requests, put.failures, get.requests, get.failures]).toEqual([20, 0, 10, 10])
    expect(new Set(seen.filter((line) => line.startsWith('PUT'))).size).toBe(10)
    expect(put.latenciesMs).toEqual(Float64Array.from(put.latenciesMs).sort())
  })
})

const isAddress = (address: string | AddressInfo | null): address is AddressInfo =>
  typeof address === 'object' && address !== null

describe('figures', () => {
  it('puts keys into directories', () =>
    expect([0, 7, 17].map((n) => keyPath(n, space))).toEqual([
      '/bench/d00000/k00000000',
      '/bench/d00001/k00000007',
      '/bench/d00001/k00000007',
    ]))
  it('takes medians and percentiles', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5])
    expect([0, 0.5, 0.99].map((share) => percentile(Float64Array.of(1, 2, 3, 4), share))).toEqual([1, 3, 4])
  })
  it('makes tables', () => expect(table(['a', 'b'], [['1', '2']])).toBe('| a | b |\n| --- | --- |\n| 1 | 2 |'))
})
