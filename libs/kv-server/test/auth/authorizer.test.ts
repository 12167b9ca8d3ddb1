import { describe, expect, it } from 'vitest'
import { createBlockingHasher } from '../../src/bcrypt-hasher.ts'
import { createAuthCase, createEnabledCase } from './auth-case.ts'

const keys = '/v2/keys'

/** `user` may read /r and write below /w/. */
async function createCase() {
  const created = await createEnabledCase()
  const { ask } = created
  for (const [path, body] of [
    ['/v2/auth/roles/p', '{"role":"p","permissions":{"kv":{"read":["/r"],"write":["/w/*"]}}}'],
    ['/v2/auth/users/bob', '{"user":"bob","password":"b:b","roles":["none","p"]}'],
    ['/v2/auth/users/ann', '{"user":"ann","password":"pw"}'],
    ['/v2/auth/users/adm', '{"user":"adm","password":"pw","roles":["root"]}'],
  ] as const) {
    await ask('PUT', path, { as: 'root:pw', body })
  }
  await ask('PUT', `${keys}/r`, { as: 'root:pw' })
  await ask('PUT', `${keys}/w/x`, { as: 'root:pw' })
  return created
}

describe('a request for a key', () => {
  it.each([
    ['root:pw', 'GET', '/?recursive=true', true],
    ['adm:pw', 'GET', '', true],
    ['bob:b:b', 'GET', '/r', true],
    ['bob:b:b', 'HEAD', '/r', true],
    ['bob:b:b', 'GET', '/r/', false],
    ['bob:b:b', 'GET', '/r?recursive=true', false],
    ['bob:b:b', 'GET', '/r?wait=true&recursive=true', false],
    ['bob:b:b', 'PUT', '/r', false],
    ['bob:b:b', 'GET', '/w/x', false],
    ['bob:b:b', 'PUT', '/w/x', true],
    ['bob:b:b', 'POST', '/w', false],
    ['bob:b:b', 'POST', '/w/', true],
    ['bob:b:b', 'DELETE', '/w?recursive=true', false],
    ['bob:b:b', 'DELETE', '/w/?recursive=true', true],
    ['bob:b:b', 'GET', '/none', false],
    ['ann:pw', 'GET', '/r', false],
    ['bob:b', 'GET', '/r', false],
    ['root:', 'GET', '/r', false],
    ['nobody:pw', 'GET', '/r', false],
    [':pw', 'GET', '/r', false],
    ['x/../root:pw', 'GET', '/r', false],
    ['root/:pw', 'GET', '/r', false],
    ['..:pw', 'GET', '/r', false],
    [undefined, 'GET', '/r', true],
    [undefined, 'GET', '', false],
    [undefined, 'GET', '/', true],
    [undefined, 'PUT', '/w/x', true],
  ])('by %s, %s %j is allowed: %s', async (as, method, path, isAllowed) => {
    const { ask } = await createCase()
    const answer = await ask(method, `${keys}${path}`, as === undefined ? {} : { as })
    expect(answer.status === 401).toBe(!isAllowed)
    if (!isAllowed && method !== 'HEAD') {
      expect(answer.body).toBe(
        '{"errorCode":110,"message":"The request requires user authentication","cause":"Insufficient credentials","index":0}\n',
      )
    }
  })

  it.each([
    ['', 200],
    ['Basic !!!', 401],
    ['Bearer abc', 401],
    ['basic cm9vdDpwdw==', 200],
  ])('with the header %j: %i', async (authorization, status) => {
    const { ask } = await createCase()
    expect((await ask('GET', `${keys}/r`, { headers: { authorization } })).status).toBe(status)
  })

  it('is refused for a reason in words', async () => {
    const { ask, refusals } = await createCase()
    await ask('GET', `${keys}/x`, { as: 'bob:b:b' })
    await ask('GET', `${keys}/x`, { as: 'bob:no' })
    await ask('GET', `${keys}/x`, { as: 'eve:no' })
    await ask('GET', `${keys}/x`, { headers: { authorization: 'Bearer x' } })
    expect(refusals.map(({ rule }) => rule)).toEqual([
      'no role of user bob allows it',
      'wrong password for user bob',
      'there is no user eve',
      'the scheme of the credentials is not Basic',
    ])
  })
})

describe('rights', () => {
  it('change with the request that changes them', async () => {
    const { ask } = await createCase()
    const bobReads = async (): Promise<number> => (await ask('GET', `${keys}/r`, { as: 'bob:b:b' })).status
    const change = (path: string, body: string) => ask('PUT', path, { as: 'root:pw', body })
    expect(await bobReads()).toBe(200)
    await change('/v2/auth/roles/p', '{"role":"p","revoke":{"kv":{"read":["/r"]}}}')
    expect(await bobReads()).toBe(401)
    await change('/v2/auth/users/bob', '{"user":"bob","grant":["root"]}')
    expect(await bobReads()).toBe(200)
    await change('/v2/auth/users/bob', '{"user":"bob","password":"new"}')
    expect(await bobReads()).toBe(401)
    await ask('DELETE', '/v2/auth/users/bob', { as: 'root:pw' })
    expect((await ask('GET', `${keys}/r`, { as: 'bob:new' })).status).toBe(401)
    await ask('DELETE', '/v2/auth/enable', { as: 'root:pw' })
    expect(await bobReads()).toBe(200)
  })

  it('do not matter while auth is disabled, whatever the credentials are', async () => {
    const { ask } = createAuthCase()
    expect((await ask('PUT', `${keys}/a`, { headers: { authorization: 'Basic !' } })).status).toBe(201)
  })

  it('follow records that others have written', async () => {
    const { ask, replica } = await createCase()
    const path = '/2/roles/guest'
    replica.propose(
      { kind: 'update', path, value: '{"role":"guest"}', deadlineMs: undefined, isRefresh: false },
      () => {},
    )
    expect((await ask('GET', `${keys}/r`)).status).toBe(401)
    replica.propose({ kind: 'update', path, value: 'no JSON', deadlineMs: undefined, isRefresh: false }, () => {})
    expect((await ask('GET', `${keys}/r`)).status).toBe(401)
    replica.propose({ kind: 'delete', path: '/2/roles/guest', isDirectory: false, isRecursive: false }, () => {})
    expect((await ask('GET', `${keys}/r`)).status).toBe(401)
  })

  it('do not come from an empty pattern', async () => {
    const { ask } = await createCase()
    await ask('PUT', '/v2/auth/roles/e', {
      as: 'root:pw',
      body: '{"role":"e","permissions":{"kv":{"read":["","/r"]}}}',
    })
    await ask('PUT', '/v2/auth/users/ann', { as: 'root:pw', body: '{"user":"ann","grant":["e"]}' })
    expect((await ask('GET', `${keys}`, { as: 'ann:pw' })).status).toBe(401)
    expect((await ask('GET', `${keys}/r`, { as: 'ann:pw' })).status).toBe(200)
  })
})

describe('passwords', () => {
  it('are compared once, not with every request', async () => {
    const blocking = createBlockingHasher({ cost: 4 })
    let compared = 0
    const hasher = {
      ...blocking,
      verify: (password: string, hash: string) => {
        compared += 1
        return blocking.verify(password, hash)
      },
    }
    const { ask } = await createEnabledCase({ hasher })
    for (let count = 0; count < 5; count += 1) await ask('GET', `${keys}/`, { as: 'root:pw' })
    expect(compared).toBe(1)
    for (let count = 0; count < 2; count += 1) await ask('GET', `${keys}/`, { as: 'root:no' })
    expect(compared).toBe(3)
  })

  it('that nobody can compare let nobody in, and are not called wrong', async () => {
    const hasher = { ...createBlockingHasher({ cost: 4 }), verify: () => Promise.reject(new Error('no thread')) }
    const { ask, failures } = await createEnabledCase({ hasher })
    expect((await ask('GET', `${keys}/`, { as: 'root:pw' })).status).toBe(500)
    expect(String(failures[0])).toBe('Error: no thread')
  })
})

describe('many users and roles', () => {
  it('are read right when there are more than are kept decoded', async () => {
    const { ask, replica } = await createEnabledCase()
    const create = (path: string, value: string): void =>
      replica.propose({ kind: 'create', path, value, isDirectory: false, deadlineMs: undefined }, () => {})
    for (let count = 0; count < 4200; count += 1)
      create(`/2/users/u${count}`, `{"user":"u${count}","password":"","roles":["r${count}"]}`)
    for (let pass = 0; pass < 2; pass += 1) {
      const listed: { readonly users: readonly { readonly user: string }[] } = JSON.parse(
        (await ask('GET', '/v2/auth/users', { as: 'root:pw' })).body,
      )
      expect(listed.users).toHaveLength(4201)
      expect(new Set(listed.users.map(({ user }) => user)).size).toBe(4201)
    }
  })
})
