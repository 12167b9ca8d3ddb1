/** Writes of the server's own (users, roles, members): one command at a time, awaited. */
import type { Command, Outcome } from '@cluster/kv-store/v2'
import { KvServerError } from './errors.ts'
import type { ProposalFailure, Replica } from './replica.ts'

/** A write of the server's own was not committed in time; it may still be applied. */
export class NotCommitted extends KvServerError {
  readonly failure: ProposalFailure

  constructor(what: string, failure: ProposalFailure) {
    super('kv-server/not-committed', `${what} was not committed: ${failure}`, {
      hint: 'look whether it was made, and try again when the store takes writes',
    })
    this.failure = failure
  }
}

/**
 * What came of a command, once it has been applied here. Whoever awaits it sees the store as it is after it or later.
 *
 * @throws NotCommitted
 */
export function commit(replica: Replica, command: Command): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    replica.propose(command, (settled) => {
      if (settled.kind === 'applied') return resolve(settled.outcome)
      reject(new NotCommitted(`a ${command.kind}`, settled.failure))
    })
  })
}
