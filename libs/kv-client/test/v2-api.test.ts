/** The v2 API client against servers that do what they are told, over real sockets. */
import { seededRandom } from '@cluster/prelude'
import { describe, expect, it } from 'vitest'
import { createV2Api, isV2ApiError, type V2ApiError, type V2ApiOptions } from '../src/index.ts'
import { sendEvent, startV2Server } from './v2-server.ts'

const file = (value: string, modifiedIndex = 5) => ({ key: '/a', value, createdIndex: 4, modifiedIndex })
const apiAt = (endpoints: readonly string[], more: Partial<V2ApiOptions> = {}) =>
  createV2Api({ endpoints, random: seededRandom(1), ...more })
const failureOf = (asked: Promise<unknown>): Promise<V2ApiError> =>
  asked.then(
    () => expect.unreachable('it was answered'),
    (error: unknown) => (isV2ApiError(error) ? error : expect.unreachable(String(error))),
  )
/** Nobody listens there: the discard port. */
const closed = 'http://127.0.0.1:9'

describe('keys', () => {
  it('are asked for the way etcd’s own client asks', async () => {
    await using server = await startV2Server((_, response) => sendEvent(response, { action: 'set', node: file('v') }))
    await using api = apiAt([server.url])
    await api.keys.get('/a')
    await api.keys.get('/a', { isQuorum: true, isRecursive: true, isSorted: true })
    await api.keys.set('/a', 'x y', { ttlSeconds: 5n })
    await api.keys.set('/a', '', { ttlSeconds: -5n, prevValue: 'old', prevIndex: -1n })
    await api.keys.set('/a', Uint8Array.of(0xff), { prevExist: true })
    await api.keys.set('/d', 'left out', { isDirectory: true, prevExist: false })
    await api.keys.set('/a', '', { isRefresh: true, ttlSeconds: 3 })
    await api.keys.createInOrder('/q', 'v')
    await api.keys.delete('/a', { isDirectory: true, isRecursive: true, prevIndex: 3, prevValue: 'v' })
    expect(server.asked.map(({ method, target, body }) => `${method} ${target} ${body}`.trim())).toEqual([
      'GET /v2/keys/a?quorum=false&recursive=false&sorted=false',
      'GET /v2/keys/a?quorum=true&recursive=true&sorted=true',
      'PUT /v2/keys/a ttl=5&value=x+y',
      'PUT /v2/keys/a?prevIndex=18446744073709551615&prevValue=old value=',
      'PUT /v2/keys/a?prevExist=true value=%FF',
      'PUT /v2/keys/d?dir=true&prevExist=false',
      'PUT /v2/keys/a refresh=true&ttl=3',
      'POST /v2/keys/q value=v',
      'DELETE /v2/keys/a?dir=true&prevIndex=3&prevValue=v&recursive=true',
    ])
  })

  it('come as values', async () => {
    const inner = { ...file(''), key: '/d/x', expiration: '2026-01-01T00:00:00Z', ttl: 9 }
    const node = { key: '/d', dir: true, nodes: [inner], createdIndex: 3, modifiedIndex: 3 }
    await using server = await startV2Server((_, response) => sendEvent(response, { action: 'get', node }))
    await using api = apiAt([server.url])
    expect(await api.keys.get('/d')).toEqual({
      action: 'get',
      index: 7,
      node: {
        key: '/d',
        isDirectory: true,
        createdIndex: 3,
        modifiedIndex: 3,
        nodes: [
          {
            key: '/d/x',
            value: '',
            isDirectory: false,
            nodes: [],
            createdIndex: 4,
            modifiedIndex: 5,
            expiration: '2026-01-01T00:00:00Z',
            ttlSeconds: 9,
          },
        ],
      },
    })
  })

  it('are refused with the code, message, cause and index of the server', async () => {
    const body = { errorCode: 100, message: 'Key not found', cause: '/a', index: 12 }
    await using server = await startV2Server((_, response) => sendEvent(response, body, { status: 404 }))
    await using api = apiAt([server.url])
    const { code, failure } = await failureOf(api.keys.get('/a'))
    expect([code, failure]).toEqual([
      'kv-client/refused',
      { kind: 'refused', refusal: { kind: 'keys', status: 404, ...body } },
    ])
  })

  it.each([
    ['no JSON', 'what?'],
    ['nothing', ''],
    ['an event without a node', '{"action":"get"}'],
    ['an index that is no number', '{"action":"get","node":{"key":"/a","modifiedIndex":"x"}}'],
  ])('answered with %s are no answer of etcd', async (_, body) => {
    await using server = await startV2Server((_asked, response) => response.end(body))
    await using api = apiAt([server.url])
    expect((await failureOf(api.keys.get('/a'))).code).toBe('kv-client/not-etcd')
  })
})

describe('endpoints', () => {
  it('are asked in turn, and the one that answered first from then on', async () => {
    await using server = await startV2Server((_, response) => sendEvent(response, { action: 'get', node: file('v') }))
    const urls: string[] = []
    await using api = apiAt([closed, server.url], { onRequest: ({ url }) => urls.push(new URL(url).origin) })
    await api.keys.get('/a')
    await api.keys.get('/a')
    expect(urls).toEqual([closed, server.url, server.url])
  })

  it('that say 500 and above are passed over', async () => {
    await using broken = await startV2Server((_, response) => response.writeHead(503).end('{"message":"no leader"}'))
    await using server = await startV2Server((_, response) => sendEvent(response, { action: 'get', node: file('v') }))
    await using api = apiAt([broken.url, server.url])
    expect((await api.keys.get('/a')).node.value).toBe('v')
  })

  it('are not asked again for a change that may have happened already', async () => {
    await using cutting = await startV2Server((_, response) => response.destroy())
    await using server = await startV2Server((_, response) => sendEvent(response, { action: 'set', node: file('v') }))
    await using api = apiAt([cutting.url, server.url])
    expect((await failureOf(api.keys.createInOrder('/q', 'v'))).code).toBe('kv-client/unavailable')
    expect((await failureOf(api.keys.set('/a', 'v', { prevIndex: 3 }))).code).toBe('kv-client/unavailable')
    expect(server.asked).toEqual([])
    await api.keys.set('/a', 'v')
    expect(server.asked).toHaveLength(1)
  })

  it('fail together with the reason of each', async () => {
    await using api = apiAt([closed, closed])
    const { failure } = await failureOf(api.keys.set('/a', 'v', { prevExist: false }))
    expect(failure).toMatchObject({
      kind: 'unavailable',
      attempts: [
        { kind: 'unreachable', endpoint: closed, error: { code: 'http/connection-refused' } },
        { kind: 'unreachable', endpoint: closed, error: { code: 'http/connection-refused' } },
      ],
    })
  })

  it('are replaced by what the members publish', async () => {
    await using server = await startV2Server((_, response) =>
      response.end(
        JSON.stringify({
          members: [
            { id: '1', name: 'a', peerURLs: ['http://p:1'], clientURLs: ['http://a:1', 'http://b:1/'] },
            { id: '2', name: '', peerURLs: ['http://p:2'], clientURLs: [] },
          ],
        }),
      ),
    )
    await using api = apiAt([server.url])
    await api.sync()
    expect([...api.endpoints()].sort()).toEqual(['http://a:1', 'http://b:1'])
  })

  it('stay when the members publish none', async () => {
    await using server = await startV2Server((_, response) => response.end('{"members":[]}'))
    await using api = apiAt([server.url])
    expect((await failureOf(api.sync())).code).toBe('kv-client/no-published-endpoints')
    expect(api.endpoints()).toEqual([server.url])
  })

  it.each(['', 'ftp://h:1', '127.0.0.1:2379', 'http://name:word@h:1'])('%j is refused', (endpoint) => {
    expect(() => apiAt([endpoint])).toThrow(expect.objectContaining({ code: 'kv-client/invalid-endpoint' }))
  })
})

describe('credentials', () => {
  it('go to endpoints, and not where they redirect to', async () => {
    await using elsewhere = await startV2Server((_, response) =>
      sendEvent(response, { action: 'get', node: file('v') }),
    )
    await using server = await startV2Server(({ target }, response) =>
      response.writeHead(307, { Location: elsewhere.url + target }).end(),
    )
    await using api = apiAt([server.url], { username: 'bob', password: 'secret' })
    await api.keys.get('/a')
    expect(server.asked[0]?.authorization).toBe(`Basic ${Buffer.from('bob:secret').toString('base64')}`)
    expect(elsewhere.asked[0]?.authorization).toBeUndefined()
  })

  it('are nowhere in what is told of a request', async () => {
    await using server = await startV2Server((_, response) => response.writeHead(201).end('{}'))
    const told: unknown[] = []
    await using api = apiAt([server.url], {
      username: 'bob',
      password: 'hush-1',
      onRequest: (request) => told.push(request),
    })
    await api.auth.addUser('ann', 'hush-2')
    expect(server.asked[0]?.body).toBe('{"user":"ann","password":"hush-2"}')
    expect(JSON.stringify(told)).not.toMatch(/hush/)
    expect(told).toHaveLength(1)
  })
})

describe('a watch', () => {
  it('goes on behind each event, over answers that are empty or cut', async () => {
    await using server = await startV2Server((_, response, turn) => {
      if (turn === 1) response.writeHead(200).end()
      else if (turn === 2) {
        response.writeHead(200).write(' ')
        response.destroy()
      } else sendEvent(response, { action: 'set', node: file(String(turn), 10 + turn) })
    })
    await using api = apiAt([server.url])
    const seen: unknown[] = []
    for await (const { node } of api.keys.watch('/a', { afterIndex: 4, isRecursive: true })) {
      if (seen.push(node.value) === 2) break
    }
    expect(seen).toEqual(['0', '3'])
    expect(server.asked.map(({ target }) => /waitIndex=(\d+)/.exec(target)?.[1])).toEqual(['5', '11', '11', '11'])
  })

  it('ends with its signal', async () => {
    await using server = await startV2Server((_, response) => response.flushHeaders())
    await using api = apiAt([server.url])
    const ending = new AbortController()
    const next = api.keys.watch('/a', { signal: ending.signal })[Symbol.asyncIterator]().next()
    ending.abort()
    expect((await failureOf(next)).code).toBe('kv-client/aborted')
  })

  it('gives up on a server that never has an event', async () => {
    await using server = await startV2Server((_, response) => response.writeHead(200).end())
    await using api = apiAt([server.url])
    const failure = await failureOf(api.keys.watch('/a')[Symbol.asyncIterator]().next())
    expect([failure.code, server.asked.length]).toEqual(['kv-client/not-etcd', 101])
  })
})

it.each([
  ['{"health": "true"}', 'healthy'],
  ['{"health":true}', 'healthy'],
  ['{"health":"false"}\n', 'unhealthy'],
  ['<html>', 'unclear'],
])('a server that says %j of its health is %s', async (body, health) => {
  await using server = await startV2Server((_, response) => response.end(body))
  await using api = apiAt([closed])
  expect(await api.health(server.url)).toBe(health)
})

it('reads users and roles in the shapes that servers have for them', async () => {
  const answers: Readonly<Record<string, unknown>> = {
    '/v2/auth/users': { users: [{ user: 'ann', roles: [{ role: 'r' }] }, 'bob'] },
    '/v2/auth/users/ann': { user: 'ann', roles: [{ role: 'r', permissions: {} }, 's'] },
    '/v2/auth/roles': { roles: [{ role: 'r' }] },
    '/v2/auth/roles/r': { role: 'r', permissions: { kv: { read: ['/*'], write: null } } },
    '/v2/auth/enable': { enabled: true },
  }
  await using server = await startV2Server(({ target }, response) => response.end(JSON.stringify(answers[target])))
  await using api = apiAt([server.url])
  expect(await api.auth.users()).toEqual(['ann', 'bob'])
  expect(await api.auth.user('ann')).toEqual({ name: 'ann', roles: ['r', 's'] })
  expect(await api.auth.roles()).toEqual(['r'])
  expect(await api.auth.role('r')).toEqual({ name: 'r', permissions: { read: ['/*'], write: [] } })
  expect(await api.auth.isEnabled()).toBe(true)
})
