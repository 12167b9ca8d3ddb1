/**
 * Failures in etcdctl's words and with its exit codes: what went wrong is known to `@cluster/kv-client`, here is only how
 * it is said.
 *
 * @see spec/etcd-v2.md §7.1, §7.2
 */
import type { Io } from '@cluster/cli'
import { statusText } from '@cluster/http'
import { isV2ApiError, type V2ApiError, type V2Attempt } from '@cluster/kv-client'
import { ClusterError, describeError, isClusterError } from '@cluster/prelude'
import { exitCode } from './command.ts'
import { errnoTexts } from './go-text.ts'

export type KvctlErrorCode =
  /** Words that a command cannot work with, or a file that it cannot read. */
  | 'kvctl/failed'
  /** What etcdctl reports with `Error:` in front. */
  | 'kvctl/bad-argument'

/** A command that ends here: the message is what is printed, `exit` how the program ends. */
export class KvctlError extends ClusterError<KvctlErrorCode> {
  override readonly name = 'KvctlError'
  readonly exit: number

  constructor(code: KvctlErrorCode, message: string, { exit = 1, hint }: { exit?: number; hint?: string } = {}) {
    super(code, message, { hint })
    this.exit = exit
  }
}

/** An argument that is missing or wrong: `Error:  key required`, exit 1. */
export const badArgument = (message: string): KvctlError => new KvctlError('kvctl/bad-argument', message)

/** A failure that is printed as it stands, exit 1. */
export const failed = (message: string, hint?: string): KvctlError =>
  new KvctlError('kvctl/failed', message, hint === undefined ? {} : { hint })

/** Prints what a command threw and gives its exit code: 4 for everything that the store or the way to it said. */
export function printFailure(io: Io, error: unknown, storeExit: number = exitCode.serverError): number {
  if (error instanceof KvctlError) {
    const prefix = error.code === 'kvctl/bad-argument' ? 'Error:  ' : ''
    io.stderr.write(`${prefix}${error.message}\n${error.hint === undefined ? '' : `${error.hint}\n`}`)
    return error.exit
  }
  if (!isV2ApiError(error)) {
    for (const line of describeError(error)) io.stderr.write(`${line}\n`)
    return exitCode.badArgument
  }
  io.stderr.write(`Error:  ${sayFailure(error)}\n`)
  if (error.failure.kind === 'unavailable' && !isAlone(error)) {
    const lines = error.failure.attempts.map((attempt, turn) => `error #${turn}: ${sayAttempt(attempt)}\n`)
    io.stderr.write(`${lines.join('')}\n`)
  }
  return storeExit
}

/** Prints it the way members, users and roles do: the bare message, exit 1. */
export function printPlainFailure(io: Io, error: unknown): number {
  if (!isV2ApiError(error)) return printFailure(io, error)
  io.stderr.write(`${sayFailure(error)}\n`)
  return exitCode.badArgument
}

/** One line, without the reasons of each endpoint. */
export function sayFailure(error: V2ApiError): string {
  const { failure } = error
  if (failure.kind === 'refused') {
    const { refusal } = failure
    if (refusal.kind === 'keys') {
      return `${refusal.errorCode}: ${refusal.message} (${refusal.cause}) [${refusal.index}]`
    }
    return refusal.message ?? `unexpected status code ${refusal.status}`
  }
  switch (error.code) {
    case 'kv-client/aborted':
      return 'context deadline exceeded'
    case 'kv-client/not-etcd':
      return 'client: response is invalid json. The endpoint is probably not valid etcd cluster endpoint.'
    case 'kv-client/no-published-endpoints':
      return 'client: no endpoints available'
    case 'kv-client/unavailable':
      return 'client: etcd cluster is unavailable or misconfigured'
    case 'kv-client/invalid-endpoint':
    case 'kv-client/refused':
      return error.message
    default:
      return error.code satisfies never
  }
}

const isAlone = (error: V2ApiError): boolean =>
  error.failure.kind === 'unavailable' && error.failure.attempts.length === 0

/** Whether no endpoint could be connected to, or none answered in time: exit 2 where etcdctl asks for the members. */
export const isConnectionFailure = (error: V2ApiError): boolean =>
  error.failure.kind === 'unavailable' &&
  error.failure.attempts.every(
    ({ kind, ...attempt }) =>
      kind === 'unreachable' && 'error' in attempt && connectionCodes.has(codeOf(attempt.error)),
  )

const connectionCodes: ReadonlySet<string> = new Set([
  'http/connection-refused',
  'http/name-not-found',
  'http/unreachable',
  'http/connect-timeout',
  'http/connection-reset',
  'http/timeout',
])

const codeOf = (error: unknown): string => (isClusterError(error) ? error.code : '')

/** Why one endpoint gave no answer, in a line. */
export function sayAttempt(attempt: V2Attempt): string {
  const { endpoint } = attempt
  if (attempt.kind === 'server-error') {
    const isLeaderless = attempt.status === 500 || attempt.status === 503
    if (isLeaderless) return `client: etcd member ${endpoint} has no leader`
    return `client: etcd member ${endpoint} returns server error [${statusText(attempt.status)}]`
  }
  return sayUnreachable(endpoint, attempt.error)
}

/** Why an address could not be asked, in the words of the system. */
export function sayUnreachable(endpoint: string, error: unknown): string {
  const { host, hostname } = new URL(endpoint)
  const cause = systemCause(error)
  const errno = cause === undefined ? '' : String(cause.code)
  const place = cause?.address === undefined ? host : placeOf(cause.address, cause.port)
  switch (codeOf(error)) {
    case 'http/connection-refused':
    case 'http/unreachable':
      return `dial tcp ${place}: connect: ${errnoTexts[errno] ?? 'connection refused'}`
    case 'http/name-not-found':
      return `dial tcp: lookup ${hostname}: no such host`
    case 'http/connect-timeout':
      return `dial tcp ${place}: i/o timeout`
    case 'http/timeout':
      return `client: endpoint ${endpoint} exceeded header timeout`
    case 'http/connection-reset':
      return errno === 'ECONNRESET' ? `read tcp ${place}: read: connection reset by peer` : 'unexpected EOF'
    default: {
      const [first = 'unknown error', second] = describeError(error)
      return second === undefined ? first : `${first}: ${second}`
    }
  }
}

type SystemCause = { readonly code: unknown; readonly address?: string; readonly port?: number }

/** The system's error behind ours; of several (a name with two addresses) the first. */
function systemCause(error: unknown): SystemCause | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return systemCause(error.errors[0])
  if (!(error instanceof Error)) return undefined
  if (isClusterError(error)) return systemCause(error.cause)
  if (!('code' in error)) return undefined
  return {
    code: error.code,
    ...('address' in error && typeof error.address === 'string' ? { address: error.address } : {}),
    ...('port' in error && typeof error.port === 'number' ? { port: error.port } : {}),
  }
}

const placeOf = (address: string, port: number | undefined): string =>
  `${address.includes(':') ? `[${address}]` : address}${port === undefined ? '' : `:${port}`}`
