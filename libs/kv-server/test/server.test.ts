import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Result } from '@cluster/prelude'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServer, type Server, type ServerOptions } from '../src/server.ts'
import { type Built, buildWorker } from './build-worker.ts'

let built: Built
let directory: string
let stores = 0
beforeAll(async () => {
  built = await buildWorker()
  directory = await mkdtemp(join(tmpdir(), 'kv-server-test-'))
})
afterAll(async () => {
  await built[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

const newDirectory = (): string => {
  stores += 1
  return join(directory, `store-${stores}`)
}
const loopback = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const
const open = (at: string, options: Partial<ServerOptions> = {}): Promise<Server> =>
  openServer({
    directory: at,
    listen: [{ address: loopback }],
    workerFile: built.file('worker'),
    segmentSizeBytes: 16 * 1024 * 1024,
    ...options,
  })
const value = <T>(result: Result<T, unknown>): T => {
  if (!result.ok) throw new Error('refused')
  return result.value
}

describe.each(['workers', 'none'] as const)('a server with threads: %s', (threads) => {
  it('stands at index 3 when it first listens, and one further after a restart', async () => {
    const at = newDirectory()
    for (const index of [3, 4, 5]) {
      await using server = await open(at, { threads })
      expect(server.replica.store.index).toBe(index)
      const answer = await fetch(`${server.listeners[0]?.url}/v2/keys/`)
      expect([answer.status, answer.headers.get('x-etcd-index')]).toEqual([200, String(index)])
    }
  })

  it('is a member with the ids of its peer URLs, for ever', async () => {
    const at = newDirectory()
    const ids = { memberId: 'ce2a822cea30bfca', clusterId: '7e27652122e8b2ae' }
    for (const member of [{}, { peerUrls: ['http://10.0.0.1:2380'] }]) {
      await using server = await open(at, { threads, member })
      expect(server.replica.status).toMatchObject({ ...ids, leaderId: ids.memberId, isLeader: true })
    }
  })

  it('keeps what it has acknowledged, values of every size, in a new term', async () => {
    const at = newDirectory()
    const large = 'x'.repeat(9_000_000)
    let revision = 0
    let term = 0
    {
      await using server = await open(at, { threads })
      const { kv } = server
      await Promise.all(Array.from({ length: 500 }, (_, count) => kv.put(`/many/${count}`, `value ${count}`)))
      await Promise.all([kv.put('/small', 'a'), kv.put('/large', large), kv.put('/after', 'b')])
      revision = value(await kv.put('/umlaut', 'Grüße'))
      term = server.replica.appliedTerm
    }
    await using server = await open(at, { threads })
    const { kv } = server
    expect((await kv.range('/many')).entries.length).toBe(500)
    expect((await kv.get('/large'))?.value.length).toBe(large.length)
    expect(await kv.get('/umlaut')).toEqual({ key: '/umlaut', value: 'Grüße', revision })
    expect(server.replica.appliedTerm).toBe(term + 1)
  })

  it('goes on from a snapshot and the entries after it', async () => {
    const at = newDirectory()
    {
      await using server = await open(at, { threads, snapshots: { entriesKept: 0 } })
      await server.kv.put('/before', '1', { ttlSeconds: 1000 })
      await server.snapshot()
      await server.kv.put('/after', '2')
    }
    await using server = await open(at, { threads })
    expect((await server.kv.range('/')).entries.map(({ key, value: found }) => [key, found])).toEqual([
      ['/after', '2'],
      ['/before', '1'],
    ])
    expect((await server.kv.get('/before'))?.ttlSeconds).toBeGreaterThan(900)
  })

  it('refuses a directory that is in use', async () => {
    const at = newDirectory()
    await using _server = await open(at, { threads })
    await expect(open(at, { threads })).rejects.toMatchObject({ code: 'wal/in-use' })
  })
})

it('refuses to start threads without a worker, and says what to do', async () => {
  const failing = open(newDirectory(), { workerFile: '/nowhere/worker.js' })
  await expect(failing).rejects.toMatchObject({ code: 'kv-server/no-worker' })
})
