/** Answers of the auth API as values (spec/etcd-v2.md §4.3). */
import { type ByteString, escapeGoJson } from '@cluster/kv-store'

export type Answer = { readonly status: number; readonly body: ByteString }

/** A success: its JSON ends in a newline. */
export const answer = (status: number, json: ByteString): Answer => ({ status, body: `${json}\n` })

/** A success without a body. */
export const emptyAnswer: Answer = { status: 200, body: '' }

/** An error that the HTTP border found. */
export const refuse = (status: number, message: ByteString): Answer => ({
  status,
  body: `{"message":"${escapeGoJson(message)}"}`,
})

/** An error of the rules of auth: its message says so. */
export const refuseAuth = (status: number, message: ByteString): Answer => refuse(status, `auth: ${message}`)

export const invalidJson = refuse(400, 'Invalid JSON in request body.')
export const internalError = refuse(500, 'Internal Server Error')
