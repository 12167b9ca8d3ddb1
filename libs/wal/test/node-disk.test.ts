/** The machine's own disk: the same log on it, and the lock with real processes. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createNodeDisk, openLog, openSnapshots } from '@cluster/wal'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { contentOf, entries, identity, textOf } from './history.ts'

const code = (value: string) => expect.objectContaining({ code: value })
const segmentSizeBytes = 65_536

let root = ''
let directory = ''
const children: ChildProcess[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wal-test-'))
  directory = join(root, 'data')
})
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill))
  rmSync(root, { recursive: true })
})

const open = () => openLog({ directory, identity, segmentSizeBytes })

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

/** A process that holds the directory's lock; resolves with what it printed first: `held` or the code of the refusal. */
async function holder(): Promise<{ readonly child: ChildProcess; readonly said: string }> {
  const child = spawn(process.execPath, [script(), directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [said] = await new Promise<string[]>((resolve) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve([line]))
  })
  return { child, said: said ?? '' }
}

/** Node runs no TypeScript here, so the lock's own source is compiled for the process by removing its types. */
function script(): string {
  const path = join(root, 'holder.mjs')
  writeFileSync(path, bundle)
  return path
}

const bundle = await bundleHolder()

async function bundleHolder(): Promise<string> {
  const { build } = await import('esbuild')
  const result = await build({
    stdin: {
      contents: `
        import { lockDirectoryOf } from './src/node-lock.ts'
        try {
          lockDirectoryOf(process.argv[2])
          console.log('held')
          setInterval(() => undefined, 1000)
        } catch (error) {
          console.log(error.code)
        }`,
      resolveDir: join(import.meta.dirname, '..'),
    },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    conditions: ['@cluster/source'],
  })
  return result.outputFiles[0]?.text ?? ''
}

it('keeps a log and its snapshots over restarts', async () => {
  const { log, recovered } = open()
  expect(recovered.isFresh).toBe(true)
  log.append({ entries: entries(1, 300, 1), hardState: { term: 1, votedFor: 'a', commit: 299 } })
  log.sync()
  while (log.tend());
  const writer = await openSnapshots({ directory }).create({ index: 200, term: 1 })
  await writer.write(Buffer.from('state'))
  await writer.commit()
  log.release({ index: 200, term: 1 }, 100)
  log.append({ entries: entries(301, 2000, 1) })
  log.close()
  const again = open()
  expect(again.recovered.warnings).toEqual([])
  expect(contentOf(again.recovered)).toEqual({
    snapshotIndex: 200,
    hardState: { term: 1, votedFor: 'a', commit: 299 },
    entries: entries(201, 2000, 1).map(textOf),
  })
  again.log.close()
  const parts: string[] = []
  for await (const part of openSnapshots({ directory }).read({ index: 200, term: 1 }))
    parts.push(String(Buffer.from(part)))
  expect(parts).toEqual(['state'])
})
it('makes directories 0700 and files 0600', () => {
  const { log } = open()
  log.close()
  const modeOf = (...path: string[]): number => statSync(join(directory, ...path)).mode & 0o777
  expect([modeOf(), modeOf('log'), modeOf('snapshots'), modeOf('lock')]).toEqual([0o700, 0o700, 0o700, 0o700])
  for (const name of readdirSync(join(directory, 'log'))) expect(modeOf('log', name)).toBe(0o600)
})
it('says what is wrong with a directory that cannot be made', () => {
  expect(() => openLog({ directory: join(root, 'no', 'parent'), identity })).toThrow(code('wal/broken'))
})
it('lets one hold a directory at a time, also within a process', () => {
  const disk = createNodeDisk()
  const { log } = open()
  expect(() => disk.lock(directory)).toThrow(code('wal/in-use'))
  expect(() => disk.lock(directory)).toThrow(`by process ${process.pid}`)
  log.close()
  disk.lock(directory).release()
})
it('names the process that has it, and takes over when that one is killed', async () => {
  open().log.close()
  const { child, said } = await holder()
  expect(said).toBe('held')
  expect(() => open()).toThrow(`by process ${child.pid}`)
  await kill(child)
  open().log.close()
})
it('gives it to exactly one of many that come at once, to one that was killed too', async () => {
  open().log.close()
  for (let round = 0; round < 3; round++) {
    const holders = await Promise.all(Array.from({ length: 6 }, holder))
    expect(holders.map(({ said }) => said).sort()).toEqual(['held', ...Array(5).fill('wal/in-use')])
    await Promise.all(holders.map(({ child }) => kill(child)))
  }
}, 60_000)
it('takes over from another boot, and from what a power cut left empty', () => {
  open().log.close()
  const folder = join(directory, 'lock')
  const newest = (): string =>
    join(
      folder,
      readdirSync(folder)
        .filter((name) => /^\d+$/.test(name))
        .sort()
        .at(-1) ?? '',
    )
  const held: Record<string, unknown> = { ...JSON.parse(readFileSync(newest(), 'utf8')), isReleased: false }
  writeFileSync(newest(), JSON.stringify({ ...held, pipe: '' }))
  expect(() => open()).toThrow(code('wal/in-use'))
  writeFileSync(newest(), JSON.stringify({ ...held, pipe: '', startTime: '1' }))
  open().log.close()
  writeFileSync(newest(), JSON.stringify({ ...held, pipe: '', bootId: 'before' }))
  open().log.close()
  writeFileSync(newest(), '')
  open().log.close()
})
it('does not take over from a process of another container that it cannot look at', () => {
  open().log.close()
  const folder = join(directory, 'lock')
  const newest = join(
    folder,
    readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .sort()
      .at(-1) ?? '',
  )
  const held: Record<string, unknown> = { ...JSON.parse(readFileSync(newest, 'utf8')), isReleased: false }
  writeFileSync(newest, JSON.stringify({ ...held, pipe: '', namespace: 'pid:[1]', startTime: '1' }))
  expect(() => open()).toThrow('of another container')
})
it('reads a holder from a link, which is what a full disk has room for', () => {
  open().log.close()
  const folder = join(directory, 'lock')
  execFileSync('mkfifo', [join(folder, 'its.pipe')])
  symlinkSync('4711:its.pipe', join(folder, '0000000000000009'))
  const reader = openSync(join(folder, 'its.pipe'), constants.O_RDONLY | constants.O_NONBLOCK)
  expect(() => open()).toThrow('by process 4711')
  closeSync(reader)
  open().log.close()
  expect(readdirSync(folder)).toContain('0000000000000010')
})
it('leaves few files behind', () => {
  for (let round = 0; round < 8; round++) open().log.close()
  expect(readdirSync(join(directory, 'lock')).length).toBeLessThanOrEqual(3)
})
