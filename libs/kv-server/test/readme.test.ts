import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, vi } from 'vitest'
import { expectReadmeExample } from '../../../test-support/readme-example.ts'

it('the example in the README runs and prints what the README says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kv-server-readme-'))
  vi.stubEnv('TMPDIR', folder)
  try {
    await expectReadmeExample(import.meta.url)
  } finally {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  }
})
