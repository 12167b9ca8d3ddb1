/**
 * The error table of the v2 API and how an error is answered (spec/etcd-v2.md §1.9, §1.10).
 */
import type { Exchange } from '@cluster/http'
import { type ByteString, escapeGoJson } from '@cluster/kv-store'
import type { StoreErrorCode } from '@cluster/kv-store/v2'
import type { ProposalFailure } from '../replica.ts'

/** Refusals of the API in front of the store: fields, rights, the log. */
export type ApiErrorCode = 110 | 201 | 202 | 203 | 209 | 210 | 211 | 212 | 300

/** Why a request is refused before it reaches the store. */
export type Refusal = {
  readonly kind: 'refused'
  readonly code: ApiErrorCode
  /** Shown to the client; not escaped yet. */
  readonly cause: ByteString
}

type Row = { readonly status: number; readonly message: string }

const table: Readonly<Record<StoreErrorCode | ApiErrorCode, Row>> = {
  100: { status: 404, message: 'Key not found' },
  101: { status: 412, message: 'Compare failed' },
  102: { status: 403, message: 'Not a file' },
  104: { status: 400, message: 'Not a directory' },
  105: { status: 412, message: 'Key already exists' },
  107: { status: 400, message: 'Root is read only' },
  108: { status: 403, message: 'Directory not empty' },
  110: { status: 401, message: 'The request requires user authentication' },
  201: { status: 400, message: 'PrevValue is Required in POST form' },
  202: { status: 400, message: 'The given TTL in POST form is not a number' },
  203: { status: 400, message: 'The given index in POST form is not a number' },
  209: { status: 400, message: 'Invalid field' },
  210: { status: 400, message: 'Invalid POST form' },
  211: { status: 400, message: 'Value provided on refresh' },
  212: { status: 400, message: 'A TTL must be provided on refresh' },
  300: { status: 500, message: 'Raft Internal Error' },
  401: { status: 400, message: 'The event in requested index is outdated and cleared' },
}

/** The body of an error: one line of JSON, its newline included. `cause` is escaped here and left out when empty. */
export function renderError(code: StoreErrorCode | ApiErrorCode, cause: ByteString, index: number): ByteString {
  const shown = cause === '' ? '' : `"cause":"${escapeGoJson(cause)}",`
  return `{"errorCode":${code},"message":"${table[code].message}",${shown}"index":${index}}\n`
}

/** The cause that goes with 300 for each way a proposal can fail. */
export function causeOfFailure(failure: ProposalFailure): string {
  switch (failure) {
    case 'timeout':
      return 'etcdserver: request timed out'
    case 'timeout-leader-lost':
      return 'etcdserver: request timed out, possibly due to previous leader failure'
    case 'timeout-connection-lost':
      return 'etcdserver: request timed out, possibly due to connection lost'
    case 'stopped':
      return 'etcdserver: server stopped'
    // The three below are words of etcd 3; 2.3 has no such limits. The code is the one that clients retry or report.
    case 'no-space':
      return 'etcdserver: no space'
    case 'too-many':
      return 'etcdserver: too many requests'
    case 'too-large':
      return 'etcdserver: request is too large'
    default:
      return failure satisfies never
  }
}

/** Answers with an error of the table; `headStart` are the header lines of every keys answer up to the index. */
export function respondError(
  exchange: Exchange,
  headStart: string,
  code: StoreErrorCode | ApiErrorCode,
  cause: ByteString,
  index: number,
): void {
  exchange.respond(table[code].status, `${headStart}${index}\r\n`, renderError(code, cause, index))
}
