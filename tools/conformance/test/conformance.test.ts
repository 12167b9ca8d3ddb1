/** The short runs of what `npm run conformance` does at length. They need the built programs and Debian's etcd. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { differential } from '../src/differential/command.ts'
import { killUnderLoad } from '../src/kill/kill.ts'
import { kvdCommand, startServer } from '../src/server-process.ts'
import { takeTour } from '../src/tour.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const command = kvdCommand(root)
const say = (): void => undefined
const hasEtcd = ['/usr/bin', '/usr/local/bin', '/bin'].some((folder) => existsSync(join(folder, 'etcd')))
const recordedPlayer = join(root, '../shared/vectors/replay-etcd-v2.mjs')

describe('kvd', () => {
  it.skipIf(!hasEtcd)('answers random requests as etcd 3.4 does', { timeout: 180_000 }, async () => {
    const { requests, differences } = await differential({ command, seed: 11, requests: 4000, say })
    expect(differences).toEqual([])
    expect(requests).toBeGreaterThanOrEqual(4000)
  })

  it('loses no acknowledged write when it is killed under load', { timeout: 180_000 }, async () => {
    const { acknowledgements, wrong } = await killUnderLoad({ command, seed: 5, kills: 8, say })
    expect(wrong).toEqual([])
    expect(acknowledgements).toBeGreaterThan(100)
  })

  it.skipIf(!hasEtcd)('is all the same to etcdctl', { timeout: 120_000 }, async () => {
    expect(await takeTour(command)).toEqual([])
  })

  it.skipIf(!existsSync(recordedPlayer))(
    'passes the recorded scripts one after the other on one server',
    { timeout: 300_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'cluster-recorded-'))
      try {
        await using server = await startServer({ command, folder })
        const play = promisify(execFile)(process.execPath, [
          // By its own name, also where a link leads there: it looks whether it was started itself.
          realpathSync(recordedPlayer),
          server.clientUrl,
          '--skip-destructive',
          '--quiet',
        ])
        const { stdout } = await play.catch((error: unknown) => ({
          stdout: String(error instanceof Error && 'stdout' in error ? error.stdout : error),
        }))
        expect(stdout).toMatch(/^\d+ passed, 0 failed$/m)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  )
})
