/**
 * What the way of a proposal through the threads costs, on the disk of the given folder. Bundle and run:
 *
 *   npx esbuild bench/proposals.ts src/worker.ts --bundle --platform=node --format=esm --out-extension:.js=.mjs \
 *     --conditions=@cluster/source --outdir=/tmp/bench
 *   node /tmp/bench/bench/proposals.mjs /tmp/bench/src/worker.mjs FOLDER
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from '@cluster/kv-store/v2'
import { openServer } from '../src/server.ts'

const [workerFile = '', folder = '.'] = process.argv.slice(2)
const value = 'x'.repeat(256)
const set = (number: number): Command => ({
  kind: 'set',
  path: `/1/bench/${number % 10_000}`,
  value,
  isDirectory: false,
  deadlineMs: undefined,
  isRefresh: false,
})

const directory = mkdtempSync(join(folder, 'bench-'))
const server = await openServer({ directory: join(directory, 'store'), listen: [], workerFile })
const { replica } = server

/** Keeps so many proposals at work for so long, each answer followed by the next; gives how long each took. */
function run(outstanding: number, forMs: number): Promise<readonly number[]> {
  return new Promise((resolve) => {
    const untilMs = performance.now() + forMs
    const tookMs: number[] = []
    let open = outstanding
    const one = (): void => {
      const startMs = performance.now()
      replica.propose(set(tookMs.length), () => {
        const nowMs = performance.now()
        tookMs.push(nowMs - startMs)
        if (nowMs < untilMs) return one()
        open -= 1
        if (open === 0) resolve(tookMs)
      })
    }
    for (let count = 0; count < outstanding; count++) one()
  })
}

const quantile = (sorted: readonly number[], q: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0).toFixed(3)

for (const outstanding of [1, 64, 64, 512]) {
  await run(outstanding, 1000)
  const before = { cpu: process.cpuUsage(), loop: performance.eventLoopUtilization() }
  const startMs = performance.now()
  const tookMs = await run(outstanding, 4000)
  const count = tookMs.length
  const seconds = (performance.now() - startMs) / 1000
  const cpu = process.cpuUsage(before.cpu)
  const busyMs = performance.eventLoopUtilization(before.loop).active
  const sorted = [...tookMs].sort((left, right) => left - right)
  console.log(
    `${outstanding} outstanding: ${Math.round(count / seconds)}/s,`,
    `p50 ${quantile(sorted, 0.5)} ms, p99 ${quantile(sorted, 0.99)} ms,`,
    `process CPU ${((cpu.user + cpu.system) / count).toFixed(2)} µs each,`,
    `loop active ${((busyMs * 1000) / count).toFixed(2)} µs each`,
  )
}
await server.close(1000)
rmSync(directory, { recursive: true })
