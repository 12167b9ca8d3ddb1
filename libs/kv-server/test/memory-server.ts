/** The whole API with auth and members over a replica in memory, on a free port: for recorded scripts and benches. */
import { type HttpListener, serveExchanges } from '@cluster/http'
import { createAuthRecords } from '../src/auth-records.ts'
import { createAuthorizer } from '../src/authorizer.ts'
import { createBlockingHasher } from '../src/bcrypt-hasher.ts'
import { bootstrap } from '../src/bootstrap.ts'
import { createHandler } from '../src/handler.ts'
import { createPasswordChecker } from '../src/passwords.ts'
import { createAuthPart } from '../src/v2/auth-api/routes.ts'
import { createMembersPart } from '../src/v2/members.ts'
import { createMemoryReplica, type MemoryReplica } from './memory-replica.ts'

export type MemoryServer = AsyncDisposable & { readonly url: string; readonly replica: MemoryReplica }

/** Starts it; expired keys go every 500 ms by a real timer. */
export async function startMemoryServer(): Promise<MemoryServer> {
  const clock = {
    get nowMs() {
      return performance.timeOrigin + performance.now()
    },
  }
  const replica = createMemoryReplica({ clock })
  const records = createAuthRecords(replica.store)
  const hasher = createBlockingHasher({ cost: 4 })
  const passwords = createPasswordChecker({ hasher, digestKey: Buffer.alloc(32, 1) })
  const authorizer = createAuthorizer({ replica, records, passwords })
  await bootstrap(replica, {
    name: 'default',
    peerUrls: ['http://localhost:2380'],
    clientUrls: ['http://127.0.0.1:2379'],
    clusterToken: 'etcd-cluster',
    clusterVersion: '2.3.0',
  })
  const handler = createHandler({
    replica,
    authorizer,
    members: createMembersPart({ replica, authorizer }),
    auth: createAuthPart({ replica, authorizer, records, hasher }),
    name: 'default',
    renderMetrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'etcd_memory 1\n' }),
    setLogLevel: () => undefined,
    processFacts: { commandLine: ['memory-server'], fileDescriptorsMax: 1024, memory: () => ({ Sys: 0 }) },
  })
  const listener: HttpListener = await serveExchanges(handler, { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } })
  const sweep = setInterval(() => {
    const { nextDeadlineMs } = replica.store
    if (nextDeadlineMs !== undefined && nextDeadlineMs <= clock.nowMs) replica.sync()
  }, 500)
  return {
    url: listener.url,
    replica,
    [Symbol.asyncDispose]: async () => {
      clearInterval(sweep)
      await listener.close(0)
    },
  }
}
