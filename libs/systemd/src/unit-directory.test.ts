import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, silentLogger } from '@cluster/prelude'
import { hashOptions, readAsFleet } from '@cluster/unit-file'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openUnitDirectory } from './unit-directory.ts'

let folder = ''
let reports: unknown[] = []
const log: Logger = { ...silentLogger, warn: (_, fields) => void reports.push(fields?.['file']) }

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unit-directory-test-'))
  reports = []
})
afterEach(() => rm(folder, { recursive: true }))

const text = '[Service]\nExecStart=/bin/sleep infinity\n'
// the example of spec/fleet.md §2.4
const hash = '8385c9176f09a5ee3bbb88d45c6fc3f0b69d1f52'

describe('openUnitDirectory', () => {
  it('makes the folder', async () => {
    const path = join(folder, 'a', 'b')
    const directory = await openUnitDirectory(path, log)
    expect(await directory.list()).toEqual([])
    expect((await stat(path)).isDirectory()).toBe(true)
  })

  it('says which folder cannot be made', async () => {
    await writeFile(join(folder, 'file'), '')
    await expect(openUnitDirectory(join(folder, 'file'), log)).rejects.toMatchObject({
      code: 'systemd/directory',
      message: expect.stringContaining(join(folder, 'file')),
    })
  })

  it('writes, lists, reads and removes', async () => {
    const directory = await openUnitDirectory(folder, log)
    await directory.write('a.service', text, hash)
    expect((await stat(join(folder, 'a.service'))).mode & 0o777).toBe(0o644)
    expect(await readdir(folder)).toEqual(['a.service'])
    expect(await directory.list()).toEqual([{ name: 'a.service', hash }])
    expect(await directory.read('a.service')).toBe(text)
    expect(await directory.has('a.service')).toBe(true)
    await directory.remove('a.service')
    await directory.remove('a.service')
    expect(await directory.list()).toEqual([])
    expect(await directory.read('a.service')).toBeUndefined()
  })

  it('hashes files of an earlier life as fleet does', async () => {
    await writeFile(join(folder, 'a.service'), `# comment\n${text}`)
    const directory = await openUnitDirectory(folder, log)
    expect(await directory.list()).toEqual([{ name: 'a.service', hash }])
  })

  it('sees that a file was changed behind its back', async () => {
    const directory = await openUnitDirectory(folder, log)
    await directory.write('a.service', text, hash)
    const other = '[Service]\nExecStart=/bin/true\n'
    await writeFile(join(folder, 'a.service'), other)
    const options = readAsFleet(other)
    expect(await directory.list()).toEqual([{ name: 'a.service', hash: options.ok ? hashOptions(options.value) : '' }])
  })

  it('leaves out what is no unit file, and reports it once', async () => {
    for (const name of ['README', 't@.service', 'x.swap']) await writeFile(join(folder, name), text)
    await writeFile(join(folder, 'torn.service'), '[Service')
    await mkdir(join(folder, 'folder.service'))
    await symlink('nowhere', join(folder, 'dangling.service'))
    await writeFile(join(folder, 'good.service'), text)
    const directory = await openUnitDirectory(folder, log)
    expect((await directory.list()).map(({ name }) => name)).toEqual(['good.service'])
    await directory.list()
    expect(reports.sort()).toEqual(['README', 'folder.service', 't@.service', 'torn.service', 'x.swap'])
  })

  it('takes away what a crash in the middle of a write left', async () => {
    await writeFile(join(folder, '.1.writing'), '[Serv')
    const directory = await openUnitDirectory(folder, log)
    expect(await directory.list()).toEqual([])
    expect(await readdir(folder)).toEqual([])
    expect(reports).toEqual([])
  })

  it('a write that fails leaves the old text and nothing beside it', async () => {
    const directory = await openUnitDirectory(folder, log)
    await mkdir(join(folder, 'a.service'))
    await expect(directory.write('a.service', text, hash)).rejects.toMatchObject({ code: 'systemd/directory' })
    expect(await readdir(folder)).toEqual(['a.service'])
  })

  it('takes the longest name there is', async () => {
    const directory = await openUnitDirectory(folder, log)
    const name = `${'a'.repeat(247)}.service`
    await directory.write(name, text, hash)
    expect(await directory.list()).toEqual([{ name, hash }])
  })

  it('refuses names that lead elsewhere', async () => {
    const directory = await openUnitDirectory(folder, log)
    await expect(directory.write('../a.service', text, hash)).rejects.toMatchObject({ code: 'systemd/invalid-name' })
    await expect(directory.remove('/etc/passwd')).rejects.toMatchObject({ code: 'systemd/invalid-name' })
  })

  it('fails, and does not say "empty", when the folder is gone', async () => {
    const directory = await openUnitDirectory(join(folder, 'units'), log)
    await rm(join(folder, 'units'), { recursive: true })
    await expect(directory.list()).rejects.toMatchObject({ code: 'systemd/directory' })
  })

  it('keeps a unit in the list whose file cannot be read', async () => {
    await writeFile(join(folder, 'a.service'), text)
    await chmod(join(folder, 'a.service'), 0)
    // the one who may read everything reads this too
    const mayRead = await readFile(join(folder, 'a.service')).then(
      () => true,
      () => false,
    )
    const [unit] = await (await openUnitDirectory(folder, log)).list()
    expect(unit).toMatchObject({ name: 'a.service', hash: mayRead ? hash : undefined })
  })
})
