import { systemClock } from '@cluster/daemon/system'
import { kvContract } from '@cluster/kv/contract'
import { seededRandom } from '@cluster/prelude'
import { describe } from 'vitest'
import { connectEtcd2 } from '../src/index.ts'
import { startEtcd, whyWithoutEtcd } from './etcd.ts'

const reason = whyWithoutEtcd()
if (reason !== undefined) console.warn(`left out: the contract against a real etcd, ${reason}`)

describe.skipIf(reason !== undefined)('with a real etcd', () => {
  for (const prefix of ['/', '/_below/a b']) {
    kvContract({
      name: `connectEtcd2 with the prefix ${prefix}`,
      open: async () => {
        const etcd = await startEtcd()
        const options = { endpoints: [etcd.url], requestTimeoutMs: 5000, clock: systemClock, random: seededRandom(1) }
        const kv = connectEtcd2({ ...options, prefix })
        const foreign = connectEtcd2({ ...options, prefix: '/foreign' })
        return {
          kv,
          // etcd keeps a thousand events, whatever keys they are about.
          compact: async () => {
            for (let round = 0; round < 21; round++) {
              await Promise.all(Array.from({ length: 50 }, (_, count) => foreign.put(`/${count}`, String(round))))
            }
          },
          close: async () => {
            await kv[Symbol.asyncDispose]()
            await foreign[Symbol.asyncDispose]()
            await etcd.close()
          },
        }
      },
      supports: { found: false, directories: true },
    })
  }
})
