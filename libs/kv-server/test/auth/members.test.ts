import { describe, expect, it } from 'vitest'
import { addMemberCommand } from '../../src/membership.ts'
import { createAuthCase, createEnabledCase, ownId } from './auth-case.ts'

const json = { 'content-type': 'application/json' }
const own = `{"id":"${ownId}","name":"default","peerURLs":["http://localhost:2380"],"clientURLs":["http://localhost:2379"]}`
const other = '{"peerURLs":["http://127.0.0.1:21999"]}'

async function createCase() {
  const created = createAuthCase()
  created.replica.propose(addMemberCommand('ab', ['http://ab:1', 'http://ab:2']), () => {})
  const removed = { kind: 'create', path: '/0/removed_members/cd', value: '', isDirectory: false } as const
  created.replica.propose({ ...removed, deadlineMs: undefined }, () => {})
  return created
}

describe('members', () => {
  const list = `{"members":[{"id":"ab","name":"","peerURLs":["http://ab:1","http://ab:2"],"clientURLs":[]},${own}]}\n`

  it.each([
    ['/v2/members', 200, list],
    ['/v2/members/', 200, list],
    ['/v2/members/leader', 200, `${own}\n`],
    ['/v2/members/leader/', 404, '{"message":"Not found"}'],
    [`/v2/members/${ownId}`, 404, '{"message":"Not found"}'],
  ])('GET %s: %i', async (path, status, body) => {
    const answer = await (await createCase()).ask('GET', path)
    const headers = { 'Content-Type': 'application/json', 'X-Etcd-Cluster-Id': 'cdf818194e3a8c32' }
    expect(answer).toEqual({ status, headers, body })
  })

  it('have no leader during an election', async () => {
    const { ask, replica } = await createCase()
    replica.leaderId = undefined
    expect(await ask('GET', '/v2/members/leader')).toMatchObject({ status: 503, body: '{"message":"During election"}' })
  })

  it.each([
    ['POST', '/v2/members', 'text/plain', other, 415, 'Bad Content-Type text/plain, accept application/json'],
    ['POST', '/v2/members', undefined, other, 415, 'Bad Content-Type , accept application/json'],
    ['POST', '/v2/members/x', 'application/json', '', 400, 'unexpected end of JSON input'],
    ['POST', '/v2/members', 'application/json', '{}', 400, 'no valid URLs given'],
    [
      'POST',
      '/v2/members',
      'application/json',
      '{"peerURLs":["http://ab:2","http://n:1"]}',
      409,
      'etcdserver: peerURL exists',
    ],
    ['POST', '/v2/members', 'application/json', other, 500, 'this server runs as one member: no member can be added'],
    ['PUT', '/v2/members/zz', 'text/plain', 'junk', 404, 'No such member: zz'],
    ['PUT', '/v2/members/12/34', 'application/json', other, 404, 'No such member: 12/34'],
    ['PUT', '/v2/members/12', 'text/plain', other, 415, 'Bad Content-Type text/plain, accept application/json'],
    [
      'PUT',
      '/v2/members/12',
      'application/json',
      '[]',
      400,
      'json: cannot unmarshal array into Go value of type struct { PeerURLs []string "json:\\"peerURLs\\"" }',
    ],
    ['PUT', '/v2/members/0012', 'application/json', other, 404, 'No such member: 12'],
    [
      'PUT',
      '/v2/members/AB',
      'application/json',
      '{"peerURLs":["http://localhost:2380"]}',
      409,
      'etcdserver: peerURL exists',
    ],
    ['PUT', '/v2/members/cd', 'application/json', other, 500, 'Internal Server Error'],
    ['DELETE', '/v2/members/zz', undefined, '', 404, 'No such member: zz'],
    ['DELETE', '/v2/members/00AF', undefined, '', 404, 'No such member: af'],
    ['DELETE', '/v2/members/11112222333344445', undefined, '', 404, 'No such member: 11112222333344445'],
    ['DELETE', '/v2/members/cd', undefined, '', 410, 'Member permanently removed: cd'],
    [
      'DELETE',
      `/v2/members/${ownId}`,
      undefined,
      '',
      500,
      'this server runs as one member: its last member cannot be removed',
    ],
  ])('%s %s as %s with %j: %i %s', async (method, path, type, body, status, message) => {
    const { ask, replica } = await createCase()
    const before = replica.store.index
    const answer = await ask(method, path, { body, headers: type === undefined ? {} : { 'content-type': type } })
    expect([answer.status, JSON.parse(answer.body).message]).toEqual([status, message])
    expect(answer.headers).toEqual({ 'Content-Type': 'application/json', 'X-Etcd-Cluster-Id': 'cdf818194e3a8c32' })
    expect(replica.store.index).toBe(before)
  })

  it.each(['PUT', 'DELETE'])('%s without an id is not allowed, without saying what is', async (method) => {
    const answer = await (await createCase()).ask(method, '/v2/members/', { body: '{}', headers: json })
    expect(answer).toEqual({
      status: 405,
      body: 'Method Not Allowed\n',
      headers: {
        'Content-Type': 'text/plain; charset=utf-8',
        'X-Content-Type-Options': 'nosniff',
        'X-Etcd-Cluster-Id': 'cdf818194e3a8c32',
      },
    })
  })

  it.each(['HEAD', 'PATCH'])('%s is not allowed', async (method) => {
    const answer = await (await createCase()).ask(method, '/v2/members')
    expect([answer.status, answer.headers['Allow']]).toEqual([405, 'GET,POST,DELETE,PUT'])
    expect(answer.headers['X-Etcd-Cluster-Id']).toBeUndefined()
  })

  it('take other URLs, sorted, and their own again; each takes an index', async () => {
    const { ask, replica } = await createCase()
    const before = replica.store.index
    const body = '{"PeerURLs":["http://127.0.0.1:21997"," http://127.0.0.1:21996"],"name":"x"}'
    const head = { 'X-Etcd-Cluster-Id': 'cdf818194e3a8c32' }
    for (const path of ['/v2/members/ab', '/v2/members/AB']) {
      expect(await ask('PUT', path, { body, headers: json })).toEqual({ status: 204, headers: head, body: '' })
    }
    expect(replica.store.index - before).toBe(2)
    expect((await ask('GET', '/v2/members')).body).toContain(
      '"peerURLs":["http://127.0.0.1:21996","http://127.0.0.1:21997"]',
    )
  })

  it('answer 500 when the log does not take a change', async () => {
    const { ask, replica, failures } = await createCase()
    replica.failure = 'no-space'
    const answer = await ask('PUT', '/v2/members/ab', { body: other, headers: json })
    expect(answer).toMatchObject({ status: 500, body: '{"message":"Internal Server Error"}' })
    expect(failures).toMatchObject([{ code: 'kv-server/not-committed' }])
  })

  it('refuse a body that was cut', async () => {
    const { ask } = await createCase()
    expect((await ask('POST', '/v2/members', { body: '{', headers: json, isBodyCut: true })).status).toBe(413)
  })

  it('may be read by everybody and changed by root', async () => {
    const { ask } = await createEnabledCase()
    expect((await ask('GET', '/v2/members')).status).toBe(200)
    const refused = await ask('DELETE', '/v2/members/zz')
    expect(refused).toEqual({
      status: 401,
      headers: { 'Content-Type': 'application/json' },
      body: '{"message":"Insufficient credentials"}',
    })
    expect((await ask('DELETE', '/v2/members/zz', { as: 'root:pw' })).status).toBe(404)
  })
})
