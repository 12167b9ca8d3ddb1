import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readBootId, readMachineId } from './host.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'host-test-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function fileWith(text: string): Promise<string> {
  const path = join(folder, 'id')
  await writeFile(path, text)
  return path
}

const id = '0123456789abcdef0123456789abcdef'

it('reads a machine ID, white space cut off', async () => {
  expect(await readMachineId(await fileWith(`${id}\n`))).toBe(id)
})

it.each(['', 'uninitialized\n', id.slice(1), id.toUpperCase(), `${id}0`, '0'.repeat(32), 'x'.repeat(32)])(
  '%j is no machine ID',
  async (text) => {
    await expect(readMachineId(await fileWith(text))).rejects.toMatchObject({ code: 'systemd/host' })
  },
)

it('names the file that is missing', async () => {
  const path = join(folder, 'none')
  await expect(readMachineId(path)).rejects.toMatchObject({
    code: 'systemd/host',
    message: expect.stringContaining(path),
    hint: expect.stringContaining('systemd-machine-id-setup'),
  })
})

it('reads a boot ID without its dashes', async () => {
  const path = await fileWith('01234567-89ab-cdef-0123-456789abcdef\n')
  expect(await readBootId(path)).toBe(id)
  expect(await readBootId()).toMatch(/^[0-9a-f]{32}$/)
  await expect(readBootId(await fileWith('?'))).rejects.toMatchObject({ code: 'systemd/host' })
})
