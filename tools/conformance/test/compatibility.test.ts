/** What docs/compatibility/etcd-v2.md says of kvd and kvctl and marks with ✓, against the built programs. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { freePort, kvdCommand, type ServerProcess, startServer } from '../src/server-process.ts'

const root = resolve(import.meta.dirname, '../../..')
const documentPath = join(root, 'docs/compatibility/etcd-v2.md')
const kvctlFile = join(root, 'apps/kvctl/dist/kvctl.cjs')

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let folder = ''
let kvd: ServerProcess
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cluster-compatibility-'))
  kvd = await startServer({ command: kvdCommand(root), folder })
})
afterAll(async () => {
  await kvd.stop()
  rmSync(folder, { recursive: true, force: true })
})

type Seen = { readonly status: number; readonly text: string; readonly headers: Headers }

async function ask(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Seen> {
  const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const init = body === undefined ? { method, headers } : { method, body, headers: { ...type, ...headers } }
  const answer = await fetch(`${kvd.clientUrl}${path}`, { ...init, signal: AbortSignal.timeout(20_000) })
  return { status: answer.status, text: await answer.text(), headers: answer.headers }
}
const put = (key: string, body: string): Promise<Seen> => ask('PUT', `/v2/keys${key}`, body)
const json = { 'Content-Type': 'application/json' }
const basic = (name: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
})

describe('the document', () => {
  const text = readFileSync(documentPath, 'utf8')

  it('links to what is there', () => {
    const links = [...text.matchAll(/\]\(([^)#]+)/g)].map(([, link = '']) => join(dirname(documentPath), link))
    expect(links.filter((link) => !existsSync(link))).toEqual([])
  })

  it.each([
    ['libs/kv-server/src/v2/errors.ts', 'etcdserver: no space'],
    ['libs/kv-server/src/v2/errors.ts', 'etcdserver: too many requests'],
    ['libs/kv-server/src/v2/errors.ts', 'etcdserver: request is too large'],
    ['libs/kv-server/src/v2/members.ts', 'this server runs as one member: no member can be added'],
    ['libs/kv-server/src/v2/members.ts', 'this server runs as one member: its last member cannot be removed'],
    [
      'libs/kv-server/src/bootstrap.ts',
      'force a new cluster of this member alone, once, if the others are gone for good',
    ],
    ['libs/kv-server/src/metrics.ts', 'etcd_http_received_total'],
    ['libs/kv-server/src/metrics.ts', 'etcd_http_proposals_failed_total'],
  ])('quotes %s: %s', (file, words) => {
    expect(readFileSync(join(root, file), 'utf8')).toContain(words)
    expect(text).toContain(words)
  })
})

describe('kvd', () => {
  it('proves its health through the log, without an index of the store', async () => {
    const index = (await ask('GET', '/v2/keys')).headers.get('x-etcd-index')
    expect(await ask('GET', '/health')).toMatchObject({ status: 200, text: '{"health": "true"}' })
    expect((await ask('GET', '/v2/keys')).headers.get('x-etcd-index')).toBe(index)
  })

  it('finds events on the key of a recursive watch in the history', async () => {
    const first = (await put('/own', 'value=1')).headers.get('x-etcd-index')
    await put('/other', 'value=1')
    await put('/own', 'value=2')
    const { text } = await ask('GET', `/v2/keys/own?wait=true&recursive=true&waitIndex=${Number(first) + 1}`)
    expect(JSON.parse(text)).toMatchObject({ action: 'set', node: { key: '/own', value: '2' } })
  })

  it('rests while nothing has a deadline', async () => {
    const before = (await put('/rest', 'value=1')).headers.get('x-raft-index')
    expect((await put('/rest', 'value=2')).headers.get('x-raft-index')).toBe(String(Number(before) + 1))
  })

  it('refuses to grow or to end by a change of members', async () => {
    const added = await ask('POST', '/v2/members', '{"peerURLs":["http://10.0.0.9:2380"]}', json)
    expect([added.status, added.text]).toEqual([
      500,
      '{"message":"this server runs as one member: no member can be added"}',
    ])
    const { members } = JSON.parse((await ask('GET', '/v2/members')).text)
    const removed = await ask('DELETE', `/v2/members/${members[0].id}`)
    expect([removed.status, removed.text]).toEqual([
      500,
      '{"message":"this server runs as one member: its last member cannot be removed"}',
    ])
  })

  it('records the peer URLs and opens none', async () => {
    const { members } = JSON.parse((await ask('GET', '/v2/members')).text)
    expect(members[0].peerURLs).toEqual([kvd.peerUrl])
    const refusal = await new Promise((settle) => {
      const socket = connect(Number(new URL(kvd.peerUrl).port), '127.0.0.1', () => settle('connected'))
      socket.once('error', (error) => settle('code' in error ? error.code : error))
    })
    expect(refusal).toBe('ECONNREFUSED')
  })

  it('compares a prevIndex above 2⁵³ as text', async () => {
    await put('/huge', 'value=1')
    const { status, text } = await ask('PUT', '/v2/keys/huge?prevIndex=9007199254740993', 'value=2')
    expect([status, JSON.parse(text).cause]).toEqual([412, expect.stringMatching(/^\[9007199254740993 != \d+\]$/)])
  })

  it('lists unsorted in the order in which keys were made', async () => {
    for (const name of ['c', 'a', 'b']) await put(`/made/${name}`, 'value=1')
    const { node } = JSON.parse((await ask('GET', '/v2/keys/made')).text)
    expect(node.nodes.map(({ key }: { readonly key: string }) => key)).toEqual(['/made/c', '/made/a', '/made/b'])
  })

  it('gives a large directory no Content-Length for HEAD', async () => {
    for (let at = 0; at < 3000; at += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, one) => put(`/large/${at + one}`, `value=${'x'.repeat(500)}`)))
    }
    expect((await ask('HEAD', '/v2/keys/large')).headers.get('content-length')).toBeNull()
    expect((await ask('HEAD', '/v2/keys/made')).headers.get('content-length')).toMatch(/^\d+$/)
  })

  it('equals 2.3.8 where 3.4 is another: noValueOnSuccess, the node of an expired directory', async () => {
    expect(JSON.parse((await put('/shown?noValueOnSuccess=true', 'value=1')).text)).toHaveProperty('node')
    await put('/short', 'dir=true&ttl=1')
    const { action, node, prevNode } = JSON.parse((await ask('GET', '/v2/keys/short?wait=true')).text)
    expect([action, 'dir' in node, prevNode.dir]).toEqual(['expire', false, true])
  })

  it('shows fewer members in /debug/vars', async () => {
    const vars = JSON.parse((await ask('GET', '/debug/vars')).text)
    expect(Object.keys(vars)).toEqual(['cmdline', 'file_descriptor_limit', 'memstats', 'raft.status'])
  })
})

describe('rights', () => {
  it('ignore empty patterns, refuse empty names and paths, and know a password until it changes', async () => {
    await using open = await startServer({ command: kvdCommand(root), folder: join(folder, 'rights') })
    const call = async (method: string, path: string, headers: Record<string, string>, body?: object) => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) }
      return (await fetch(`${open.clientUrl}${path}`, { method, headers, ...sent })).status
    }
    await call('PUT', '/v2/auth/users/root', {}, { user: 'root', password: 'p' })
    await call('PUT', '/v2/auth/roles/odd', {}, { role: 'odd', permissions: { kv: { read: ['', '/a'], write: null } } })
    await call('PUT', '/v2/auth/users/ann', {}, { user: 'ann', password: 'p', roles: ['odd'] })
    expect(await call('PUT', '/v2/auth/enable', {})).toBe(200)
    expect(await call('GET', '/v2/keys/b', basic('ann', 'p'))).toBe(401)
    expect(await call('GET', '/v2/keys/a', basic('ann', 'p'))).toBe(404)
    expect(await call('GET', '/v2/keys/a', basic('', 'p'))).toBe(401)
    expect(await call('GET', '/v2/auth/users', basic('x/../root', 'p'))).toBe(401)
    expect(await call('GET', '/v2/auth/users', basic('root', 'p'))).toBe(200)
    expect(await call('PUT', '/v2/auth/users/ann', basic('root', 'p'), { user: 'ann', password: 'q' })).toBe(200)
    expect(await call('GET', '/v2/keys/a', basic('ann', 'p'))).toBe(401)
    expect(await call('GET', '/v2/keys/a', basic('ann', 'q'))).toBe(404)
    // From the first moment after a start, and rights are enforced.
    await open.stop('SIGKILL')
    const [, script = ''] = kvdCommand(root)
    const again = await firstAnswers(script, join(folder, 'rights/n0.data'))
    expect(again).toEqual(['200 {"enabled":true}\n', '401'])
  })
})

/** The first answers that a start of kvd gives: `/v2/auth/enable`, then a key without credentials and without rights. */
async function firstAnswers(script: string, dataDirectory: string): Promise<readonly string[]> {
  const url = `http://127.0.0.1:${await freePort()}`
  const flags = ['--data-dir', dataDirectory, '--listen-client-urls', url, '--advertise-client-urls', url]
  const child = execFile(process.execPath, [script, ...flags])
  const ended = new Promise((settle) => child.once('exit', settle))
  try {
    for (;;) {
      const first = await fetch(`${url}/v2/auth/enable`).catch(() => undefined)
      if (first === undefined) {
        if (child.exitCode !== null) throw new Error('kvd has ended')
        continue
      }
      const members = await fetch(`${url}/v2/auth/users`)
      return [`${first.status} ${await first.text()}`, String(members.status)]
    }
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

describe('flags of kvd', () => {
  const [program = '', script = ''] = kvdCommand(root)
  it.each([
    [['--initial-cluster', 'default=http://localhost:2380,b=http://h:1'], 1, 'runs one member alone'],
    [['--initial-cluster-state', 'existing'], 1, 'runs one member alone'],
    [['--discovery', 'http://h:1/x'], 1, 'runs one member alone'],
    [['--discovery-srv', 'example.org'], 1, 'runs one member alone'],
    [['--proxy', 'on'], 1, 'runs one member alone'],
    [['--wal-dir', '/w'], 1, '-wal-dir cannot be used'],
    [['--addr', 'h:1'], 2, 'use --listen-client-urls and advertise-client-urls'],
    [['--peer-addr', 'h:1'], 2, 'use --listen-peer-urls and initial-advertise-peer-urls'],
  ])('%j: exit %d, %s', (flags, exit, words) => {
    const { status, stderr } = spawnSync(program, [script, ...flags], { cwd: folder, encoding: 'utf8' })
    expect([status, stderr]).toEqual([exit, expect.stringContaining(words)])
  })

  it('--version begins as that of etcd', () => {
    const { stdout } = spawnSync(program, [script, '--version'], { encoding: 'utf8' })
    expect(stdout).toMatch(/^etcd Version: 2\.3\.8\nkvd Version: /)
  })
})

describe('kvctl', () => {
  const kvctl = (file: string, ...words: string[]) =>
    spawnSync(process.execPath, [file, ...words], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
      maxBuffer: 64 * 1024 * 1024,
    })

  it('takes HOST:PORT and more commands, and as etcdctl neither', () => {
    const etcdctlFile = join(folder, 'etcdctl')
    symlinkSync(kvctlFile, etcdctlFile)
    const endpoint = `127.0.0.1:${kvd.port}`
    expect(kvctl(kvctlFile, '--endpoints', endpoint, 'set', '/by', 'kvctl')).toMatchObject({
      status: 0,
      stdout: 'kvctl\n',
    })
    expect(kvctl(etcdctlFile, '--endpoints', endpoint, 'get', '/by')).toMatchObject({ status: 1 })
    expect(kvctl(kvctlFile, 'check', kvd.dataDirectory)).toMatchObject({ status: 0 })
    expect(kvctl(etcdctlFile, 'check', kvd.dataDirectory).stdout).toContain("No help topic for 'check'")
    expect(kvctl(etcdctlFile, '--version').stdout).toBe('etcdctl version 2.3.8\n')
    expect(kvctl(kvctlFile, '--version').stdout).toMatch(/^kvctl version \d/)
  })

  it('copies a live directory with its last write, and refuses --wal-dir', async () => {
    await put('/last', 'value=acknowledged')
    const to = join(folder, 'copy')
    expect(kvctl(kvctlFile, 'backup', '--data-dir', kvd.dataDirectory, '--backup-dir', to)).toMatchObject({ status: 0 })
    expect(kvctl(kvctlFile, 'dump', to).stdout).toContain('set path="/1/last" value="acknowledged"')
    const refused = kvctl(
      kvctlFile,
      'backup',
      '--data-dir',
      kvd.dataDirectory,
      '--backup-dir',
      `${to}2`,
      '--wal-dir',
      'w',
    )
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('--wal-dir cannot be used')])
  })
})
