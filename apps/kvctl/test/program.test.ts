/** The program as it is shipped: bundled, in a process of its own, against a store on a real socket. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { version } from '../src/version.ts'
import { startFakeStore } from './fake-store.ts'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const root = fileURLToPath(new URL('../../..', import.meta.url))
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kvctl-program-'))
  const tsup = join(root, 'node_modules/tsup/dist/cli-default.js')
  execFileSync(process.execPath, [tsup, '--config', 'tsup.config.ts', '--out-dir', folder], { cwd: packageFolder })
  symlinkSync(join(folder, 'kvctl.cjs'), join(folder, 'etcdctl'))
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true }))

type Ended = { readonly exit: number | null; readonly stdout: string; readonly stderr: string }

function start(program: string, words: readonly string[], url = '') {
  const env = { PATH: process.env['PATH'] ?? '', ETCDCTL_ENDPOINTS: url }
  const child = spawn(process.execPath, [join(folder, program), ...words], { cwd: folder, env })
  const written = { stdout: '', stderr: '' }
  child.stdout.on('data', (text) => {
    written.stdout += text
  })
  child.stderr.on('data', (text) => {
    written.stderr += text
  })
  const ended = new Promise<Ended>((resolve) => child.on('close', (exit) => resolve({ exit, ...written })))
  return { child, ended, written }
}

it.each([
  ['kvctl.cjs', `kvctl version ${version}\n`],
  ['etcdctl.cjs', 'etcdctl version 2.3.8\n'],
  ['etcdctl', 'etcdctl version 2.3.8\n'],
])('called %s it says %j', async (program, stdout) => {
  expect(await start(program, ['--version']).ended).toEqual({ exit: 0, stdout, stderr: '' })
})

it('has the version of its package', () => {
  const packaged: unknown = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))
  expect(packaged).toMatchObject({ version })
})

it('reads a value from stdin, and a password', async () => {
  await using store = await startFakeStore()
  const setting = start('etcdctl', ['set', '/a'], store.url)
  setting.child.stdin.end('from stdin\n')
  expect(await setting.ended).toEqual({ exit: 0, stdout: 'from stdin\n\n', stderr: '' })
  const asking = start('etcdctl', ['-u', 'bob', 'get', '/a'], store.url)
  asking.child.stdin.write('hush\nnot the password')
  expect(await asking.ended).toEqual({ exit: 0, stdout: 'Password: \nfrom stdin\n\n', stderr: '' })
})

it('ends a watch with 0 when interrupted', async () => {
  await using store = await startFakeStore()
  const watching = start('etcdctl', ['watch', '--forever', '/a'], store.url)
  await store.watched()
  watching.child.kill('SIGINT')
  expect(await watching.ended).toEqual({ exit: 0, stdout: '', stderr: '' })
})

it('starts programs with the change in their environment, and ends when one cannot be started', async () => {
  await using store = await startFakeStore()
  const put = async (value: string): Promise<void> => {
    await store.watched()
    await start('etcdctl', ['set', '/a', value], store.url).ended
  }
  const script = 'echo $ETCD_WATCH_ACTION $ETCD_WATCH_KEY=$ETCD_WATCH_VALUE; read line || echo no input'
  const running = start('etcdctl', ['exec-watch', '/a', '--', 'sh', '-c', script], store.url)
  await put('two words')
  await put('three')
  await store.watched()
  running.child.kill('SIGINT')
  const { exit, stdout } = await running.ended
  expect(exit).toBe(0)
  expect(stdout.split('\n').sort()).toEqual(['', 'no input', 'no input', 'set /a=three', 'set /a=two words'])

  const failing = start('etcdctl', ['exec-watch', '/a', '--', 'no-such-program-x'], store.url)
  await put('one')
  expect(await failing.ended).toEqual({
    exit: 1,
    stdout: '',
    stderr: 'exec: "no-such-program-x": executable file not found in $PATH',
  })
})

it('does not mind a reader that goes away', () => {
  const script = `"$0" "$1" help | head -1; exit "\${PIPESTATUS[0]}"`
  const command = ['--norc', '-c', script, process.execPath, join(folder, 'kvctl.cjs')]
  expect(execFileSync('bash', command, { encoding: 'utf8' })).toBe('NAME:\n')
})
