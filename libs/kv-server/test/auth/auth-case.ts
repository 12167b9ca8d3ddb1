/** The whole API over a replica in memory with users, roles and members as the server has them. */
import { createAuthRecords } from '../../src/auth-records.ts'
import { createAuthorizer, type Refusal } from '../../src/authorizer.ts'
import { createBlockingHasher } from '../../src/bcrypt-hasher.ts'
import { createHandler } from '../../src/handler.ts'
import { addMemberCommand, clusterVersionCommand, publishMemberCommand } from '../../src/membership.ts'
import { createPasswordChecker, type PasswordHasher } from '../../src/passwords.ts'
import { createAuthPart } from '../../src/v2/auth-api/routes.ts'
import { createMembersPart } from '../../src/v2/members.ts'
import { type FakeAnswer, FakeExchange } from '../fake-exchange.ts'
import { createMemoryReplica, type MemoryReplica } from '../memory-replica.ts'

export type AuthCase = {
  readonly replica: MemoryReplica
  /** What was refused, and why. */
  readonly refusals: Refusal[]
  /** What was answered by 500. */
  readonly failures: unknown[]
  readonly ask: (method: string, target: string, options?: AskOptions) => Promise<FakeAnswer>
}

export type AskOptions = {
  /** One character a byte; `user:password` becomes a Basic header. */
  readonly as?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly isBodyCut?: boolean
}

export const ownId = '8e9e05c52164694d'

export function createAuthCase({
  hasher = createBlockingHasher({ cost: 4 }),
}: {
  readonly hasher?: PasswordHasher
} = {}): AuthCase {
  const replica = createMemoryReplica()
  for (const command of [
    addMemberCommand(ownId, ['http://localhost:2380']),
    publishMemberCommand(ownId, { name: 'default', clientUrls: ['http://localhost:2379'] }),
    clusterVersionCommand('2.3.0'),
  ]) {
    replica.propose(command, () => {})
  }
  const refusals: Refusal[] = []
  const failures: unknown[] = []
  const onFailure = (error: unknown): void => void failures.push(error)
  const records = createAuthRecords(replica.store)
  const passwords = createPasswordChecker({ hasher, digestKey: Uint8Array.of(7), onFailure })
  const authorizer = createAuthorizer({ replica, records, passwords, onRefusal: (refusal) => refusals.push(refusal) })
  const handler = createHandler({
    replica,
    authorizer,
    members: createMembersPart({ replica, authorizer, onFailure }),
    auth: createAuthPart({ replica, authorizer, records, hasher, onFailure }),
    name: 'default',
    renderMetrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
    setLogLevel: () => undefined,
    processFacts: { commandLine: [], fileDescriptorsMax: 1024, memory: () => ({}) },
    utcOffsetMinutes: () => 0,
  })
  return {
    replica,
    refusals,
    failures,
    ask: async (method, target, { as, body = '', headers = {}, isBodyCut = false } = {}) => {
      const authorization =
        as === undefined ? {} : { authorization: `Basic ${Buffer.from(as, 'latin1').toString('base64')}` }
      const exchange = new FakeExchange({ method, target, body, isBodyCut, headers: { ...authorization, ...headers } })
      handler(exchange)
      for (let turns = 0; turns < 100 && exchange.answer === undefined; turns += 1) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (exchange.answer === undefined) throw new Error(`${method} ${target} was not answered`)
      return exchange.answer
    },
  }
}

/** With root, whose password is `pw`, and auth enabled. */
export async function createEnabledCase(options: Parameters<typeof createAuthCase>[0] = {}): Promise<AuthCase> {
  const created = createAuthCase(options)
  await created.ask('PUT', '/v2/auth/users/root', { body: '{"user":"root","password":"pw"}' })
  await created.ask('PUT', '/v2/auth/enable')
  return created
}
