import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createRecordFile } from './record-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleetd-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('gives back what was written, and nothing before', async () => {
  const file = createRecordFile(join(folder, 'deep', 'record.json'))
  expect(await file.read()).toBeUndefined()
  await file.write('one')
  await file.write('two')
  expect(await file.read()).toBe('two')
  expect(await readdir(join(folder, 'deep'))).toEqual(['record.json'])
})

it('names the file that cannot be used', async () => {
  await writeFile(join(folder, 'file'), '')
  const file = createRecordFile(join(folder, 'file', 'record.json'))
  await expect(file.read()).rejects.toMatchObject({ code: 'fleet/local-record' })
  await expect(file.write('x')).rejects.toThrow(join(folder, 'file', 'record.json'))
})
