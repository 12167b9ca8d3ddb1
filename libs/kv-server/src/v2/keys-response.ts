/**
 * Head and body of what the store answers (spec/etcd-v2.md §1.9). The header lines that never change are made once.
 */
import type { Exchange } from '@cluster/http'
import type { Outcome } from '@cluster/kv-store/v2'
import { respondError } from './errors.ts'

/** The answers of one server: its cluster id is in all of them. */
export type KeysAnswers = {
  /** Header lines of a success: store index, then index and term of the log. */
  readonly headOf: (index: number, raftIndex: number, raftTerm: number) => string
  /** Answers with what came of a command or read. */
  readonly outcome: (exchange: Exchange, outcome: Outcome, raftIndex: number, raftTerm: number) => void
  /** Header lines up to the number of X-Etcd-Index, for errors. */
  readonly errorHeadStart: string
}

/** `clusterId` in hex, shortest form. */
export function createKeysAnswers(clusterId: string): KeysAnswers {
  const start = `Content-Type: application/json\r\nX-Etcd-Cluster-Id: ${clusterId}\r\nX-Etcd-Index: `
  const headOf = (index: number, raftIndex: number, raftTerm: number): string =>
    `${start}${index}\r\nX-Raft-Index: ${raftIndex}\r\nX-Raft-Term: ${raftTerm}\r\n`
  return {
    headOf,
    errorHeadStart: start,
    outcome: (exchange, outcome, raftIndex, raftTerm) => {
      if (outcome.kind === 'done') {
        exchange.respond(outcome.isCreated ? 201 : 200, headOf(outcome.index, raftIndex, raftTerm), outcome.body)
      } else respondError(exchange, start, outcome.code, outcome.cause, outcome.index)
    },
  }
}
