import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { isClusterError } from '@cluster/prelude'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashPassword } from '../../src/bcrypt-hasher.ts'
import { createThreadHasher, type ThreadHasherOptions } from '../../src/threads/passwords-thread.ts'

let folder: string
const source = (name: string): string => new URL(`../../src/threads/${name}`, import.meta.url).pathname

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passwords-thread-'))
  await build({
    stdin: {
      contents: `
        import { parentPort } from 'node:worker_threads'
        import { runPasswordsWorker } from ${JSON.stringify(source('passwords-worker.ts'))}
        runPasswordsWorker(parentPort)`,
      resolveDir: new URL('../..', import.meta.url).pathname,
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@cluster/source'],
    outfile: join(folder, 'worker.mjs'),
    logLevel: 'silent',
  })
})

afterAll(() => rm(folder, { recursive: true, force: true }))

function createCase(options: Omit<Partial<ThreadHasherOptions>, 'spawn'> = {}) {
  const workers: Worker[] = []
  const spawn = (): Worker => {
    const worker = new Worker(join(folder, 'worker.mjs'))
    workers.push(worker)
    return worker
  }
  return { hasher: createThreadHasher({ spawn, ...options }), workers }
}

const hash = hashPassword('pw', 4)
const codeOf = (failure: unknown): unknown => (isClusterError(failure) ? failure.code : failure)

describe('the thread that hashes passwords', () => {
  it('is one, started when it is needed', async () => {
    const { hasher, workers } = createCase()
    await using _ = hasher
    expect(workers).toHaveLength(0)
    const made = await hasher.hash('pw')
    expect(made).toMatch(/^\$2a\$10\$/)
    expect(
      await Promise.all([hasher.verify('pw', made), hasher.verify('no', made), hasher.verify('pw', hash)]),
    ).toEqual([true, false, true])
    expect(workers).toHaveLength(1)
  })

  it('lets so many wait', async () => {
    const { hasher } = createCase({ queueMax: 2 })
    await using _ = hasher
    const waiting = [hasher.verify('pw', hash), hasher.verify('no', hash)]
    const failure = await hasher.verify('pw', hash).catch((error: unknown) => error)
    expect(codeOf(failure)).toBe('kv-server/too-many-passwords')
    expect(await Promise.all(waiting)).toEqual([true, false])
    expect(await hasher.verify('pw', hash)).toBe(true)
  })

  it('is started again when it has died', async () => {
    const { hasher, workers } = createCase()
    await using _ = hasher
    expect(await hasher.verify('pw', hash)).toBe(true)
    const cut = hasher.hash('pw').catch((error: unknown) => error)
    await workers[0]?.terminate()
    expect(codeOf(await cut)).toBe('kv-server/thread-died')
    expect(await hasher.verify('pw', hash)).toBe(true)
    expect(workers).toHaveLength(2)
  })

  it('refuses what comes after the end and what waited for it', async () => {
    const { hasher } = createCase()
    const cut = hasher.hash('pw').catch((error: unknown) => error)
    await hasher[Symbol.asyncDispose]()
    const late = await hasher.verify('pw', hash).catch((error: unknown) => error)
    expect([codeOf(await cut), codeOf(late)]).toEqual(['kv-server/thread-died', 'kv-server/closed'])
  })
})
