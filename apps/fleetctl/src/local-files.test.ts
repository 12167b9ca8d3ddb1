import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fileOfError, filesIn, unitFileBytesMax } from './local-files.ts'
import { expandPatterns } from './names.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleetctl-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (path: string, text: string | Uint8Array = '[Service]\n'): void => writeFileSync(join(folder, path), text)

it('a file is its text, a link that of its target', async () => {
  write('a.service', 'ä')
  symlinkSync('a.service', join(folder, 'b.service'))
  expect(await filesIn(folder).read('a.service')).toEqual({ kind: 'text', text: 'ä' })
  expect(await filesIn('/').read(join(folder, 'b.service'))).toEqual({ kind: 'text', text: 'ä' })
})

it('what is not there is absent, also below a file', async () => {
  write('a')
  for (const path of ['b', 'a/b', 'x'.repeat(1000)])
    expect(await filesIn(folder).read(path)).toEqual({ kind: 'absent' })
})

it.each([
  ['a folder', () => mkdirSync(join(folder, 'a')), 'it is a folder'],
  ['not UTF-8', () => write('a', new Uint8Array([0xff])), 'it is not text in UTF-8'],
  ['a circle of links', () => symlinkSync('a', join(folder, 'a')), 'its symbolic links lead in a circle'],
  [
    'of 10 MB',
    () => {
      write('a')
      truncateSync(join(folder, 'a'), 10_000_000)
    },
    `it has 10000000 bytes, and a unit has at most ${unitFileBytesMax}`,
  ],
])('a file that is %s is told as such', async (_, make, why) => {
  make()
  expect(await filesIn(folder).read('a')).toMatchObject({ kind: 'unreadable', why, remedy: expect.any(String) })
})

it('a file without permission is told as such', () => {
  const error = Object.assign(new Error('EACCES: permission denied, open'), { code: 'EACCES' })
  expect(fileOfError(error)).toMatchObject({ kind: 'unreadable', why: 'permission denied' })
})

it.each([
  [['units/*'], ['units/a.service', 'units/b@.service', 'units/dev-disk\\x2done.mount']],
  [['units/dev-disk\\x2d*'], ['units/dev-disk\\x2done.mount']],
  [['units/{a,b@}.service'], ['units/a.service', 'units/b@.service']],
  [
    ['units/[ab]*.service', 'x'],
    ['units/a.service', 'units/b@.service', 'x'],
  ],
  [['none/*.service'], ['none/*.service']],
  [['units/b@(1).service'], ['units/b@(1).service']],
  [['!(a)*.service'], ['!(a)*.service']],
])('%j stands for %j', async (args, expected) => {
  mkdirSync(join(folder, 'units'))
  for (const name of ['a.service', 'b@.service', 'dev-disk\\x2done.mount', 'README.md']) write(`units/${name}`)
  expect(await expandPatterns(args, filesIn(folder))).toEqual(expected)
})
