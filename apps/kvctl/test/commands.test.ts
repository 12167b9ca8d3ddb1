/** Commands against a store that answers as told. What etcd itself answers is recorded: vectors/etcdctl-v2. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { startFakeStore } from './fake-store.ts'
import { run } from './run-kvctl.ts'

const folder = mkdtempSync(join(tmpdir(), 'kvctl-'))
afterAll(() => rmSync(folder, { recursive: true }))
const closed = 'http://127.0.0.1:9'

describe('words', () => {
  it.each([
    [['get'], 'key required'],
    [['set'], 'key required'],
    [['set', '/a'], 'value required'],
    [['mk', '/a'], 'value required'],
    [['mkdir'], 'key required'],
    [['rm'], 'key required'],
    [['watch'], 'key required'],
    [['exec-watch', '/a'], 'key and command to exec required'],
    [['exec-watch', '/a', '--'], 'key and command to exec required'],
  ])('%j are too few, which is said before anybody is asked', async (words, message) => {
    expect(await run(words)).toEqual({ exit: 1, stdout: '', stderr: `Error:  ${message}\n` })
  })

  it.each([
    [['member', 'list', 'x'], 'No arguments accepted'],
    [['member', 'add', 'x'], 'Provide a name and a single member peerURL'],
    [['member', 'remove'], 'Provide a single member ID'],
    [['auth', 'enable', 'x'], 'No arguments accepted'],
    [['user', 'get'], 'Please provide a username'],
    [['user', 'grant', 'bob'], 'No roles specified; please use `-roles`'],
    [['role', 'get'], 'Please provide a role name'],
    [['role', 'grant', 'app', '--read'], 'No path specified; please use `-path`'],
    [['role', 'grant', '--path', '/a//b', '--read', 'r'], 'Not canonical path; please use `-path=/a/b`'],
  ])('%j are wrong: %s', async (words, message) => {
    expect(await run(words)).toEqual({ exit: 1, stdout: '', stderr: `${message}\n` })
  })

  it.each(
    [['nosuch'], ['user', 'nosuch'], ['help', 'nosuch'], ['completion', 'bash'], ['dump', 'x']].map((words) => [words]),
  )('%j are no topic of etcdctl, which counts as success', async (words) => {
    const { exit, stdout } = await run(words)
    expect([exit, stdout]).toEqual([
      0,
      `No help topic for '${words[0] === 'help' || words[0] === 'user' ? words[1] : words[0]}'\n`,
    ])
  })

  it('a value that begins with a dash is taken for a flag, and nothing is written', async () => {
    await using store = await startFakeStore()
    const { exit, stdout } = await run(['set', '/a', '-5'], { url: store.url })
    expect([exit, stdout.slice(0, 24), store.asked]).toEqual([0, 'Incorrect Usage.\n\nNAME:\n', []])
    expect((await run(['set', '--', '/a', '-5'], { url: store.url })).stdout).toBe('-5\n')
  })

  it('as kvctl it says what was wrong with a flag', async () => {
    expect((await run(['get', '-x'], { program: 'kvctl' })).stderr).toBe('flag provided but not defined: -x\n')
  })
})

describe('values', () => {
  it('come from stdin byte for byte when they are not given', async () => {
    await using store = await startFakeStore()
    expect(await run(['set', '/a'], { url: store.url, stdin: 'two\nlines\n' })).toEqual({
      exit: 0,
      stdout: 'two\nlines\n\n',
      stderr: '',
    })
    expect(store.asked.at(-1)?.body).toBe('value=two%0Alines%0A')
  })

  it('are printed in the form that is asked for', async () => {
    await using store = await startFakeStore()
    const { url } = store
    await run(['set', '/a', 'one'], { url })
    expect((await run(['-o', 'extended', 'set', '/a', 'two'], { url })).stdout).toBe(
      'Key: /a\nCreated-Index: 5\nModified-Index: 5\nPrevNode.Value: one\nTTL: 0\nIndex: 5\n\ntwo\n',
    )
    expect((await run(['-o', 'json', 'get', '/a'], { url })).stdout).toBe(
      '{"action":"get","node":{"key":"/a","value":"two","nodes":null,"createdIndex":5,"modifiedIndex":5},"prevNode":null}\n',
    )
    expect(await run(['-o', 'yaml', 'get', '/a'], { url })).toEqual({
      exit: 0,
      stdout: '',
      stderr: 'Unsupported output format: yaml\n',
    })
    expect((await run(['rm', '/a'], { url })).stdout).toBe('PrevNode.Value: two\n')
  })

  it('of a tree are listed depth first', async () => {
    await using store = await startFakeStore()
    const leaf = (key: string) => ({ key, value: '', modifiedIndex: 1, createdIndex: 1 })
    const node = { dir: true, nodes: [{ key: '/a', dir: true, nodes: [leaf('/a/x'), leaf('/a/y')] }, leaf('/b')] }
    store.answers.set('GET /v2/keys/?quorum=false&recursive=true&sorted=true', [
      200,
      JSON.stringify({ action: 'get', node }),
    ])
    expect((await run(['ls', '--sort', '--recursive', '-p'], { url: store.url })).stdout).toBe('/a/\n/a/x\n/a/y\n/b\n')
    expect((await run(['get', '/'], { url: store.url })).exit).toBe(4)
  })
})

describe('a refusal', () => {
  it('is told with its code, cause and index, exit 4', async () => {
    await using store = await startFakeStore()
    expect(await run(['get', '/none'], { url: store.url })).toEqual({
      exit: 4,
      stdout: '',
      stderr: 'Error:  100: Key not found (/none) [3]\n',
    })
  })

  it('of members, users and roles is told in the server’s words, exit 1', async () => {
    await using store = await startFakeStore()
    store.answers.set('PUT /v2/auth/enable', [409, '{"message":"auth: already enabled"}'])
    store.answers.set('GET /v2/auth/roles', [401, '{"message":"Insufficient credentials"}'])
    store.answers.set('POST /v2/members', [401, '{"message":"Insufficient credentials"}'])
    const { url } = store
    expect((await run(['auth', 'enable'], { url })).stderr).toBe('auth: already enabled\n')
    expect((await run(['role', 'list'], { url })).stderr).toBe('unexpected status code 401\n')
    expect(await run(['member', 'add', 'x', 'http://h:1'], { url })).toEqual({
      exit: 1,
      stdout: '',
      stderr: 'unexpected status code 401\n',
    })
  })

  it.each([
    ['<html>', 'client: response is invalid json. The endpoint is probably not valid etcd cluster endpoint.'],
    ['', 'client: response is invalid json. The endpoint is probably not valid etcd cluster endpoint.'],
  ])('an answer %j is none of a store', async (body, message) => {
    await using store = await startFakeStore()
    store.answers.set('GET /v2/keys/a?quorum=false&recursive=false&sorted=false', [200, body])
    const { exit, stderr } = await run(['get', '/a'], { url: store.url })
    expect([exit, stderr]).toEqual([4, `Error:  ${message}\n`])
  })
})

describe('endpoints', () => {
  const unavailable =
    'Error:  client: etcd cluster is unavailable or misconfigured\nerror #0: dial tcp 127.0.0.1:9: connect: connection refused\n\n'

  it.each([
    [['get', '/a'], 2, ''],
    [['--no-sync', 'get', '/a'], 4, ''],
    [['cluster-health'], 4, 'cluster may be unhealthy: failed to list members\n'],
    [['member', 'list'], 2, ''],
  ])('where nobody listens: %j ends with %i', async (words, exit, stdout) => {
    expect(await run(words, { url: closed })).toEqual({ exit, stdout, stderr: unavailable })
  })

  it('are tried in turn', async () => {
    await using store = await startFakeStore()
    expect((await run(['--no-sync', 'set', '/a', '1'], { url: `${closed},${store.url}` })).stdout).toBe('1\n')
  })

  it('may come from the name service', async () => {
    await using store = await startFakeStore()
    const { hostname, port } = new URL(store.url)
    const resolveService = async (name: string) =>
      name === '_etcd-client._tcp.example.com' ? [{ host: hostname, port: Number(port) }] : []
    expect(await run(['-D', 'example.com', 'set', '/a', '1'], { url: closed, resolveService })).toEqual({
      exit: 0,
      stdout: '1\n',
      stderr: '',
    })
  })

  it('need no scheme for kvctl', async () => {
    await using store = await startFakeStore()
    const words = ['--endpoints', store.url.replace('http://', ''), 'set', '/a', '1']
    expect((await run(words, { program: 'kvctl' })).stdout).toBe('1\n')
    expect((await run(words)).exit).toBe(1)
  })

  it('that nobody publishes are told with a remedy', async () => {
    await using store = await startFakeStore()
    store.answers.set('GET /v2/members', [200, '{"members":[]}'])
    expect(await run(['get', '/a'], { url: store.url })).toEqual({
      exit: 4,
      stdout: '',
      stderr: `etcd cluster has no published client endpoints.\nTry '--no-sync' if you want to access non-published client endpoints(${store.url}).\nError:  client: no endpoints available\n`,
    })
  })

  it('are shown with every request by --debug, passwords are not', async () => {
    await using store = await startFakeStore()
    store.answers.set('GET /v2/auth/users/ann', [404, '{"message":"auth: User ann does not exist."}'])
    store.answers.set('PUT /v2/auth/users/ann', [201, '{}'])
    const { exit, stdout, stderr } = await run(['--debug', '-u', 'root:hush', 'user', 'add', 'ann:hush'], {
      url: store.url,
    })
    expect([exit, stdout]).toEqual([0, 'User ann created\n'])
    expect(stderr.split('\n')).toEqual([
      `start to sync cluster using endpoints(${store.url})`,
      `cURL Command: curl -X GET ${store.url}/v2/members`,
      `got endpoints(${store.url}) after sync`,
      `Cluster-Endpoints: ${store.url}`,
      `cURL Command: curl -X GET ${store.url}/v2/auth/users/ann`,
      `cURL Command: curl -X PUT ${store.url}/v2/auth/users/ann -d "{\\"user\\":\\"ann\\",\\"password\\":\\"[secret]\\"}"`,
      '',
    ])
  })

  it('that are https need files that can be read', async () => {
    const missing = join(folder, 'none.pem')
    expect((await run(['--ca-file', missing, 'get', '/a'], { url: closed })).stderr).toBe(
      `open ${missing}: no such file or directory\n`,
    )
    const broken = join(folder, 'broken.pem')
    writeFileSync(broken, 'no certificate')
    const { exit, stderr } = await run(['get', '/a'], { url: closed, env: { ETCDCTL_CA_FILE: broken } })
    expect([exit, stderr.split('\n')[0]]).toEqual([1, `${broken} holds no certificate`])
  })
})

describe('passwords', () => {
  it('are asked for when they are not given', async () => {
    await using store = await startFakeStore()
    store.answers.set('GET /v2/auth/users/ann', [404, '{"message":"auth: User ann does not exist."}'])
    store.answers.set('PUT /v2/auth/users/ann', [201, '{}'])
    const ran = await run(['user', 'add', 'ann'], { url: store.url, password: 'typed' })
    expect([ran.exit, ran.stdout]).toEqual([0, 'New password: \nUser ann created\n'])
    expect(store.asked.at(-1)?.body).toBe('{"user":"ann","password":"typed"}')
  })

  it('are not asked for when the user is there already', async () => {
    await using store = await startFakeStore()
    store.answers.set('GET /v2/auth/users/ann', [200, '{"user":"ann"}'])
    expect(await run(['user', 'add', 'ann'], { url: store.url })).toEqual({
      exit: 1,
      stdout: '',
      stderr: 'User ann already exists\n',
    })
  })
})

describe('watch', () => {
  it('ends with 0 when it is interrupted', async () => {
    await using store = await startFakeStore()
    const ending = new AbortController()
    const watching = run(['watch', '--forever', '--recursive', '/'], { url: store.url, signal: ending.signal })
    await store.watched()
    await run(['set', '/a', '1'], { url: store.url })
    await store.watched()
    ending.abort()
    expect(await watching).toEqual({ exit: 0, stdout: '[set] /a\n1\n', stderr: '' })
    expect(store.asked.at(-1)?.target).toContain('waitIndex=5')
  })

  it('that starts programs tells them the change', async () => {
    await using store = await startFakeStore()
    const started: unknown[] = []
    const watching = run(['exec-watch', '--after-index', '7', '/a', '--', 'sh', '-c', 'x'], {
      url: store.url,
      start: async (argv, env) => {
        started.push([argv, env])
        return { kind: 'failed', reason: 'exec: no' }
      },
    })
    await store.watched()
    expect(store.asked.at(-1)?.target).toContain('waitIndex=9')
    await run(['set', '/a', 'v'], { url: store.url })
    expect(await watching).toEqual({ exit: 1, stdout: '', stderr: 'exec: no' })
    expect(started).toEqual([
      [
        ['sh', '-c', 'x'],
        { ETCD_WATCH_ACTION: 'set', ETCD_WATCH_MODIFIED_INDEX: '4', ETCD_WATCH_KEY: '/a', ETCD_WATCH_VALUE: 'v' },
      ],
    ])
  })
})

describe('health and members', () => {
  it('a cluster is healthy if one member is', async () => {
    await using store = await startFakeStore()
    await using sick = await startFakeStore()
    sick.answers.set('GET /health', [503, '{"health": "false"}\n'])
    store.answers.set('GET /health', [200, '{"health": "true"}'])
    const members = [
      { id: '1', name: 'a', peerURLs: [], clientURLs: [closed, store.url] },
      { id: '2', name: 'b', peerURLs: [], clientURLs: [sick.url] },
      { id: '3', name: 'c', peerURLs: [], clientURLs: [closed] },
      { id: '4', name: '', peerURLs: [], clientURLs: [] },
    ]
    store.answers.set('GET /v2/members', [200, JSON.stringify({ members })])
    const refusal = `Get "${closed}/health": dial tcp 127.0.0.1:9: connect: connection refused`
    expect(await run(['cluster-health'], { url: store.url })).toEqual({
      exit: 0,
      stderr: '',
      stdout: [
        `failed to check the health of member 1 on ${closed}: ${refusal}`,
        `member 1 is healthy: got healthy result from ${store.url}`,
        `member 2 is unhealthy: got unhealthy result from ${sick.url}`,
        `failed to check the health of member 3 on ${closed}: ${refusal}`,
        `member 3 is unreachable: [${closed}] are all unreachable`,
        'member 4 is unreachable: no available published client urls',
        'cluster is healthy',
        '',
      ].join('\n'),
    })
    store.answers.set('GET /health', [200, '{"health": "false"}'])
    expect((await run(['cluster-health'], { url: store.url })).exit).toBe(5)
  })

  it('a list without a leader is a failure', async () => {
    await using store = await startFakeStore()
    store.answers.set('GET /v2/members/leader', [503, '{"message":"During election"}'])
    expect(await run(['member', 'list'], { url: store.url })).toEqual({
      exit: 1,
      stdout: '',
      stderr: 'Failed to get leader:  client: etcd cluster is unavailable or misconfigured\n',
    })
  })
})

describe('import', () => {
  it('writes the keys of a snapshot', async () => {
    await using store = await startFakeStore()
    const file = join(folder, 'snapshot')
    const old = { Value: 'gone', ExpireTime: '2014-01-01T00:00:00Z' }
    writeFileSync(file, JSON.stringify({ Root: { Children: { a: { Value: '1' }, b: { Value: '2' }, old } } }))
    const { exit, stdout } = await run(['import', '--snap', file, '-c', '2'], { url: store.url })
    expect([exit, stdout]).toEqual([
      0,
      `starting to import snapshot ${file} with 2 clients\nfinished importing 2 keys\n`,
    ])
    expect((await run(['get', '/b'], { url: store.url })).stdout).toBe('2\n')
  })

  it('says what is wrong with a file', async () => {
    const file = join(folder, 'nothing')
    writeFileSync(file, '{}')
    expect((await run(['import', '--snap', file])).stdout).toBe(
      'cannot recover the snapshot file: it has no Root: expected the JSON of a store of etcd 0.4\n',
    )
  })
})
