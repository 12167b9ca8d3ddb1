import { follow } from '@cluster/kv'
import { connectEtcd2 } from '@cluster/kv-client'
import { type Clock, seededRandom } from '@cluster/prelude'

/** Announces a web server for ten seconds, and returns what all who follow `/services` then know. */
export async function announce(endpoints: readonly string[], clock: Clock): Promise<readonly string[]> {
  const random = seededRandom(Date.now())
  await using kv = connectEtcd2({ endpoints, prefix: '/example', requestTimeoutMs: 5000, clock, random })
  await kv.put('/services/web@1', '10.0.0.7:8080', { ttlSeconds: 10 })
  for await (const update of follow(kv, '/services', { signal: new AbortController().signal, clock, random })) {
    if (update.kind === 'view') return [...update.entries.values()].map(({ key, value }) => `${key} at ${value}`)
  }
  return []
}
