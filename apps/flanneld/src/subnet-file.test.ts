import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fileOf, previousSubnet } from './subnet-file.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flanneld-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('makes the folder, replaces the file and leaves nothing beside it', async () => {
  const file = fileOf({ subnetFile: join(folder, 'flannel/subnet.env') })
  expect(await file.read()).toBeUndefined()
  await file.write('one\n')
  await file.write('two\n')
  expect(await file.read()).toBe('two\n')
  expect(readdirSync(join(folder, 'flannel'))).toEqual(['subnet.env'])
  expect(statSync(join(folder, 'flannel/subnet.env')).mode & 0o777 & ~0o644).toBe(0)
  await file.remove()
  expect(await file.read()).toBeUndefined()
})

it('leaves the former file as it was when it cannot be replaced', async () => {
  writeFileSync(join(folder, 'place'), 'no folder')
  const file = fileOf({ subnetFile: join(folder, 'place/subnet.env') })
  await expect(file.write('x')).rejects.toThrow()
  expect(readFileSync(join(folder, 'place'), 'utf8')).toBe('no folder')
})

it.runIf(existsSync('/proc/self'))('fails where no folder can be made, and does not try for ever', async () => {
  await expect(fileOf({ subnetFile: '/proc/none/a/subnet.env' }).write('x')).rejects.toThrow('ENOENT')
})

it('tells of the subnet of an earlier run', async () => {
  const subnetFile = join(folder, 'subnet.env')
  expect(await previousSubnet([{ subnetFile }])).toBe('0.0.0.0/0')
  writeFileSync(subnetFile, 'FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.34.1/24\n')
  expect(await previousSubnet([{ subnetFile }])).toBe('10.5.34.1/24')
})
