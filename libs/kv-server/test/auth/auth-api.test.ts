import { byteStringOf } from '@cluster/kv-store'
import { describe, expect, it } from 'vitest'
import { createBlockingHasher } from '../../src/bcrypt-hasher.ts'
import { type AuthCase, createAuthCase, createEnabledCase } from './auth-case.ts'

/** `METHOD path body`, the status, and what the body says: JSON of a success, or the message of an error. */
type Row = readonly [request: string, status: number, says: string]

async function play({ ask }: AuthCase, rows: readonly Row[], as?: string): Promise<void> {
  for (const [request, status, says] of rows) {
    const [, method = '', path = '', body = ''] = /^(\S+) (\S+) ?(.*)$/s.exec(request) ?? []
    const answer = await ask(method, path, { body: byteStringOf(body), ...(as === undefined ? {} : { as }) })
    const shown = status < 300 ? answer.body.replace(/\n$/, '') : JSON.parse(answer.body).message
    expect([request, answer.status, shown]).toEqual([request, status, byteStringOf(says)])
  }
}

const users = '/v2/auth/users'
const roles = '/v2/auth/roles'
const enable = '/v2/auth/enable'
const notUpdated = 'auth: User not updated. Use grant/revoke/password to update the user.'

describe('users', () => {
  it.each<[string, readonly Row[]]>([
    [
      'are created, shown, listed, changed and deleted',
      [
        [`GET ${users}`, 200, '{"users":null}'],
        [`PUT ${users}/bob {"user":"bob","password":"pw"}`, 201, '{"user":"bob","roles":null}'],
        [`GET ${users}/bob`, 200, '{"user":"bob"}'],
        [`PUT ${users}/bob {"user":"bob"}`, 200, '{"user":"bob","roles":[]}'],
        [`PUT ${users}/bob {"user":"bob"}`, 400, notUpdated],
        [`PUT ${users}/bob {"user":"bob","password":"p2"}`, 200, '{"user":"bob","roles":[]}'],
        [`PUT ${users}/bob {"user":"bob","grant":["z","root"]}`, 200, '{"user":"bob","roles":["root","z"]}'],
        [`PUT ${users}/bob {"user":"bob","grant":["z"]}`, 409, 'auth: Granting duplicate role z for user bob'],
        [`PUT ${users}/bob {"user":"bob","revoke":["y"]}`, 409, 'auth: Revoking ungranted role y for user bob'],
        [`GET ${users}/bob`, 404, 'auth: Role z does not exist.'],
        [
          `GET ${users}/`,
          200,
          '{"users":[{"user":"bob","roles":[{"role":"root","permissions":{"kv":{"read":["/*"],"write":["/*"]}}}]}]}',
        ],
        [`DELETE ${users}/bob/`, 200, ''],
        [`DELETE ${users}/bob`, 404, 'auth: User bob does not exist'],
        [`GET ${users}/bob`, 404, 'auth: User bob does not exist.'],
        [`PUT ${users}/bob {"user":"bob","grant":["z"]}`, 404, 'auth: User bob does not exist.'],
      ],
    ],
    [
      'with roles are created only, and keep them as sent',
      [
        [
          `PUT ${users}/bob {"user":"bob","password":"pw","roles":["b","a","b"]}`,
          200,
          '{"user":"bob","roles":["b","a","b"]}',
        ],
        [`PUT ${users}/bob {"user":"bob","password":"pw","roles":["a"]}`, 409, 'auth: User bob already exists.'],
        [`PUT ${users}/bob {"user":"bob"}`, 200, '{"user":"bob","roles":["a","b"]}'],
        [`PUT ${users}/ann {"user":"ann","password":"pw","roles":[]}`, 201, '{"user":"ann","roles":[]}'],
        [`PUT ${users}/ann {"user":"ann"}`, 400, notUpdated],
      ],
    ],
    [
      'are not made of what is no user',
      [
        [`PUT ${users}/bob`, 400, 'Invalid JSON in request body.'],
        [`PUT ${users}/bob junk`, 400, 'Invalid JSON in request body.'],
        [`PUT ${users}/bob []`, 400, 'Invalid JSON in request body.'],
        [`PUT ${users}/bob {"user":"bob","password":1}`, 400, 'Invalid JSON in request body.'],
        [`PUT ${users}/bob {"user":"bob","roles":[1]}`, 400, 'Invalid JSON in request body.'],
        [`PUT ${users}/bob null`, 400, 'User JSON name does not match the name in the URL'],
        [`PUT ${users}/bob {"user":"ann","password":"pw"}`, 400, 'User JSON name does not match the name in the URL'],
        [`PUT ${users}/bob {"user":"bob"}`, 400, 'auth: Cannot create user bob with an empty password'],
        [`PUT ${users}/bob {"user":"bob","roles":["a"]}`, 400, 'auth: Cannot create user bob with an empty password'],
        [
          `PUT ${users}/bob {"user":"bob","roles":["a"],"grant":["b"]}`,
          400,
          'User JSON contains both roles and grant/revoke',
        ],
        [`GET ${users}`, 200, '{"users":null}'],
      ],
    ],
    [
      'are read from JSON as Go reads it',
      [
        [
          `PUT ${users}/bob {"USER":"x","uſer":"bob","Password":"pw","x":[{}],"roles":null} trailing`,
          201,
          '{"user":"bob","roles":null}',
        ],
        [
          `PUT ${users}/%C3%A9%3C {"user":"é\\u003c","password":"\\ud83d\\ude00"}`,
          201,
          '{"user":"é\\u003c","roles":null}',
        ],
        [`GET ${users}`, 200, '{"users":[{"user":"bob"},{"user":"é\\u003c"}]}'],
      ],
    ],
    [
      'whose names begin with an underscore are not listed',
      [
        [`PUT ${users}/_h {"user":"_h","password":"pw"}`, 201, '{"user":"_h","roles":null}'],
        [`GET ${users}`, 200, '{"users":null}'],
        [`GET ${users}/_h`, 200, '{"user":"_h"}'],
      ],
    ],
    [
      'called root always have the role root',
      [
        [`PUT ${users}/root {"user":"root","password":"p","roles":["x"]}`, 200, '{"user":"root","roles":["x","root"]}'],
        [`PUT ${users}/root {"user":"root","revoke":["root"]}`, 200, '{"user":"root","roles":["x"]}'],
        [`PUT ${users}/root {"user":"root","revoke":["x"]}`, 200, '{"user":"root","roles":["root"]}'],
        [`DELETE ${users}/root`, 200, ''],
      ],
    ],
    [
      'are not shown for a query that cannot be read, once they are found',
      [
        [`GET ${users}/bob?a;b`, 404, 'auth: User bob does not exist.'],
        [`PUT ${users}/bob?a;b {"user":"bob","password":"pw"}`, 201, '{"user":"bob","roles":null}'],
        [`GET ${users}/bob?a;b`, 500, 'Internal Server Error'],
        [`GET ${users}?%zz`, 500, 'Internal Server Error'],
        [`GET ${users}/?%zz=1`, 500, 'Internal Server Error'],
        [`GET ${users}/bob?a=%20`, 200, '{"user":"bob"}'],
      ],
    ],
  ])('%s', async (_, rows) => play(createAuthCase(), rows))
})

describe('roles', () => {
  const root = '{"role":"root","permissions":{"kv":{"read":["/*"],"write":["/*"]}}}'
  const isRoot = 'auth: Cannot modify role root: is root role.'

  it.each<[string, readonly Row[]]>([
    [
      'are created, shown, listed, changed and deleted',
      [
        [`GET ${roles}`, 200, `{"roles":[${root}]}`],
        [`PUT ${roles}/r {"role":"r"}`, 201, '{"role":"r","permissions":{"kv":{"read":null,"write":null}}}'],
        [`PUT ${roles}/r {"role":"r"}`, 409, 'auth: Role r already exists.'],
        [
          `PUT ${roles}/r {"role":"r","grant":{"kv":{"read":["/b","/a"]}},"revoke":{"kv":{"write":["/never"]}}}`,
          200,
          '{"role":"r","permissions":{"kv":{"read":["/a","/b"],"write":[]}}}',
        ],
        [`GET ${roles}/`, 200, `{"roles":[{"role":"r","permissions":{"kv":{"read":["/a","/b"],"write":[]}}},${root}]}`],
        [
          `PUT ${roles}/r {"role":"r","grant":{"kv":{"read":["/a"]}}}`,
          409,
          'auth: Granting duplicate read permission /a',
        ],
        [
          `PUT ${roles}/r {"role":"r","grant":{"kv":{"write":["/w","/w"]}}}`,
          409,
          'auth: Granting duplicate write permission /w',
        ],
        [
          `PUT ${roles}/r {"role":"r","revoke":{"kv":{"read":["/c"]}}}`,
          400,
          'auth: Role not updated. Use grant/revoke to update the role.',
        ],
        [
          `PUT ${roles}/r {"role":"r","revoke":{"kv":{"read":["/a"]}}}`,
          200,
          '{"role":"r","permissions":{"kv":{"read":["/b"],"write":[]}}}',
        ],
        [`DELETE ${roles}/r`, 200, ''],
        [`DELETE ${roles}/r`, 404, "auth: Role r doesn't exist."],
        [`GET ${roles}/r`, 404, 'auth: Role r does not exist.'],
        [`PUT ${roles}/r {"role":"r","revoke":{"kv":{"read":["/a"]}}}`, 404, 'auth: Role r does not exist.'],
      ],
    ],
    [
      'keep an empty grant until the first update',
      [
        [
          `PUT ${roles}/r {"role":"r","revoke":{},"grant":{"kv":{"read":[]}}}`,
          201,
          '{"role":"r","permissions":{"kv":{"read":null,"write":null}},"grant":{"kv":{"read":[],"write":null}},"revoke":{"kv":{"read":null,"write":null}}}',
        ],
        [
          `GET ${roles}/r`,
          200,
          '{"role":"r","permissions":{"kv":{"read":null,"write":null}},"grant":{"kv":{"read":[],"write":null}},"revoke":{"kv":{"read":null,"write":null}}}',
        ],
        [
          `PUT ${roles}/r {"role":"r","grant":{},"revoke":{"kv":{"read":["/x"]}}}`,
          200,
          '{"role":"r","permissions":{"kv":{"read":[],"write":[]}}}',
        ],
      ],
    ],
    [
      'are not made of what is no role',
      [
        [`PUT ${roles}/r {`, 400, 'Invalid JSON in request body.'],
        [`PUT ${roles}/r {"role":"r","permissions":[]}`, 400, 'Invalid JSON in request body.'],
        [`PUT ${roles}/r {"role":"r","permissions":{"kv":{"read":"x"}}}`, 400, 'Invalid JSON in request body.'],
        [`PUT ${roles}/r {"role":"s"}`, 400, 'Role JSON name does not match the name in the URL'],
        [
          `PUT ${roles}/r {"role":"r","permissions":{"kv":{"read":["/a"]}},"grant":{"kv":{"read":["/b"]}}}`,
          400,
          'Role JSON contains both permissions and grant/revoke',
        ],
      ],
    ],
    [
      'called root cannot be changed',
      [
        [`GET ${roles}/root`, 200, root],
        [`PUT ${roles}/root {"role":"root"}`, 403, isRoot],
        [`PUT ${roles}/root {"role":"root","grant":{"kv":{"read":["/a"]}}}`, 403, isRoot],
        [`DELETE ${roles}/root`, 403, isRoot],
      ],
    ],
    [
      'are not listed for a query that cannot be read',
      [
        [`GET ${roles}?a;b`, 500, 'Internal Server Error'],
        [`GET ${roles}/root?a;b`, 200, root],
      ],
    ],
  ])('%s', async (_, rows) => play(createAuthCase(), rows))
})

describe('auth as a whole', () => {
  it('is enabled when there is a root user, and disabled by him', async () => {
    const created = createAuthCase()
    await play(created, [
      [`GET ${enable}`, 200, '{"enabled":false}'],
      [`DELETE ${enable}`, 409, 'auth: already disabled'],
      [`PUT ${enable}`, 409, 'auth: No root user available, please create one'],
      [`PUT ${users}/root {"user":"root","password":"pw"}`, 201, '{"user":"root","roles":["root"]}'],
      [`PUT ${enable}`, 200, ''],
      [`GET ${enable}`, 200, '{"enabled":true}'],
      [`PUT ${enable}`, 401, 'Insufficient credentials'],
      [`GET ${users}`, 401, 'Insufficient credentials'],
      [`GET ${roles}/root`, 401, 'Insufficient credentials'],
    ])
    await play(
      created,
      [
        [`PUT ${enable}`, 409, 'auth: already enabled'],
        [`GET ${roles}/guest`, 200, '{"role":"guest","permissions":{"kv":{"read":["/*"],"write":["/*"]}}}'],
        [`DELETE ${users}/root`, 403, 'auth: Cannot delete root user while auth is enabled.'],
        [`DELETE ${enable}`, 200, ''],
      ],
      'root:pw',
    )
    await play(created, [
      [
        `GET ${users}/root`,
        200,
        '{"user":"root","roles":[{"role":"root","permissions":{"kv":{"read":["/*"],"write":["/*"]}}}]}',
      ],
    ])
  })

  it('keeps a guest role that is there', async () => {
    const created = createAuthCase()
    const guest = '{"role":"guest","permissions":{"kv":{"read":["/x"],"write":null}}}'
    await play(created, [
      [`PUT ${roles}/guest ${guest}`, 201, guest],
      [`PUT ${users}/root {"user":"root","password":"pw"}`, 201, '{"user":"root","roles":["root"]}'],
      [`PUT ${enable}`, 200, ''],
    ])
    await play(created, [[`GET ${roles}/guest`, 200, guest]], 'root:pw')
  })

  it.each([
    ['a user', 'PUT', `${users}/bob`, '{"user":"bob","password":"pw","roles":["r"]}', 5],
    ['a role', 'PUT', `${roles}/r`, '{"role":"r"}', 5],
    ['the removal of nobody', 'DELETE', `${users}/nobody`, '', 4],
    ['the removal of no role', 'DELETE', `${roles}/none`, '', 4],
    ['an empty password', 'PUT', `${users}/bob`, '{"user":"bob"}', 0],
    ['a user that is no JSON', 'PUT', `${users}/bob`, '{', 0],
    ['an update of nobody', 'PUT', `${users}/bob`, '{"user":"bob","grant":["x"]}', 0],
    ['an update of no role', 'PUT', `${roles}/r`, '{"role":"r","grant":{"kv":{"read":["/x"]}}}', 0],
    ['the role root', 'PUT', `${roles}/root`, '{"role":"root"}', 0],
    ['enabling without root', 'PUT', enable, '', 0],
    ['disabling what is disabled', 'DELETE', enable, '', 0],
    ['a read', 'GET', users, '', 0],
  ])('as its first request takes for %s: %s %s %s: %i indexes', async (_, method, path, body, indexes) => {
    const { replica, ask } = createAuthCase()
    const before = replica.store.index
    await ask(method, path, { body })
    expect(replica.store.index - before).toBe(indexes)
    const again = replica.store.index
    await ask(method, path, { body })
    expect(replica.store.index - again).toBe(0)
  })

  it('never shows a password', async () => {
    const { ask, replica } = createAuthCase()
    const made = await ask('PUT', `${users}/bob`, { body: '{"user":"bob","password":"pw"}' })
    const shown = await ask('GET', `${users}/bob`)
    const listed = await ask('GET', users)
    expect(`${made.body}${shown.body}${listed.body}`).not.toMatch(/\$2|pw/)
    expect(replica.store.valueOf('/2/users/bob')).toMatch(
      /^\{"user":"bob","password":"\$2a\$04\$[^"]+","roles":null\}$/,
    )
  })

  it.each([
    ['HEAD', users, 405, 'GET'],
    ['PUT', `${users}/`, 405, 'GET'],
    ['DELETE', roles, 405, 'GET'],
    ['POST', `${users}/bob`, 405, 'GET,PUT,DELETE'],
    ['PATCH', `${roles}/r`, 405, 'GET,PUT,DELETE'],
    ['HEAD', enable, 405, 'GET,PUT,DELETE'],
    ['POST', enable, 405, 'GET,PUT,DELETE'],
    ['POST', `${users}/a/b`, 400, undefined],
    ['GET', `${roles}/a/b/c`, 400, undefined],
    ['GET', `${users}/a%2Fb`, 400, undefined],
    ['GET', `${enable}/`, 404, undefined],
    ['GET', '/v2/auth', 404, undefined],
    ['GET', '/v2/auth/usersx', 404, undefined],
  ])('answers %s %s with %i before it asks for rights', async (method, path, status, allow) => {
    const { ask } = await createEnabledCase()
    const answer = await ask(method, path)
    expect([answer.status, answer.headers['Allow'], answer.headers['X-Etcd-Cluster-Id']]).toEqual([
      status,
      allow,
      undefined,
    ])
    if (status === 400)
      expect([answer.headers['Content-Type'], answer.body]).toEqual(['application/json', '{"message":"Invalid path"}'])
  })

  it('names the cluster and JSON in every answer but refusals of rights', async () => {
    const { ask } = await createEnabledCase()
    const head = { 'Content-Type': 'application/json', 'X-Etcd-Cluster-Id': 'cdf818194e3a8c32' }
    expect((await ask('GET', enable)).headers).toEqual(head)
    expect((await ask('GET', `${users}/nobody`, { as: 'root:pw' })).headers).toEqual(head)
    expect((await ask('PUT', `${users}/nobody`, { as: 'root:pw' })).headers).toEqual(head)
    expect((await ask('GET', users)).headers).toEqual({ 'Content-Type': 'application/json' })
  })

  it('answers 500 and says why to its owner when the log does not take a write', async () => {
    const created = createAuthCase()
    created.replica.failure = 'timeout'
    await play(created, [
      [`PUT ${users}/bob {"user":"bob","password":"pw"}`, 500, 'Internal Server Error'],
      [`DELETE ${roles}/r`, 500, 'Internal Server Error'],
      [`PUT ${enable}`, 500, 'Internal Server Error'],
    ])
    expect(created.failures).toMatchObject(Array(3).fill({ code: 'kv-server/not-committed' }))
  })

  it('says so when the disk is full', async () => {
    const created = createAuthCase()
    created.replica.failure = 'no-space'
    await play(created, [[`PUT ${users}/bob {"user":"bob","password":"pw"}`, 500, 'etcdserver: no space']])
  })

  it('does not call a password wrong that nobody could compare', async () => {
    const blocking = createBlockingHasher({ cost: 4 })
    let isBroken = false
    const verify = (password: string, hash: string): Promise<boolean> =>
      isBroken ? Promise.reject(new Error('512 passwords wait')) : blocking.verify(password, hash)
    const created = createAuthCase({ hasher: { hash: blocking.hash, verify } })
    await created.ask('PUT', `${users}/root`, { body: '{"user":"root","password":"pw"}' })
    await created.ask('PUT', enable)
    isBroken = true
    const asked = await created.ask('GET', users, { as: 'root:pw' })
    expect([asked.status, asked.body]).toEqual([503, '{"message":"The password could not be checked now, try again"}'])
    const key = await created.ask('PUT', '/v2/keys/a', { as: 'root:pw', body: 'value=1' })
    expect([key.status, key.body]).toEqual([500, expect.stringContaining('"cause":"etcdserver: too many requests"')])
  })

  it('refuses a body that was cut', async () => {
    const { ask } = createAuthCase()
    expect((await ask('PUT', `${users}/bob`, { body: '{', isBodyCut: true })).status).toBe(413)
  })

  it('makes changes one after the other, so that none undoes another', async () => {
    const { ask } = createAuthCase()
    await ask('PUT', `${users}/bob`, { body: '{"user":"bob","password":"pw"}' })
    await Promise.all(
      ['a', 'b', 'c'].map((role) => ask('PUT', `${users}/bob`, { body: `{"user":"bob","grant":["${role}"]}` })),
    )
    expect((await ask('PUT', `${users}/bob`, { body: '{"user":"bob","password":"p2"}' })).body).toBe(
      '{"user":"bob","roles":["a","b","c"]}\n',
    )
  })
})
