/** What all paths have in common, and the endpoints beside the keys: spec/etcd-v2.md §1.1, §1.2, §3. */
import { describe, expect, it } from 'vitest'
import type { LogLevel } from '../src/local-log.ts'
import { createTestApi } from './test-api.ts'

const plainError = { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' }

describe('paths', () => {
  it.each([
    '/',
    '/v2',
    '/v2/',
    '/v2/keysfoo',
    '/v2/keys2/foo',
    '/V2/keys',
    '/v1/keys/foo',
    '/v2/leader',
    '/v2/stats',
    '/v2/stats/',
    '/v2/stats/other',
    '/v2/stats/self/',
    '/v2/machines/',
    '/v2/auth',
    '/v2/auth/',
    '/v2/auth/other',
    '/v2/auth/enable/',
    '/v2/membersx',
    '/version/',
    '/health/',
    '/debug/pprof/',
  ])('%s is not served', (target) => {
    expect(createTestApi().ask({ target }).answer).toEqual({
      status: 404,
      headers: plainError,
      body: '404 page not found\n',
    })
  })

  it.each(['/v2/keys/%zz', '/v2/keys/%', '/%2', 'v2/keys', '', '/v2/keys/\x01', '/v2/keys/a?b=\x7f'])(
    '%j is refused as HTTP',
    (target) => {
      for (const method of ['GET', 'PUT', 'OPTIONS']) {
        const { answer } = createTestApi({ corsOrigins: ['*'] }).ask({ method, target })
        expect(answer).toEqual({
          status: 400,
          headers: { 'Content-Type': 'text/plain; charset=utf-8' },
          body: '400 Bad Request',
        })
      }
    },
  )

  it.each([
    ['/v2/keys//a', '/v2/keys/a'],
    ['/v2/keys/a/../b/?x=%zz', '/v2/keys/b/?x=%zz'],
    ['/v2/keys/../members', '/v2/members'],
    ['/v2/keys/x%2F..%2Fa%2Fb', '/v2/keys/a/b'],
    ['//', '/'],
    ['/nothing//here?', '/nothing/here'],
  ])('%s moves to %s, whatever the method', (target, location) => {
    for (const method of ['GET', 'PUT', 'PATCH']) {
      expect(createTestApi().ask({ method, target }).answer).toMatchObject({
        status: 301,
        headers: { Location: location },
      })
    }
  })

  it.each(['/v2/members', '/v2/members/', '/v2/members/a/b'])('%s is for the members part', (target) => {
    expect(createTestApi().ask({ target: `${target}?q=%zz` }).answer).toMatchObject({
      headers: { 'X-Part': 'members' },
      body: `${target} q=%zz`,
    })
  })

  it.each([
    ['/v2/auth/enable', '/v2/auth/enable'],
    ['/v2/auth/users', '/v2/auth/users'],
    ['/v2/auth/users/', '/v2/auth/users/'],
    ['/v2/auth/roles/a%20b/', '/v2/auth/roles/a b/'],
  ])('%s is for the auth part, decoded', (target, path) => {
    expect(createTestApi().ask({ target }).answer).toMatchObject({ headers: { 'X-Part': 'auth' }, body: `${path} ` })
  })
})

describe('OPTIONS', () => {
  it.each(['/v2/keys/a', '/nowhere', '/v2/keys//a', '*'])('on %s is 200 and empty', (target) => {
    const { answer } = createTestApi().ask({ method: 'OPTIONS', target })
    expect(answer).toEqual({ status: 200, headers: {}, body: '' })
  })
})

describe('405', () => {
  it.each([
    ['PATCH', '/v2/keys/a', 'HEAD,GET,PUT,POST,DELETE'],
    ['get', '/v2/keys/a', 'HEAD,GET,PUT,POST,DELETE'],
    ['PROPFIND', '/v2/keys', 'HEAD,GET,PUT,POST,DELETE'],
    ['HEAD', '/version', 'GET'],
    ['POST', '/version', 'GET'],
    ['PUT', '/health', 'GET'],
    ['HEAD', '/health', 'GET'],
    ['POST', '/v2/machines', 'GET,HEAD'],
    ['HEAD', '/v2/stats/self', 'GET'],
    ['PUT', '/v2/stats/leader', 'GET'],
    ['DELETE', '/v2/stats/store', 'GET'],
    ['POST', '/debug/vars', 'GET'],
    ['GET', '/config/local/log', 'PUT'],
  ])('%s %s', (method, target, allow) => {
    expect(createTestApi().ask({ method, target }).answer).toEqual({
      status: 405,
      headers: { Allow: allow, ...plainError },
      body: 'Method Not Allowed\n',
    })
  })
})

describe('cross-origin headers', () => {
  const headersFor = (corsOrigins: readonly string[], origin: string | undefined, target = '/v2/keys') =>
    createTestApi({ corsOrigins }).ask({ target, headers: origin === undefined ? {} : { origin } }).answer?.headers

  it.each([
    [['*'], undefined, '*'],
    [['*'], 'http://a', '*'],
    [['http://a', 'http://b'], 'http://b', 'http://b'],
    [['http://a'], 'http://c', undefined],
    [['http://a'], undefined, undefined],
    [[], 'http://a', undefined],
  ])('listed %j, asked from %j: %j', (listed, origin, allowed) => {
    const headers = headersFor(listed, origin)
    expect(headers?.['Access-Control-Allow-Origin']).toBe(allowed)
    expect(headers?.['Access-Control-Allow-Methods']).toBe(
      allowed === undefined ? undefined : 'POST, GET, OPTIONS, PUT, DELETE',
    )
    expect(headers?.['Access-Control-Allow-Headers']).toBe(
      allowed === undefined ? undefined : 'accept, content-type, authorization',
    )
  })

  it.each(['/nowhere', '/v2/keys//a', '/v2/members', '/version', '/v2/keys?wait=true'])('are on %s, too', (target) => {
    expect(headersFor(['*'], undefined, target)?.['Access-Control-Allow-Origin']).toBe('*')
  })
})

describe('/version', () => {
  it('names the server, and the cluster once it has decided', () => {
    const api = createTestApi()
    const answerOf = () => api.send('GET /version').answer
    expect(answerOf()).toEqual({
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      body: '{"etcdserver":"2.3.8","etcdcluster":"not_decided"}',
    })
    api.replica.propose(
      { kind: 'set', path: '/0/version', value: '2.3.0', isDirectory: false, deadlineMs: undefined, isRefresh: false },
      () => undefined,
    )
    expect(answerOf()?.body).toBe('{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}')
  })
})

describe('/health', () => {
  const healthy = { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '{"health": "true"}' }
  const unhealthy = { status: 503, headers: plainError, body: '{"health": "false"}\n' }

  it('is true when an entry goes through the log, and takes no index', () => {
    const api = createTestApi()
    expect(api.send('GET /health').answer).toEqual(healthy)
    expect(api.replica.store.index).toBe(0)
  })

  it('is false without a leader, or when the log fails', () => {
    const api = createTestApi()
    api.replica.leaderId = undefined
    expect(api.send('GET /health').answer).toEqual(unhealthy)
    const other = createTestApi()
    other.replica.failure = 'stopped'
    expect(other.send('GET /health').answer).toEqual(unhealthy)
  })

  it('is false when the log takes too long, and asks it once for all who wait', () => {
    const api = createTestApi()
    api.replica.held = []
    const [one, two] = [api.send('GET /health'), api.send('GET /health')]
    expect([one.answer, two.answer, api.replica.proposed.length]).toEqual([undefined, undefined, 1])
    api.fireTimers()
    expect([one.answer, two.answer]).toEqual([unhealthy, unhealthy])
    for (const go of api.replica.held.splice(0)) go()
    api.replica.held = undefined
    expect(api.send('GET /health').answer).toEqual(healthy)
  })
})

describe('/v2/machines', () => {
  it('lists the client URLs of all members as text', () => {
    const api = createTestApi()
    const put = (path: string, value: string) =>
      api.replica.propose(
        { kind: 'set', path, value, isDirectory: false, deadlineMs: undefined, isRefresh: false },
        () => undefined,
      )
    put('/0/members/2/raftAttributes', '{"peerURLs":["http://p:1"]}')
    put('/0/members/2/attributes', '{"name":"b","clientURLs":["http://z:1","http://b:1"]}')
    put('/0/members/a/raftAttributes', '{"peerURLs":["http://p:2"]}')
    put('/0/members/a/attributes', '{"name":"a","clientURLs":["http://c:1"]}')
    put('/0/members/b/raftAttributes', '{"peerURLs":["http://p:3"]}')
    expect(api.send('GET /v2/machines').answer).toEqual({
      status: 200,
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: 'http://b:1, http://c:1, http://z:1',
    })
  })
})

describe('/v2/stats', () => {
  it('self', () => {
    const api = createTestApi()
    api.clock.nowMs += 61_500
    expect(api.send('GET /v2/stats/self').answer).toEqual({
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      body:
        '{"name":"default","id":"8e9e05c52164694d","state":"StateLeader","startTime":"2026-11-21T05:00:00Z",' +
        '"leaderInfo":{"leader":"8e9e05c52164694d","uptime":"1m1.5s","startTime":"2026-11-21T05:00:00Z"},' +
        '"recvAppendRequestCnt":0,"sendAppendRequestCnt":0}',
    })
  })

  it('leader, which only the leader tells', () => {
    const api = createTestApi()
    expect(api.send('GET /v2/stats/leader').answer?.body).toBe('{"leader":"8e9e05c52164694d","followers":{}}')
    api.replica.leaderId = undefined
    expect(api.send('GET /v2/stats/leader').answer).toMatchObject({
      status: 403,
      body: '{"message":"not current leader"}',
    })
    expect(JSON.parse(api.send('GET /v2/stats/self').answer?.body ?? '')).toMatchObject({
      state: 'StateFollower',
      leaderInfo: { leader: '' },
    })
  })

  it('store', () => {
    const api = createTestApi()
    api.send('PUT /v2/keys/a value=1')
    const counters = JSON.parse(api.send('GET /v2/stats/store').answer?.body ?? '')
    expect(Object.keys(counters)).toEqual([
      'getsSuccess',
      'getsFail',
      'setsSuccess',
      'setsFail',
      'deleteSuccess',
      'deleteFail',
      'updateSuccess',
      'updateFail',
      'createSuccess',
      'createFail',
      'compareAndSwapSuccess',
      'compareAndSwapFail',
      'compareAndDeleteSuccess',
      'compareAndDeleteFail',
      'expireCount',
      'watchers',
    ])
    expect(counters).toMatchObject({ setsSuccess: 1, setsFail: 0, watchers: 0 })
  })
})

describe('/debug/vars', () => {
  it('shows the process as expvar does', () => {
    const { answer } = createTestApi().send('GET /debug/vars')
    expect(answer).toEqual({
      status: 200,
      headers: { 'Content-Type': 'application/json; charset=utf-8' },
      body:
        '{\n"cmdline": ["kvd","--name=x"],\n"file_descriptor_limit": 1024,\n"memstats": {"Sys":1},\n' +
        '"raft.status": {"id":"8e9e05c52164694d","term":2,"commit":4,"lead":"8e9e05c52164694d","raftState":"StateLeader"}\n}\n',
    })
  })
})

describe('/config/local/log', () => {
  it.each([
    ['{"Level":"INFO"}', 'info'],
    ['{"level":"d"}', 'debug'],
    ['{"LEVEL":"5"} and more', 'trace'],
  ])('%s sets %s', (body, level) => {
    const levels: LogLevel[] = []
    const api = createTestApi({ setLogLevel: (to) => levels.push(to) })
    expect(api.ask({ method: 'PUT', target: '/config/local/log', body }).answer).toEqual({
      status: 204,
      headers: {},
      body: '',
    })
    expect(levels).toEqual([level])
  })

  it.each([
    ['{"Level":"nope"}', 'Invalid log level nope'],
    ['{}', 'Invalid log level '],
    ['null', 'Invalid log level '],
    ['{"Level":"constructor"}', 'Invalid log level constructor'],
    ['{"Level":5}', 'Invalid json body'],
    ['[]', 'Invalid json body'],
    ['x', 'Invalid json body'],
    ['', 'Invalid json body'],
  ])('%j is refused: %s', (body, message) => {
    const { answer } = createTestApi().ask({ method: 'PUT', target: '/config/local/log', body })
    expect(answer).toEqual({
      status: 400,
      headers: { 'Content-Type': 'application/json' },
      body: `{"message":"${message}"}`,
    })
  })
})

describe('/metrics', () => {
  it('shows what it is given, on any method, after what was counted has reached the meter', async () => {
    const counted: string[] = []
    const nothing = () => undefined
    const api = createTestApi({
      meter: {
        counter: (name) => ({ add: (labels, by) => counted.push(`${name} ${JSON.stringify(labels)} ${by}`) }),
        gauge: () => ({ set: nothing }),
        histogram: () => ({ observe: nothing }),
      },
    })
    api.send('PUT /v2/keys/a value=1')
    api.send('GET /v2/keys/a')
    api.send('GET /v2/keys/a')
    api.send('GET /v2/keys/a?wait=x')
    const exchange = api.send('DELETE /metrics')
    await Promise.resolve()
    expect(exchange.answer).toEqual({ status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'etcd_x 1\n' })
    expect(counted).toEqual([
      'etcd_http_received_total {"method":"GET"} 2',
      'etcd_http_received_total {"method":"PUT"} 1',
    ])
  })

  it('says so when the figures cannot be shown', async () => {
    const api = createTestApi({ renderMetrics: () => Promise.reject(new Error('no')) })
    const exchange = api.send('GET /metrics')
    await new Promise(setImmediate)
    expect(exchange.answer?.status).toBe(500)
  })
})
