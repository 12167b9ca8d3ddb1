import { systemClock } from '@cluster/daemon/system'
import { type FollowUpdate, follow, type KvEvent, type Revision } from '@cluster/kv'
import { isClusterError, seededRandom } from '@cluster/prelude'
import { afterEach, describe, expect, it } from 'vitest'
import { connectEtcd2 } from '../src/index.ts'
import { startEtcd, type TestEtcd, whyWithoutEtcd } from './etcd.ts'

const reason = whyWithoutEtcd()
if (reason !== undefined) console.warn(`left out: faults of a real etcd, ${reason}`)

const toStop: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop()
})

async function start() {
  const etcd = await startEtcd()
  toStop.push(etcd.close)
  return { etcd, kv: connect(etcd) }
}

function connect(etcd: TestEtcd) {
  const kv = connectEtcd2({
    endpoints: [etcd.url],
    requestTimeoutMs: 500,
    probeMs: 100,
    clock: systemClock,
    random: seededRandom(1),
  })
  toStop.push(() => kv[Symbol.asyncDispose]())
  return kv
}

function followed(kv: ReturnType<typeof connect>) {
  const stop = new AbortController()
  const updates = follow(kv, '/p', { signal: stop.signal, clock: systemClock, random: seededRandom(1) })
  toStop.push(() => stop.abort())
  return async (): Promise<FollowUpdate> => {
    const { value, done } = await updates.next()
    if (done === true) throw new Error('the follower ended')
    return value
  }
}

const summary = (update: FollowUpdate): unknown =>
  update.kind === 'unavailable'
    ? 'unavailable'
    : { resync: update.resync, values: [...update.entries.values()].map(({ value }) => value).sort() }

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error) => (isClusterError(error) ? error.code : String(error)),
  )

async function take(batches: AsyncIterable<readonly KvEvent[]>, count: number): Promise<readonly KvEvent[]> {
  const events: KvEvent[] = []
  for await (const batch of batches) {
    events.push(...batch)
    if (events.length >= count) break
  }
  return events
}

async function put(kv: ReturnType<typeof connect>, key: string, value: string): Promise<Revision> {
  const result = await kv.put(key, value)
  if (!result.ok) throw new Error('conflict')
  return result.value
}

describe.skipIf(reason !== undefined)('a real etcd', () => {
  it('that is killed and comes back is an outage, then a view with what is in it', async () => {
    const { etcd, kv } = await start()
    await put(kv, '/p/a', '1')
    const next = followed(kv)
    expect(summary(await next())).toEqual({ resync: true, values: ['1'] })
    await etcd.kill()
    expect(summary(await next())).toBe('unavailable')
    await etcd.start('kept')
    expect(summary(await next())).toEqual({ resync: true, values: ['1'] })
    await put(kv, '/p/b', '2')
    expect(summary(await next())).toEqual({ resync: false, values: ['1', '2'] })
  })

  it('that freezes is an outage, and is followed on when it thaws', async () => {
    const { etcd, kv } = await start()
    await put(kv, '/p/a', '1')
    const next = followed(kv)
    await next()
    etcd.pause()
    expect(summary(await next())).toBe('unavailable')
    expect(await codeOf(kv.put('/p/b', '2'))).toBe('kv/timeout')
    etcd.resume()
    expect(await next()).toMatchObject({ kind: 'view', resync: true })
  })

  it('that lost its data is read again, not taken for one with nothing new', async () => {
    const { etcd, kv } = await start()
    let revision = await put(kv, '/p/a', '1')
    for (let count = 0; count < 20; count++) revision = await put(kv, '/p/a', String(count))
    await etcd.kill()
    await etcd.start('lost')
    expect(await codeOf(take(kv.watch('/p', revision, new AbortController().signal), 1))).toBe('kv/compacted')
    expect((await kv.range('/p')).entries).toEqual([])
  })

  it('resumes a watch after a restart, without a gap', async () => {
    const { etcd, kv } = await start()
    const revision = await put(kv, '/p/a', '1')
    await put(kv, '/p/a', '2')
    await etcd.kill()
    await etcd.start('kept')
    await put(kv, '/p/a', '3')
    const events = await take(kv.watch('/p', revision, new AbortController().signal), 2)
    expect(events.map((event) => event.type === 'put' && event.value)).toEqual(['2', '3'])
  })

  it('asked for who may, says so', async () => {
    const { etcd } = await start()
    const ask = (path: string, body: object) =>
      fetch(`${etcd.url}${path}`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa('root:secret')}` },
        body: JSON.stringify(body),
      })
    await ask('/v2/auth/users/root', { user: 'root', password: 'secret' })
    await ask('/v2/auth/roles/guest', { role: 'guest', revoke: { kv: { read: ['/*'], write: ['/*'] } } })
    expect((await ask('/v2/auth/enable', {})).status).toBe(200)
    await ask('/v2/auth/roles/guest', { role: 'guest', revoke: { kv: { read: ['/*'], write: ['/*'] } } })
    const guest = connect(etcd)
    expect(await codeOf(guest.put('/p/a', '1'))).toBe('kv/refused')
    expect(await codeOf(guest.range('/p'))).toBe('kv/refused')
    const options = { endpoints: [etcd.url], clock: systemClock, random: seededRandom(1), requestTimeoutMs: 5000 }
    const root = connectEtcd2({ ...options, username: 'root', password: 'secret' })
    toStop.push(() => root[Symbol.asyncDispose]())
    const revision = await put(root, '/p/a', '1')
    await put(root, '/p/a', '2')
    expect(await take(root.watch('/p', revision, new AbortController().signal), 1)).toMatchObject([{ value: '2' }])
  })

  it('empties the whole store below its own prefix, or all of it', async () => {
    const { etcd, kv } = await start()
    const options = { endpoints: [etcd.url], clock: systemClock, random: seededRandom(1), requestTimeoutMs: 5000 }
    const below = connectEtcd2({ ...options, prefix: '/own' })
    toStop.push(() => below[Symbol.asyncDispose]())
    await put(kv, '/p/a', '1')
    await below.put('/a', '1')
    expect((await kv.range('/')).entries.map(({ key }) => key)).toEqual(['/own/a', '/p/a'])
    await below.deletePrefix('/')
    expect((await kv.range('/')).entries.map(({ key }) => key)).toEqual(['/p/a'])
    await kv.deletePrefix('/')
    expect((await kv.range('/')).entries).toEqual([])
    expect(await kv.deletePrefix('/')).toBe((await kv.range('/')).revision)
  })
})
