/**
 * Where our answer may be another one than that of etcd 3.4, and why. We equal etcd 2.3 (spec/etcd-v2.md §9 lists what
 * 3.4 changed); an entry that is used no more is reported, so that the list stays short.
 */
import type { AnswerDifference } from './compare.ts'
import type { Answer, DifferentialRequest } from './request.ts'

export type AllowedDifference = {
  readonly name: string
  readonly reason: string
  readonly applies: (seen: {
    readonly request: DifferentialRequest
    readonly ours: Answer
    readonly theirs: Answer
    readonly differences: readonly AnswerDifference[]
  }) => boolean
}

export const allowedDifferences: readonly AllowedDifference[] = [
  {
    name: 'etcd panics on empty names and patterns',
    reason:
      'an empty pattern in a role, or an empty user name, makes etcd cut the connection (spec §4.3); we refuse or ignore it',
    applies: ({ ours, theirs }) => theirs.status === 0 && (ours.status === 401 || ours.status === 404),
  },
]
