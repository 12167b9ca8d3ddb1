/** Writes of the server's own (users, roles, members): one command at a time, awaited. */
import type { Command, Outcome } from '@cluster/kv-store/v2'
import { KvServerError } from './errors.ts'
import type { Replica } from './replica.ts'

/**
 * What came of a command, once it has been applied here. Whoever awaits it sees the store as it is after it or later.
 *
 * @throws KvServerError `kv-server/not-committed`
 */
export function commit(replica: Replica, command: Command): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    replica.propose(command, (settled) => {
      if (settled.kind === 'applied') return resolve(settled.outcome)
      reject(
        new KvServerError('kv-server/not-committed', `a ${command.kind} was not committed: ${settled.failure}`, {
          hint: 'look whether it was made, and try again when the store takes writes',
        }),
      )
    })
  })
}
