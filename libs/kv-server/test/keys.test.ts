/** Every row of spec/etcd-v2.md §1.3 to §1.6, §1.9 and §1.10 that the API decides, over a store in memory. */
import { describe, expect, it } from 'vitest'
import type { ProposalFailure } from '../src/replica.ts'
import { formSizeBytesMax } from '../src/v2/form.ts'
import { createTestApi } from './test-api.ts'

const json = 'application/json'
const cluster = 'cdf818194e3a8c32'

describe('heads', () => {
  it('of a success carry the cluster, the index after it, and where the log stands', () => {
    const api = createTestApi()
    expect(api.send('PUT /v2/keys/a value=1').answer).toEqual({
      status: 201,
      headers: {
        'Content-Type': json,
        'X-Etcd-Cluster-Id': cluster,
        'X-Etcd-Index': '1',
        'X-Raft-Index': '5',
        'X-Raft-Term': '2',
      },
      body: '{"action":"set","node":{"key":"/a","value":"1","modifiedIndex":1,"createdIndex":1}}\n',
    })
    expect(api.send('GET /v2/keys/a').answer).toEqual({
      status: 200,
      headers: {
        'Content-Type': json,
        'X-Etcd-Cluster-Id': cluster,
        'X-Etcd-Index': '1',
        'X-Raft-Index': '5',
        'X-Raft-Term': '2',
      },
      body: '{"action":"get","node":{"key":"/a","value":"1","modifiedIndex":1,"createdIndex":1}}\n',
    })
  })

  it('of an error of the store carry its index, nothing of the log', () => {
    const api = createTestApi()
    api.send('PUT /v2/keys/a value=1')
    expect(api.send('GET /v2/keys/none').answer).toEqual({
      status: 404,
      headers: { 'Content-Type': json, 'X-Etcd-Cluster-Id': cluster, 'X-Etcd-Index': '1' },
      body: '{"errorCode":100,"message":"Key not found","cause":"/none","index":1}\n',
    })
  })

  it('of an error of the API carry index 0', () => {
    const api = createTestApi()
    api.send('PUT /v2/keys/a value=1')
    expect(api.send('GET /v2/keys/a?recursive=bad').answer).toEqual({
      status: 400,
      headers: { 'Content-Type': json, 'X-Etcd-Cluster-Id': cluster, 'X-Etcd-Index': '0' },
      body: '{"errorCode":209,"message":"Invalid field","cause":"invalid value for \\"recursive\\"","index":0}\n',
    })
  })
})

/** Code and cause of the error that a request is answered with. */
function errorOf(line: string): unknown {
  const { answer } = createTestApi().send(line)
  const { errorCode, cause, index } = JSON.parse(answer?.body ?? '')
  expect(index).toBe(0)
  return [errorCode, cause]
}

describe('fields that are refused', () => {
  const quoted = (name: string) => `invalid value for "${name}"`
  it.each<readonly [line: string, code: number, cause: string]>([
    ['GET /v2/keys/a?x=%zz', 210, 'invalid URL escape "%zz"'],
    ['PUT /v2/keys/a?x=%yy x=%zz', 210, 'invalid URL escape "%zz"'],
    ['PUT /v2/keys/a?x=%zz value=1', 210, 'invalid URL escape "%zz"'],
    ['PUT /v2/keys/a value=a;b', 210, 'invalid semicolon separator in query'],
    ...['GET', 'HEAD', 'PUT', 'POST', 'DELETE'].flatMap((method) => [
      [`${method} /v2/keys/a?prevIndex=x`, 203, quoted('prevIndex')] as const,
      [`${method} /v2/keys/a?waitIndex=x`, 203, quoted('waitIndex')] as const,
      [`${method} /v2/keys/a?ttl=x`, 202, quoted('ttl')] as const,
      [`${method} /v2/keys/a?prevValue=`, 201, '"prevValue" cannot be empty'] as const,
      [`${method} /v2/keys/a?prevExist=x`, 209, 'invalid value for prevExist'] as const,
      [`${method} /v2/keys/a?refresh=`, 209, 'invalid value for refresh'] as const,
      [`${method} /v2/keys/a?refresh=true&value=v`, 211, 'A value was provided on a refresh'] as const,
      [`${method} /v2/keys/a?refresh=true&value=`, 212, 'No TTL value set'] as const,
      [`${method} /v2/keys/a?refresh=true&ttl=`, 212, 'No TTL value set'] as const,
    ]),
    ...['recursive', 'sorted', 'wait', 'dir', 'quorum', 'stream'].flatMap((name) =>
      ['', 'x', 'yes', 'tRUE', '01', '%201'].map(
        (value) => [`DELETE /v2/keys/a?${name}=${value}`, 209, quoted(name)] as const,
      ),
    ),
    ...['', '-1', '+1', '1.5', '0x10', '1e3', '%205', '18446744073709551616', '5s'].map(
      (value) => [`GET /v2/keys/a?waitIndex=${value}`, 203, quoted('waitIndex')] as const,
    ),
    ...['HEAD', 'PUT', 'POST', 'DELETE'].map(
      (method) => [`${method} /v2/keys/a?wait=1`, 209, '"wait" can only be used with GET requests'] as const,
    ),
  ])('%s: %d', (line, code, cause) => expect(errorOf(line)).toEqual([code, cause]))

  it('in the order of the checks', () => {
    const fields: readonly (readonly [string, unknown])[] = [
      ['prevIndex=x', [203, quoted('prevIndex')]],
      ['waitIndex=x', [203, quoted('waitIndex')]],
      ['recursive=x', [209, quoted('recursive')]],
      ['sorted=x', [209, quoted('sorted')]],
      ['wait=x', [209, quoted('wait')]],
      ['dir=x', [209, quoted('dir')]],
      ['quorum=x', [209, quoted('quorum')]],
      ['stream=x', [209, quoted('stream')]],
      ['wait=true', [209, '"wait" can only be used with GET requests']],
      ['prevValue=', [201, '"prevValue" cannot be empty']],
      ['ttl=x', [202, quoted('ttl')]],
      ['prevExist=x', [209, 'invalid value for prevExist']],
      ['refresh=x', [209, 'invalid value for refresh']],
    ]
    for (let from = 0; from < fields.length; from += 1) {
      // All that come later are wrong as well; sent last to first.
      const rest = fields.slice(from).filter(([field]) => field !== 'wait=true' || from === 8)
      const query = rest.map(([field]) => field).reverse()
      const first = fields[from]
      expect([first?.[0], errorOf(`PUT /v2/keys/a?${query.join('&')}`)]).toEqual(first)
    }
  })

  it('before rights are asked for, and rights before the store', () => {
    const api = createTestApi()
    api.isAllowed = false
    const codeOf = (line: string) => JSON.parse(api.send(line).answer?.body ?? '').errorCode
    expect(codeOf('GET /v2/keys/none?ttl=x')).toBe(202)
    expect(api.accesses).toEqual([])
    expect(api.send('GET /v2/keys/none').answer).toEqual({
      status: 401,
      headers: { 'Content-Type': json, 'X-Etcd-Cluster-Id': cluster, 'X-Etcd-Index': '0' },
      body: '{"errorCode":110,"message":"The request requires user authentication","cause":"Insufficient credentials","index":0}\n',
    })
    expect(codeOf('PUT /v2/keys/a value=1')).toBe(110)
    expect(api.replica.proposed).toEqual([])
  })

  it('a body beyond 10 MiB', () => {
    const api = createTestApi()
    const body = `value=${'x'.repeat(formSizeBytesMax - 5)}`
    expect(JSON.parse(api.ask({ method: 'PUT', target: '/v2/keys/a', body }).answer?.body ?? '')).toMatchObject({
      errorCode: 210,
      cause: 'http: POST too large',
    })
  })
})

describe('rights', () => {
  it.each([
    ['GET /v2/keys', { key: '', isWrite: false, isRecursive: false }],
    ['GET /v2/keys/', { key: '/', isWrite: false, isRecursive: false }],
    ['HEAD /v2/keys/a%20b/', { key: '/a b/', isWrite: false, isRecursive: false }],
    ['GET /v2/keys/a?quorum=1&recursive=1', { key: '/a', isWrite: false, isRecursive: true }],
    ['PUT /v2/keys/a', { key: '/a', isWrite: true, isRecursive: false }],
    ['PUT /v2/keys/a?recursive=T', { key: '/a', isWrite: true, isRecursive: true }],
    ['POST /v2/keys/a value=1', { key: '/a', isWrite: true, isRecursive: false }],
    ['DELETE /v2/keys/a?recursive=true', { key: '/a', isWrite: true, isRecursive: true }],
  ])('%s', (line, access) => {
    const api = createTestApi()
    api.send(line)
    expect(api.accesses).toEqual([{ kind: 'key', ...access }])
  })

  it('of a watch are asked for once, at its start', () => {
    const api = createTestApi()
    api.send('GET /v2/keys/a?wait=true&stream=true')
    api.replica.propose(
      { kind: 'set', path: '/1/a', value: '1', isDirectory: false, deadlineMs: undefined, isRefresh: false },
      () => undefined,
    )
    api.settle()
    expect(api.accesses.length).toBe(1)
  })
})

describe('operations', () => {
  const nothing = { value: '', deadlineMs: undefined }
  it.each([
    ['PUT /v2/keys/a value=1', { kind: 'set', path: '/1/a', value: '1', isDirectory: false, isRefresh: false }],
    ['PUT /v2/keys/a', { kind: 'set', path: '/1/a', value: '', isDirectory: false, isRefresh: false }],
    ['PUT /v2/keys/a/?dir=t', { kind: 'set', path: '/1/a', value: '', isDirectory: true, isRefresh: false }],
    ['PUT /v2/keys', { kind: 'set', path: '/1', value: '', isDirectory: false, isRefresh: false }],
    ['PUT /v2/keys/?prevIndex=0', { kind: 'set', path: '/1', value: '', isDirectory: false, isRefresh: false }],
    [
      'PUT /v2/keys/a?prevExist=false&prevValue=1&prevIndex=2',
      { kind: 'create', path: '/1/a', ...nothing, isDirectory: false },
    ],
    ['PUT /v2/keys/a?prevExist=true value=2', { kind: 'update', path: '/1/a', value: '2', isRefresh: false }],
    ['PUT /v2/keys/a?prevExist=true&prevIndex=0', { kind: 'update', path: '/1/a', ...nothing, isRefresh: false }],
    [
      'PUT /v2/keys/a?prevExist=true&prevIndex=007',
      { kind: 'compare-and-swap', compare: { value: undefined, index: 7 }, ...nothing, isRefresh: false },
    ],
    [
      'PUT /v2/keys/a?prevValue=x value=y',
      { kind: 'compare-and-swap', compare: { value: 'x', index: undefined }, value: 'y' },
    ],
    [
      'PUT /v2/keys/a?prevValue=x&prevIndex=9007199254740991',
      { kind: 'compare-and-swap', compare: { value: 'x', index: 9007199254740991 } },
    ],
    [
      'DELETE /v2/keys/a?prevIndex=18446744073709551615',
      { kind: 'compare-and-delete', compare: { value: undefined, index: 18_446_744_073_709_551_615n } },
    ],
    [
      'POST /v2/keys/a?prevExist=true&prevIndex=5',
      { kind: 'create-in-order', path: '/1/a', ...nothing, isDirectory: false },
    ],
    ['DELETE /v2/keys/a', { kind: 'delete', path: '/1/a', isDirectory: false, isRecursive: false }],
    ['DELETE /v2/keys/a?dir=1&recursive=1&prevExist=false', { kind: 'delete', isDirectory: true, isRecursive: true }],
    [
      'DELETE /v2/keys/a?prevIndex=3&recursive=true',
      { kind: 'compare-and-delete', path: '/1/a', compare: { value: undefined, index: 3 } },
    ],
    ['GET /v2/keys/a?quorum=true&wait=true', { kind: 'get', path: '/1/a', isRecursive: false, isSorted: false }],
    ['GET /v2/keys/a?quorum=T&recursive=1&sorted=1', { kind: 'get', path: '/1/a', isRecursive: true, isSorted: true }],
  ])('%s', (line, command) => {
    const api = createTestApi()
    api.send(line)
    expect(api.replica.proposed.length).toBe(1)
    expect(api.replica.proposed[0]).toMatchObject(command)
  })

  it('reads do not go through the log', () => {
    const api = createTestApi()
    for (const line of ['GET /v2/keys/a', 'HEAD /v2/keys/a?quorum=true', 'GET /v2/keys?wait=true']) api.send(line)
    expect(api.replica.proposed).toEqual([])
  })

  it('HEAD is answered as GET', () => {
    const api = createTestApi()
    api.send('PUT /v2/keys/a value=1')
    expect(api.send('HEAD /v2/keys/a').answer).toEqual(api.send('GET /v2/keys/a').answer)
    expect(api.send('HEAD /v2/keys/a/b').answer?.status).toBe(400)
  })

  it('noValueOnSuccess is a field of later versions', () => {
    const api = createTestApi()
    expect(api.send('PUT /v2/keys/a?noValueOnSuccess=maybe value=1').answer?.body).toContain('"value":"1"')
  })
})

describe('values', () => {
  it.each([
    ['form', 'application/x-www-form-urlencoded', 'value=v', 'v'],
    ['JSON', 'application/json', '{"value":"v"}', ''],
    ['text', 'text/plain', 'value=v', ''],
  ])('in %s', (_name, type, body, stored) => {
    const api = createTestApi()
    api.ask({ method: 'PUT', target: '/v2/keys/a', headers: { 'content-type': type }, body })
    expect(api.replica.proposed[0]).toMatchObject({ value: stored })
  })

  it('in the body beat those in the query, which count when the body is no form', () => {
    const api = createTestApi()
    api.send('PUT /v2/keys/a?value=query value=body')
    api.ask({ method: 'PUT', target: '/v2/keys/a?value=query', headers: { 'content-type': 'a/b' }, body: 'value=body' })
    expect(api.replica.proposed).toMatchObject([{ value: 'body' }, { value: 'query' }])
  })

  it('of GET and DELETE are not looked for in the body', () => {
    const api = createTestApi()
    expect(api.send('GET /v2/keys recursive=bad').answer?.status).toBe(200)
    expect(api.send('DELETE /v2/keys/a dir=bad').answer?.status).toBe(404)
  })
})

describe('time to live', () => {
  it('counts from the time of the store', () => {
    const api = createTestApi()
    api.send('PUT /v2/keys/a value=1&ttl=5')
    expect(api.replica.proposed[0]).toMatchObject({ deadlineMs: api.clock.nowMs + 5000 })
  })

  it.each([
    ['PUT /v2/keys/a ttl=9223372036', undefined],
    ['PUT /v2/keys/a ttl=', undefined],
    ['PUT /v2/keys/a ttl=18446744073709551615', -1000],
    ['PUT /v2/keys/a ttl=0', 0],
    ['PUT /v2/keys/a ttl=007', 7000],
    ['POST /v2/keys/a ttl=18446744073709551615', -1000],
    ['PUT /v2/keys/a?prevExist=true ttl=18446744073709551615', -1000],
  ])('%s', (line, afterMs) => {
    const api = createTestApi()
    api.send(line)
    const deadlineMs = afterMs === undefined ? undefined : api.clock.nowMs + afterMs
    expect(api.replica.proposed[0]).toMatchObject({ deadlineMs })
  })

  it('that overflows ends an update at once', () => {
    const api = createTestApi()
    api.send('PUT /v2/keys/a?prevExist=true ttl=9223372036')
    const [command] = api.replica.proposed
    expect(command?.kind === 'update' && command.deadlineMs !== undefined && command.deadlineMs < 0).toBe(true)
  })
})

describe('a prevIndex beyond all indexes', () => {
  it.each(['9007199254740991', '9007199254740993', '18446744073709551615', '00018446744073709551615'])(
    '%s is compared as what it is',
    (prevIndex) => {
      const api = createTestApi()
      api.send('PUT /v2/keys/a value=1')
      const given = prevIndex.replace(/^0+/, '')
      const causeOf = (line: string) => JSON.parse(api.send(line).answer?.body ?? '')
      expect(causeOf(`PUT /v2/keys/a?prevIndex=${prevIndex}`)).toMatchObject({
        errorCode: 101,
        cause: `[${given} != 1]`,
      })
      expect(causeOf(`DELETE /v2/keys/a?prevValue=x&prevIndex=${prevIndex}`).cause).toBe(`[x != 1] [${given} != 1]`)
      expect(causeOf(`PUT /v2/keys/none?prevIndex=${prevIndex}`).errorCode).toBe(100)
    },
  )
})

describe('what the log does not take', () => {
  it.each<[ProposalFailure, string]>([
    ['timeout', 'etcdserver: request timed out'],
    ['timeout-leader-lost', 'etcdserver: request timed out, possibly due to previous leader failure'],
    ['timeout-connection-lost', 'etcdserver: request timed out, possibly due to connection lost'],
    ['stopped', 'etcdserver: server stopped'],
    ['no-space', 'etcdserver: no space'],
    ['too-many', 'etcdserver: too many requests'],
    ['too-large', 'etcdserver: request is too large'],
  ])('%s is a 300: %s', (failure, cause) => {
    const api = createTestApi()
    api.replica.failure = failure
    for (const line of ['PUT /v2/keys/a value=1', 'GET /v2/keys/a?quorum=true']) {
      expect(api.send(line).answer).toEqual({
        status: 500,
        headers: { 'Content-Type': json, 'X-Etcd-Cluster-Id': cluster, 'X-Etcd-Index': '0' },
        body: `{"errorCode":300,"message":"Raft Internal Error","cause":"${cause}","index":0}\n`,
      })
    }
  })
})

describe('errors of the store', () => {
  it.each([
    ['GET /v2/keys/none/deeper', 404, 100, 'Key not found', '/none'],
    ['PUT /v2/keys/file?prevValue=x value=y', 412, 101, 'Compare failed', '[x != v]'],
    ['PUT /v2/keys/dir value=y', 403, 102, 'Not a file', '/dir'],
    ['PUT /v2/keys/file/below value=y', 400, 104, 'Not a directory', '/file'],
    ['PUT /v2/keys/file?prevExist=false', 412, 105, 'Key already exists', '/file'],
    ['DELETE /v2/keys/?recursive=true', 400, 107, 'Root is read only', '/'],
    ['DELETE /v2/keys/dir?dir=true', 403, 108, 'Directory not empty', '/dir'],
    ['PUT /v2/keys/file?prevValue=%3C%ff value=y', 412, 101, 'Compare failed', '[\\u003c\\ufffd != v]'],
  ])('%s: %d', (line, status, code, message, cause) => {
    const api = createTestApi()
    api.send('PUT /v2/keys/file value=v')
    api.send('PUT /v2/keys/dir/x value=v')
    expect(api.send(line).answer).toEqual({
      status,
      headers: { 'Content-Type': json, 'X-Etcd-Cluster-Id': cluster, 'X-Etcd-Index': '2' },
      body: `{"errorCode":${code},"message":"${message}","cause":"${cause}","index":2}\n`,
    })
  })
})
