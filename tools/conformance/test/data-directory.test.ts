/**
 * Data directories of released versions must stay readable. A version's fixture is written by the build of that version:
 * `DATA_FIXTURE=v1 npx vitest run --config ../../vitest.config.ts data-directory` here; it is never written again.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { kvdCommand, startServer } from '../src/server-process.ts'
import { packDirectory, unpackDirectory } from './data-directory-text.ts'
import { readHistory, snapshotFlags, writeHistory } from './data-history.ts'

const root = resolve(import.meta.dirname, '../../..')
const fixtures = join(import.meta.dirname, 'fixtures')
const kvd = { command: kvdCommand(root), flags: snapshotFlags }

vi.setConfig({ testTimeout: 120_000 })

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cluster-data-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a data directory', () => {
  it('shows the same after it was packed into text and made from it again', async () => {
    const first = join(folder, 'first')
    const written = await startServer({ ...kvd, folder: first })
    await writeHistory(written.clientUrl)
    const snapshots = () => readdirSync(join(written.dataDirectory, 'snapshots'))
    await expect
      .poll(() => snapshots().filter((name) => name.endsWith('.snapshot')), { timeout: 10_000 })
      .toHaveLength(1)
    const shown = await readHistory(written.clientUrl)
    await written.stop()
    const text = packDirectory(written.dataDirectory)
    expect(text).toMatch(/^file snapshots\/\S+\.snapshot \d+$/m)

    const second = join(folder, 'second')
    unpackDirectory(text, join(second, 'n0.data'))
    expect(packDirectory(join(second, 'n0.data'))).toBe(text)
    await using read = await startServer({ ...kvd, folder: second })
    expect(await readHistory(read.clientUrl)).toEqual(shown)

    const version = process.env['DATA_FIXTURE']
    if (version === undefined) return
    mkdirSync(join(fixtures, `data-${version}`))
    writeFileSync(join(fixtures, `data-${version}/directory.txt`), text)
    writeFileSync(join(fixtures, `data-${version}/shown.json`), `${JSON.stringify(shown, undefined, 2)}\n`)
  })

  it.each(['v1'])('of format %s is read with all that it holds', async (version) => {
    const text = readFileSync(join(fixtures, `data-${version}/directory.txt`), 'utf8')
    unpackDirectory(text, join(folder, 'n0.data'))
    await using read = await startServer({ ...kvd, folder })
    const shown: unknown = JSON.parse(readFileSync(join(fixtures, `data-${version}/shown.json`), 'utf8'))
    expect(await readHistory(read.clientUrl)).toEqual(shown)
    expect(Object.keys(await readHistory(read.clientUrl))).toHaveLength(6)
    // And it goes on from there.
    const put = await fetch(`${read.clientUrl}/v2/keys/new`, {
      method: 'PUT',
      body: new URLSearchParams({ value: '1' }),
    })
    expect(put.status).toBe(201)
  })
})
