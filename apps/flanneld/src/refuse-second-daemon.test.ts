import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isClusterError } from '@cluster/prelude'
import { expect, it } from 'vitest'
import { refuseSecondDaemon } from './refuse-second-daemon.ts'

it('a second daemon with the same subnet file is refused, one after another is not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flanneld-'))
  try {
    const networks = [{ subnetFile: join(folder, 'subnet.env') }]
    await refuseSecondDaemon(networks)
    const server = createServer((connection) => connection.destroy())
    await new Promise<void>((done) => void server.listen(join(folder, 'subnet.sock'), done))
    const refusal: unknown = await refuseSecondDaemon(networks).catch((error: unknown) => error)
    expect(isClusterError(refusal, 'flanneld/already-running')).toBe(true)
    await new Promise<void>((done) => void server.close(() => done()))
    await refuseSecondDaemon(networks)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
