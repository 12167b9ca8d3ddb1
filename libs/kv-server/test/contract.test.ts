import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kvContract } from '@cluster/kv/contract'
import { openStore } from '../src/open-store.ts'
import { type Built, buildWorker } from './build-worker.ts'

for (const threads of ['workers', 'none'] as const) {
  kvContract({
    name: `openStore with threads: ${threads}`,
    open: async () => {
      const directory = await mkdtemp(join(tmpdir(), 'kv-server-contract-'))
      const built: Built | undefined = threads === 'workers' ? await buildWorker() : undefined
      const workerFile = built === undefined ? {} : { workerFile: built.file('worker') }
      const options = { dir: directory, threads, segmentSizeBytes: 1024 * 1024, ...workerFile }
      const store = await openStore(options)
      return {
        kv: store,
        // The store keeps a thousand events, whatever keys they are about.
        compact: async () => {
          await Promise.all(Array.from({ length: 1050 }, (_, count) => store.put(`/foreign/${count % 50}`, 'x')))
        },
        close: async () => {
          await store.close(1000)
          await built?.[Symbol.asyncDispose]()
          await rm(directory, { recursive: true, force: true })
        },
      }
    },
    supports: { found: true, directories: true },
  })
}
