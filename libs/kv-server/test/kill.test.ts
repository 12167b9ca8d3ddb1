/** A real process, killed under load again and again: what it had printed as acknowledged is there. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '@cluster/prelude'
import { expect, it } from 'vitest'
import { openStore } from '../src/open-store.ts'
import { buildEntries } from './build-worker.ts'

const rounds = Number(process.env['KV_SERVER_KILLS'] ?? 20)

/** Runs the writer until it has acknowledged so many writes, kills it, and gives all that it had printed. */
function runAndKill(args: readonly string[], afterCount: number): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let printed = ''
    let count = 0
    child.stdout.setEncoding('latin1')
    child.stdout.on('data', (text: string) => {
      printed += text
      for (const character of text) if (character === '\n') count += 1
      if (count >= afterCount) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('close', (_, signal) => {
      if (signal !== 'SIGKILL') return reject(new Error(`the writer ended by itself after ${count} writes`))
      // The last line may be cut off.
      resolve(printed.slice(0, printed.lastIndexOf('\n')).split('\n').map(Number))
    })
  })
}

it(`loses nothing in ${rounds} kills under load`, { timeout: 30_000 + rounds * 8000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kv-server-kill-'))
  await using built = await buildEntries({ worker: '../src/worker.ts', writer: './writer-process.ts' })
  const random = seededRandom(4)
  const dir = join(directory, 'store')
  const acknowledged = new Set<number>()
  try {
    for (let round = 0; round < rounds; round++) {
      const args = [built.file('writer'), dir, built.file('worker'), String(round * 1_000_000)]
      for (const number of await runAndKill(args, 1 + Math.floor(random.next() * 1500))) acknowledged.add(number)
    }
    await using store = await openStore({ dir, workerFile: built.file('worker') })
    const { entries } = await store.range('/n')
    const found = new Map(entries.map(({ key, value }) => [Number(key.slice(key.lastIndexOf('/') + 1)), value]))
    const lost = [...acknowledged].filter((number) => !found.has(number))
    const half = [...found].filter(([number, value]) => value !== `${number}:${'x'.repeat(number % 3000)}`)
    expect({ lost, half }).toEqual({ lost: [], half: [] })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
