/** How a request of the v2 API fails, with all that the server or the wire said about it. */
import { isClusterError } from '@cluster/prelude'
import { KvClientError, type KvClientErrorCode } from '../errors.ts'

/** Why one endpoint gave no answer. */
export type V2Attempt =
  /** Nothing of HTTP came back in time; `error` is an `HttpError` with what the system said as its cause. */
  | { readonly kind: 'unreachable'; readonly endpoint: string; readonly error: unknown }
  /** It answered with a status of 500 or above. */
  | {
      readonly kind: 'server-error'
      readonly endpoint: string
      readonly status: number
      /** What the server said about it, if it said anything that is text in JSON. */
      readonly message: string | undefined
    }

/** What the server refused with. */
export type V2Refusal =
  /** Of the keys API: one of its error codes (spec/etcd-v2.md §1.10). */
  | {
      readonly kind: 'keys'
      readonly status: number
      readonly errorCode: number
      readonly message: string
      /** Empty for none. */
      readonly cause: string
      readonly index: number
    }
  /** Of the other paths: a message, or nothing that could be read. */
  | { readonly kind: 'plain'; readonly status: number; readonly message: string | undefined }

export type V2Failure =
  | { readonly kind: 'unavailable'; readonly attempts: readonly V2Attempt[] }
  | { readonly kind: 'refused'; readonly refusal: V2Refusal }
  | { readonly kind: 'other' }

/** A failed request, in data: `failure` says what the code only names. */
export class V2ApiError extends KvClientError {
  override readonly name = 'V2ApiError'
  readonly failure: V2Failure

  constructor(
    code: KvClientErrorCode,
    message: string,
    { failure = { kind: 'other' }, hint, cause }: V2ApiErrorOptions = {},
  ) {
    super(code, message, { hint, cause })
    this.failure = failure
  }
}

export type V2ApiErrorOptions = {
  readonly failure?: V2Failure
  readonly hint?: string
  readonly cause?: unknown
}

/** Whether an error came from a request of the v2 API. */
export const isV2ApiError = (error: unknown): error is V2ApiError =>
  error instanceof V2ApiError && isClusterError(error)

/** A refusal as an error. */
export function refused(refusal: V2Refusal): V2ApiError {
  const said =
    refusal.kind === 'keys'
      ? `${refusal.errorCode}: ${refusal.message}${refusal.cause === '' ? '' : ` (${refusal.cause})`}`
      : (refusal.message ?? `status ${refusal.status}`)
  return new V2ApiError('kv-client/refused', `the store refused: ${said}`, { failure: { kind: 'refused', refusal } })
}

/** An answer that no etcd gives. */
export const notEtcd = (found: string): V2ApiError =>
  new V2ApiError('kv-client/not-etcd', `the answer is not one of etcd's v2 API: found ${found}`, {
    hint: 'check that the endpoint is the client address of a store that speaks the etcd v2 API',
  })
