/**
 * A tour of the store with Debian's own etcdctl (v2 commands): each command is given to both servers, and what it
 * prints, and how it ends, must be the same.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { etcdCommand, type ServerProcess, startServer } from './server-process.ts'

export type TourStop = {
  readonly argv: readonly string[]
  readonly stdin?: string
  /** Runs beside the next command, which makes it end. */
  readonly isBackground?: boolean
}

/** Everything etcdctl can do with one member. */
export const tour: readonly TourStop[] = [
  ...[
    'set /t/a one',
    'get /t/a',
    'get --quorum /t/a',
    'mk /t/a two',
    'mk /t/b two',
    'mk --in-order /t/queue first',
    'mk --in-order /t/queue second',
    'update /t/b three',
    'update /t/missing x',
    'set --ttl 1000 /t/c with-ttl',
    'set --swap-with-value one /t/a swapped',
    'set --swap-with-value one /t/a again',
    'set --swap-with-index 1 /t/a again',
    'mkdir /t/d',
    'mkdir /t/d',
    'setdir /t/e',
    'updatedir --ttl 900 /t/e',
    'set /t/d/x 1',
    'set /t/_hidden 1',
    'set /t/a/under-a-file 1',
    'ls --sort /t',
    'ls --sort --recursive -p /t',
    'ls /t/missing',
    'get /t/d',
    'get /t/missing',
    'get /t/_hidden',
    'rm /t/d',
    'rmdir /t/d',
    'rm --with-value wrong /t/b',
    'rm --with-value three /t/b',
    'rm --with-index 1 /t/a',
    'rm --recursive /t/d',
    'rm /t/missing',
    'set /t/json {"a":"<&>"}',
    '-o json get /t/json',
    '-o extended get /t/json',
    '-o json set /t/json2 1',
    '-o extended rm /t/json2',
    'cluster-health',
    'member list',
    'role add app',
    'role add app',
    'role grant app --path /t/* --readwrite',
    'role get app',
    'role list',
    'user add root:secret',
    'user add app:pw',
    'user grant app --roles app',
    'user get app',
    'user list',
    'auth enable',
    'get /t/a',
    '-u app:pw get /t/a',
    '-u app:pw set /t/a by-app',
    '-u app:pw set /other by-app',
    '-u app:wrong get /t/a',
    '-u root:secret role revoke guest --path /* --readwrite',
    'get /t/a',
    '-u root:secret user revoke app --roles app',
    '-u app:pw get /t/a',
    '-u root:secret auth disable',
    'user remove app',
    'role remove app',
    'role remove app',
  ].map((line) => ({ argv: line.split(' ') })),
  { argv: ['set', '/t/stdin'], stdin: 'two lines\nof text\n' },
  { argv: ['get', '/t/stdin'] },
  { argv: ['watch', '/t/watched'], isBackground: true },
  { argv: ['set', '/t/watched', 'seen'] },
  { argv: ['watch', '--recursive', '/t'], isBackground: true },
  { argv: ['rm', '/t/watched'] },
  {
    argv: ['exec-watch', '--recursive', '/t', '--', 'sh', '-c', 'env | grep ETCD_WATCH | sort; kill $PPID'],
    isBackground: true,
  },
  { argv: ['set', '/t/watched', 'again'] },
  { argv: ['ls', '--recursive', '--sort', '/'] },
]

export type TourDifference = { readonly command: string; readonly ours: string; readonly theirs: string }

/** Both servers begin new; returns where they differ. */
export async function takeTour(command: readonly string[]): Promise<readonly TourDifference[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cluster-tour-'))
  const servers: ServerProcess[] = []
  try {
    servers.push(await startServer({ command, folder: join(folder, 'ours') }))
    servers.push(await startServer({ command: etcdCommand, folder: join(folder, 'theirs') }))
    for (const server of servers) await levelTo(server, 20)
    const texts = await Promise.all(servers.map((server) => walk(server, folder)))
    const [ours = [], theirs = []] = texts
    return tour.flatMap(({ argv }, at) =>
      ours[at] === theirs[at] ? [] : [{ command: argv.join(' '), ours: ours[at] ?? '', theirs: theirs[at] ?? '' }],
    )
  } finally {
    for (const server of servers) await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Writes until the store stands at the index, so that both name the same ones. */
async function levelTo({ clientUrl }: ServerProcess, wanted: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`${clientUrl}/v2/keys/_level`)
    await answer.text()
    if (Number(answer.headers.get('x-etcd-index')) >= wanted) return
    await (await fetch(`${clientUrl}/v2/keys/_level`, { method: 'PUT' })).text()
  }
}

/** How many wait for a change now. */
async function watchersOf({ clientUrl }: ServerProcess): Promise<number> {
  const answer: unknown = await (await fetch(`${clientUrl}/v2/stats/store`)).json()
  return typeof answer === 'object' && answer !== null && 'watchers' in answer ? Number(answer.watchers) : 0
}

async function walk(server: ServerProcess, folder: string): Promise<readonly string[]> {
  const results: string[] = []
  let background: { readonly at: number; readonly ended: Promise<string> } | undefined
  for (const [at, stop] of tour.entries()) {
    const watching = stop.isBackground === true ? await watchersOf(server) : 0
    const ended = run(server, folder, stop)
    if (stop.isBackground === true) {
      background = { at, ended }
      while ((await watchersOf(server)) === watching) await new Promise((resolve) => setTimeout(resolve, 20))
      continue
    }
    results[at] = await ended
    if (background !== undefined) {
      results[background.at] = await background.ended
      background = undefined
    }
  }
  return results
}

function run(server: ServerProcess, folder: string, { argv, stdin = '' }: TourStop): Promise<string> {
  const child = spawn('etcdctl', ['--endpoints', server.clientUrl, ...argv], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, ETCDCTL_API: '2' },
    timeout: 20_000,
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(`${steady(text, server)}exit ${code ?? signal}`))
  })
}

/** Without what is each server's own: its URLs and id, and times. */
const steady = (text: string, { clientUrl, peerUrl }: ServerProcess): string =>
  text
    .replaceAll(clientUrl, 'CLIENT')
    .replaceAll(peerUrl, 'PEER')
    .replace(/\b[0-9a-f]{12,16}(?=: | is )/g, 'ID')
    .replace(/"expiration":"[^"]*"/g, '"expiration":"-"')
