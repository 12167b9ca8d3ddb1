import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chooseMachineId } from './machine-id.ts'

const ofComputer = '0123456789abcdef0123456789abcdef'
const given = 'f'.repeat(32)
let folder: string
let systemPath: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleetd-'))
  systemPath = join(folder, 'machine-id')
  await writeFile(systemPath, `${ofComputer}\n`)
})
afterEach(() => rm(folder, { recursive: true }))

const choose = (options: Partial<Parameters<typeof chooseMachineId>[0]>, path = systemPath): Promise<string> =>
  chooseMachineId({ machineId: '', stateDir: '', unitManager: 'systemd', ...options }, path, join(folder, 'fallback'))

describe('a machine is known by', () => {
  it('the identity of its computer', async () => {
    expect(await choose({})).toBe(ofComputer)
    expect(await choose({ unitManager: 'process' })).toBe(ofComputer)
  })

  it('the one that is configured, before all others', async () => {
    expect(await choose({ machineId: given, stateDir: join(folder, 'state') })).toBe(given)
  })

  it('one of its own that it keeps, so that a computer can have several', async () => {
    const one = await choose({ stateDir: join(folder, 'one') })
    const other = await choose({ stateDir: join(folder, 'deep', 'other') })
    expect(one).toMatch(/^[0-9a-f]{32}$/)
    expect(new Set([one, other, ofComputer]).size).toBe(3)
    expect(await choose({ stateDir: join(folder, 'one') })).toBe(one)
  })

  it('the same one for two that make it at the same time', async () => {
    const stateDir = join(folder, 'state')
    const [one, other] = await Promise.all([choose({ stateDir }), choose({ stateDir })])
    expect(one).toBe(other)
  })

  it('one of its own where the computer has none, unless systemd runs its units', async () => {
    const missing = join(folder, 'missing')
    const own = await choose({ unitManager: 'process' }, missing)
    expect(await choose({ unitManager: 'process' }, missing)).toBe(own)
    await expect(choose({ unitManager: 'systemd' }, missing)).rejects.toMatchObject({ code: 'systemd/host' })
  })
})

it('a damaged identity, or a folder that cannot be, is an error that names it', async () => {
  await writeFile(systemPath, 'garbage')
  await expect(choose({ stateDir: folder })).rejects.toThrow(systemPath)
  await expect(choose({ stateDir: systemPath })).rejects.toMatchObject({ code: 'fleet/local-record' })
})
