/** The contract of the systemd library, run inside a machine against its real systemd. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'tsup'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CommandResult } from '../src/command.ts'
import { repositoryFolder } from '../src/repository.ts'
import { freshCluster, theLab } from './scenario.ts'

let folder = ''
let result: CommandResult

beforeAll(async () => {
  await freshCluster()
  folder = mkdtempSync(join(tmpdir(), 'cluster-contract-'))
  await build({
    entry: { contract: `${repositoryFolder}/libs/systemd/test/run-contract.ts` },
    outDir: folder,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // Optional parts of the bus library that are asked for only where we do not go.
    external: ['x11', 'usocket'],
    noExternal: [/^(?!(x11|usocket)$)/],
    config: false,
    silent: true,
    esbuildOptions(options) {
      options.conditions = ['@cluster/source']
    },
  })
  const outfile = join(folder, 'contract.cjs')
  await theLab().run('m1', ['sh', '-c', 'cat > /tmp/contract.cjs'], { input: readFileSync(outfile, 'utf8') })
  result = await theLab().exec('m1', ['node', '/tmp/contract.cjs'], { timeoutMs: 170_000 })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('holds in every case', () => {
  const failed = result.stdout.split('\n').filter((line) => line.startsWith('not ok'))
  expect(failed).toEqual([])
  expect(result.code, result.stderr).toBe(0)
})

it('was really run: it has at least twenty cases', () => {
  expect(result.stdout.split('\n').filter((line) => line.startsWith('ok ')).length).toBeGreaterThanOrEqual(20)
})

it('leaves the systemd of the machine in order', async () => {
  expect((await theLab().exec('m1', ['systemctl', 'is-system-running'])).stdout.trim()).toBe('running')
})
