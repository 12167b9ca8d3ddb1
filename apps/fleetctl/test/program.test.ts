/** The program as it is shipped: bundled, in a process of its own, against a server on a real socket. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { version } from '../src/version.ts'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const root = fileURLToPath(new URL('../../..', import.meta.url))
let folder = ''
let server: Server | undefined

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleetctl-'))
  const tsup = join(root, 'node_modules/tsup/dist/cli-default.js')
  execFileSync(process.execPath, [tsup, '--config', 'tsup.config.ts', '--out-dir', folder], { cwd: packageFolder })
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

const serve = (answer: RequestListener): Promise<string> =>
  new Promise((resolve) => {
    server = createServer(answer).listen(0, '127.0.0.1', () => {
      const address = server?.address()
      resolve(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`)
    })
  })

const run = (args: readonly string[], command = [process.execPath, join(folder, 'fleetctl.cjs')]) => {
  const [program = '', ...first] = command
  const child = spawn(program, [...first, ...args], { cwd: folder, env: { PATH: process.env['PATH'] ?? '' } })
  return { child, ended: endOf(child) }
}

async function endOf(child: ChildProcess): Promise<{ exit: number | null; stdout: string; stderr: string }> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (text) => {
    stdout += text
  })
  child.stderr?.on('data', (text) => {
    stderr += text
  })
  return await new Promise((resolve) => child.on('close', (exit) => resolve({ exit, stdout, stderr })))
}

it('tells the version of its package', async () => {
  const packaged: unknown = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))
  expect(packaged).toMatchObject({ version })
  expect(await run(['version']).ended).toEqual({ exit: 0, stdout: `fleetctl version ${version}\n`, stderr: '' })
})

it('lists over HTTP', async () => {
  const endpoint = await serve((request, response) => {
    const path = new URL(request.url ?? '', 'http://x').pathname
    response.end(
      JSON.stringify(
        path.endsWith('/machines')
          ? { machines: [{ id: '1a000000000000000000000000000001', metadata: { az: 'a' }, primaryIP: '10.77.0.11' }] }
          : {},
      ),
    )
  })
  expect((await run(['--endpoint', endpoint, 'list-machines']).ended).stdout).toBe(
    'MACHINE\t\tIP\t\tMETADATA\n1a000000...\t10.77.0.11\taz=a\n',
  )
})

it('says where a daemon was looked for that is not there, and what to do', async () => {
  const { exit, stderr } = await run(['--endpoint', `unix://${folder}/none.sock`, 'list-units']).ended
  expect(exit).toBe(1)
  expect(stderr).toContain(`${folder}/none.sock`)
  expect(stderr).toContain('--endpoint')
})

it.each([
  ['nonsense', 200, '<html>', 'Error retrieving list of units from repository: '],
  ['another JSON', 200, '{"states": 7}', 'Error retrieving list of units from repository: '],
  [
    'that it has no store',
    503,
    '{"error":{"code":503,"message":"fleet server unable to communicate with etcd"}}',
    'Error retrieving list of units from repository: googleapi: Error 503: fleet server unable to communicate with etcd\n',
  ],
  [
    'that it is another server',
    404,
    '404 page not found\n',
    'Error retrieving list of units from repository: googleapi: got HTTP response code 404 with body: 404 page not found\n\n',
  ],
])('a server that says %s is one clear error', async (_, status, body, words) => {
  const endpoint = await serve((_request, response) => response.writeHead(status).end(body))
  const { exit, stdout, stderr } = await run(['--endpoint', endpoint, 'list-units']).ended
  expect([exit, stdout]).toEqual([1, ''])
  expect(stderr).toContain(words)
  expect(stderr).not.toContain('    at ')
})

it('ends with 130 when interrupted while it waits, and says what stays', async () => {
  writeFileSync(join(folder, 'a.service'), '[Service]\nExecStart=/bin/true\n')
  let child: ChildProcess | undefined
  let isStored = false
  const endpoint = await serve((request, response) => {
    if (request.method === 'PUT') {
      isStored = true
      response.writeHead(201).end()
    } else if (request.url?.includes('/units/') === true) {
      if (isStored) child?.kill('SIGINT')
      const unit = { name: 'a.service', desiredState: 'launched', currentState: 'inactive' }
      response.writeHead(isStored ? 200 : 404).end(JSON.stringify(isStored ? unit : {}))
    } else {
      response.end('{}')
    }
  })
  const started = run(['--endpoint', endpoint, 'start', 'a.service'])
  child = started.child
  const { exit, stdout, stderr } = await started.ended
  expect([exit, stdout]).toEqual([130, 'Unit a.service inactive\n'])
  expect(stderr).toContain('Interrupted. What was asked for stays: a.service is to be launched')
})

const cluster = (machineCount: number, unitCount: number): RequestListener => {
  const machines = Array.from({ length: machineCount }, (_, index) => ({
    id: (0x1a000000 + index).toString(16).padEnd(32, '0'),
    metadata: { disk: index % 5 === 0 ? 'ssd' : 'hdd' },
  }))
  const units = Array.from({ length: unitCount }, (_, index) => ({
    name: `u${index}.service`,
    options: [{ section: 'X-Fleet', name: 'MachineMetadata', value: index % 2 === 0 ? 'disk=ssd' : 'disk=hdd' }],
    desiredState: 'launched',
    machineID: machines[(index * 5 + (index % 2)) % machineCount]?.id,
  }))
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
    if (pathname.endsWith('/machines')) return response.end(JSON.stringify({ machines }))
    if (!pathname.endsWith('/units')) return response.writeHead(404).end('{}')
    const from = Number(searchParams.get('nextPageToken') ?? 0)
    const nextPageToken = from + 100 < units.length ? { nextPageToken: String(from + 100) } : {}
    return response.end(JSON.stringify({ units: units.slice(from, from + 100), ...nextPageToken }))
  }
}

it('finds the worst loss of two machines over HTTP', async () => {
  const endpoint = await serve(cluster(40, 800))
  const args = ['--endpoint', endpoint, 'what-if', 'lose', '--any', '2', '--output', 'json', '--fail-on-unplaced']
  const { exit, stdout, stderr } = await run(args).ended
  expect([exit, stderr]).toEqual([0, ''])
  expect(JSON.parse(stdout)).toMatchObject({
    sets: { total: 780, done: 780, failing: 0, isComplete: true },
    consequences: { unplaced: [], before: { machines: 40, units: 800 }, after: { machines: 38, units: 800 } },
  })
})

it('ends with 130 when interrupted while it plans, with the worst so far', async () => {
  let child: ChildProcess | undefined
  const answer = cluster(200, 4000)
  const endpoint = await serve((request, response) => {
    const isLast = request.url?.endsWith('nextPageToken=3900') === true
    response.on('finish', () => isLast && child?.kill('SIGINT'))
    answer(request, response)
  })
  // Some 1,300,000 sets: nobody waits for the end.
  const started = run(['--endpoint', endpoint, 'what-if', 'lose', '--any', '3'])
  child = started.child
  const { exit, stdout, stderr } = await started.ended
  expect(exit).toBe(130)
  // The signal may come before the first set.
  if (stdout !== '') expect(stdout).toContain('The worst so far: ')
  expect(stderr === '' || stderr.startsWith('Interrupted after ')).toBe(true)
})

it('does not mind a reader that goes away', async () => {
  const machines = Array.from({ length: 20_000 }, (_, index) => ({ id: String(index).padStart(32, '0') }))
  const endpoint = await serve((_request, response) => response.end(JSON.stringify({ machines })))
  const script = `"$0" "$@" | head -1; exit "\${PIPESTATUS[0]}"`
  const command = ['bash', '--norc', '-c', script, process.execPath, join(folder, 'fleetctl.cjs')]
  const { exit, stdout, stderr } = await run(['--endpoint', endpoint, 'list-machines', '--no-legend'], command).ended
  expect([exit, stderr, stdout]).toEqual([0, '', '00000000...\t-\t-\n'])
})
