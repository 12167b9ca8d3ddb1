/** backup, dump and check on directories that the log itself has written. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNodeDisk, inspectLog } from '@cluster/wal'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { copyDirectory } from '../src/copy-directory.ts'
import { openFolder, put, segmentSizeBytes, writeFolder } from './data-folder.ts'
import { run } from './run-kvctl.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kvctl-data-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const keys = (count: number) => Array.from({ length: count }, (_, at) => put(`/k${at}`, 'v'.repeat(100)))
const kvctl = (...words: string[]) => run(words, { program: 'kvctl' })
const inspect = (directory: string) => inspectLog(createNodeDisk(), directory)

describe('backup', () => {
  it('copies log and snapshot under new identities', async () => {
    const [from, to] = [join(folder, 'a'), join(folder, 'deep/b')]
    await writeFolder(from, { commands: keys(100), snapshotAfter: 60 })
    await copyDirectory({ from, to, segmentSizeBytes })
    const copy = inspect(to)
    expect(copy.findings).toEqual([])
    expect([copy.snapshots[0]?.index, copy.firstIndex, copy.lastIndex, copy.hardState.commit]).toEqual([
      60, 61, 100, 100,
    ])
    expect([...copy.entries]).toEqual([...inspect(from).entries].filter(({ index }) => index > 60))
    expect(copy.identity?.extra).toBe('of the member')
    expect(copy.identity?.memberId).toMatch(/^[1-9a-f][0-9a-f]*$/)
    expect(copy.identity?.clusterId).not.toBe('c1')
    expect((await kvctl('check', to)).stdout).toBe(
      'entries: 61 to 100\nsnapshot: up to entry 60\nstore: index 100, 102 nodes\nwhole\n',
    )
    expect(readdirSync(join(folder, 'deep'))).toEqual(['b'])
  })

  it('misses no write of a directory in use, its commit recorded or not', async () => {
    const [from, to] = [join(folder, 'a'), join(folder, 'b')]
    const store = await openFolder(from, { commands: keys(3), commit: 1 })
    store.append(put('/last', 'acknowledged'))
    expect(await run(['backup', '--data-dir', from, '--backup-dir', to])).toEqual({ exit: 0, stdout: '', stderr: '' })
    store.close()
    expect([inspect(to).lastIndex, inspect(to).hardState.commit]).toEqual([4, 4])
    expect((await kvctl('dump', to)).stdout).toContain('set path="/1/last" value="acknowledged"')
  })

  it('writes over nothing', async () => {
    const [from, to] = [join(folder, 'a'), join(folder, 'b')]
    await writeFolder(from, { commands: keys(1) })
    mkdirSync(to)
    writeFileSync(join(to, 'file'), '')
    expect(await run(['backup', '--data-dir', from, '--backup-dir', to])).toEqual({
      exit: 1,
      stdout: '',
      stderr: `${to} is not empty\nname a directory that does not exist yet\n`,
    })
    rmSync(join(to, 'file'))
    expect((await run(['backup', '--data-dir', from, '--backup-dir', to])).exit).toBe(0)
  })

  it('makes no copy of what is damaged or no data directory', async () => {
    const [from, to] = [join(folder, 'a'), join(folder, 'b')]
    await writeFolder(from, { commands: keys(100) })
    damage(from)
    const refused = await run(['backup', '--data-dir', from, '--backup-dir', to])
    expect([refused.exit, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toContain('is damaged at byte')
    expect((await run(['backup', '--data-dir', folder, '--backup-dir', to])).stderr).toContain('holds no log')
    expect(readdirSync(folder)).toEqual(['a'])
  })

  it.each([
    [['--backup-dir', 'b'], 'no data directory given'],
    [['--data-dir', '/'], 'no directory for the copy given'],
    [['--data-dir', '/', '--backup-dir', 'b', '--wal-dir', 'w'], '--wal-dir cannot be used'],
  ])('%j says what is missing: %s', async (words, message) => {
    const { exit, stderr } = await run(['backup', ...words])
    expect([exit, stderr.slice(0, message.length)]).toEqual([1, message])
  })

  it('logs a directory that is not there as etcdctl does', async () => {
    const { exit, stderr } = await run([
      'backup',
      '--data-dir',
      join(folder, 'none'),
      '--backup-dir',
      join(folder, 'b'),
    ])
    expect(exit).toBe(1)
    expect(stderr.replace(folder, '{tmp}')).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} I \| open \{tmp\}\/none\/member\/snap: no such file or directory\n$/,
    )
  })
})

describe('dump', () => {
  it('prints every entry, and no password hash', async () => {
    await writeFolder(folder, {
      commands: [put('/ü', 'a\n'), put('/2/users/bob', '$2a$10$hash'), { kind: 'sync', timeMs: 5 }],
    })
    const { exit, stdout } = await kvctl('dump', folder)
    expect(exit).toBe(0)
    expect(stdout.split('\n').filter((line) => line.startsWith('entry'))).toEqual([
      'entry 1 term 1 2026-01-01T00:00:00.001Z: set path="/1/ü" value="a\\n"',
      'entry 2 term 1 2026-01-01T00:00:00.002Z: set path="/2/users/bob" value="[secret]"',
      'entry 3 term 1 2026-01-01T00:00:00.003Z: sync timeMs=5',
    ])
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      'member a1 of cluster c1',
      'term 1, voted for a1, committed up to 3',
    ])
  })

  it('prints JSON', async () => {
    await writeFolder(folder, { commands: [put('/a', '1')] })
    const { stdout } = await kvctl('dump', '--output', 'json', folder)
    expect(JSON.parse(stdout)).toMatchObject({
      identity: { memberId: 'a1' },
      firstIndex: 1,
      lastIndex: 1,
      entries: [{ index: 1, term: 1, command: { kind: 'set', path: '/1/a', value: '1' } }],
      findings: [],
    })
    expect((await kvctl('-o', 'json', 'dump', folder)).stdout).toBe(stdout)
  })
})

describe('check', () => {
  it('finds damage, exit 1', async () => {
    await writeFolder(folder, { commands: keys(100) })
    damage(folder)
    const { exit, stdout } = await kvctl('check', folder)
    expect([exit, stdout.trimEnd().split('\n').at(-1)]).toEqual([1, 'damaged'])
    expect(stdout).toMatch(/^error: .*\.log at byte \d+: /m)
    expect(JSON.parse((await kvctl('check', '-o', 'json', folder)).stdout)).toMatchObject({ isDamaged: true })
    expect((await kvctl('dump', folder)).exit).toBe(1)
  })

  it('finds an entry that is no command', async () => {
    const { openLog } = await import('@cluster/wal')
    const { log } = openLog({
      directory: folder,
      identity: { clusterId: 'c', memberId: 'm', extra: '' },
      segmentSizeBytes,
    })
    const entry = (index: number, kind: number) => ({ index, term: 1, kind, data: new Uint8Array(20) })
    log.append({ entries: [entry(1, 2), entry(2, 1), entry(3, 9)] })
    log.sync()
    log.close()
    const { exit, stdout } = await kvctl('check', folder)
    expect(exit).toBe(1)
    expect(stdout).toContain('entry 2 of term 1: 4 bytes of an entry are no command')
    expect(stdout).toContain('entry 3 of term 1: kind 9, which this version does not know')
  })

  it.each([
    [[], 'Provide a single data directory'],
    [['-o', 'xml', '.'], 'Unsupported output format: xml'],
    [['/dev/null'], 'read /dev/null: not a directory'],
  ])('%j: %s', async (words, message) => {
    const { exit, stderr } = await kvctl('check', ...words)
    expect([exit, stderr.slice(0, message.length)]).toEqual([1, message])
  })
})

/** Turns a byte of the third value in the first segment around. */
function damage(directory: string): void {
  const [first = ''] = readdirSync(join(directory, 'log')).filter((name) => name.endsWith('.log'))
  const path = join(directory, 'log', first)
  const bytes = readFileSync(path)
  const at = bytes.indexOf('/1/k2') + 20
  bytes[at] = (bytes[at] ?? 0) ^ 0xff
  writeFileSync(path, bytes)
}
