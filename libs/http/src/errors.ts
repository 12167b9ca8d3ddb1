import { ClusterError } from '@cluster/prelude'

/** What can go wrong on the wire, for servers and clients. */
export type HttpErrorCode =
  /** Nobody listens there. The request was not sent. */
  | 'http/connection-refused'
  /** The name has no address. The request was not sent. */
  | 'http/name-not-found'
  /** No way to the host. The request was not sent. */
  | 'http/unreachable'
  /** No connection in time. The request was not sent. */
  | 'http/connect-timeout'
  /** The unix socket does not exist. The request was not sent. */
  | 'http/no-such-socket'
  /** The system forbids it: a socket's mode, a low port. The request was not sent. */
  | 'http/permission-denied'
  /** The two ends could not agree on TLS, or one does not trust the other. The request was not sent. */
  | 'http/tls'
  /** A connection ended before the answer was whole; what was asked may have happened. */
  | 'http/connection-reset'
  /** No answer in time; what was asked may have happened. */
  | 'http/timeout'
  /** What came back is not HTTP; what was asked may have happened. */
  | 'http/invalid-answer'
  /** The caller's signal fired; what was asked may have happened. */
  | 'http/aborted'
  /** A body is longer than the limit. */
  | 'http/body-too-large'
  /** A request that cannot be understood. */
  | 'http/bad-request'
  /** Somebody listens there already. */
  | 'http/address-in-use'
  /** What should name a place to listen or to ask does not. */
  | 'http/invalid-address'
  /** A key or certificate file that cannot be used. */
  | 'http/tls-file'
  /** Anything else that the system said; see the cause. */
  | 'http/failed'

/** A failure of a listener, a request or an answer. Recognise it by its code. */
export class HttpError extends ClusterError<HttpErrorCode> {
  override readonly name = 'HttpError'
}

const notSent: ReadonlySet<string> = new Set<HttpErrorCode>([
  'http/connection-refused',
  'http/name-not-found',
  'http/unreachable',
  'http/connect-timeout',
  'http/no-such-socket',
  'http/permission-denied',
  'http/tls',
  'http/invalid-address',
])

/** Whether a client's error says that the request certainly never reached the other side, so that asking elsewhere is safe. */
export const wasNotSent = (error: unknown): boolean => error instanceof HttpError && notSent.has(error.code)

/** The system's name of an error (`ECONNREFUSED`), if it has one. */
export const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

type Rule = { readonly code: HttpErrorCode; readonly what: string; readonly hint: string }

const rules: Readonly<Record<string, Rule>> = {
  ECONNREFUSED: {
    code: 'http/connection-refused',
    what: 'refused the connection',
    hint: 'check that the server runs and listens there',
  },
  ENOTFOUND: {
    code: 'http/name-not-found',
    what: 'has no address',
    hint: 'check the spelling of the host name and the name service',
  },
  EAI_AGAIN: {
    code: 'http/name-not-found',
    what: 'could not be looked up',
    hint: 'check the name service of this machine',
  },
  EHOSTUNREACH: {
    code: 'http/unreachable',
    what: 'cannot be reached',
    hint: 'check the address, routes and firewalls',
  },
  ENETUNREACH: {
    code: 'http/unreachable',
    what: 'is on a network that cannot be reached',
    hint: 'check the routes of this machine',
  },
  EHOSTDOWN: { code: 'http/unreachable', what: 'is down', hint: 'check the address and that the machine runs' },
  EADDRNOTAVAIL: { code: 'http/unreachable', what: 'is not an address of this machine', hint: 'check the address' },
  ENOENT: {
    code: 'http/no-such-socket',
    what: 'does not exist',
    hint: 'check that the server runs and the path of its socket',
  },
  ENOTSOCK: { code: 'http/no-such-socket', what: 'is not a socket', hint: 'check the path' },
  EACCES: {
    code: 'http/permission-denied',
    what: 'may not be used',
    hint: 'check the rights of this user, and the mode of the socket if it is one',
  },
  EPERM: { code: 'http/permission-denied', what: 'may not be used', hint: 'check the rights of this user' },
  EADDRINUSE: {
    code: 'http/address-in-use',
    what: 'is in use',
    hint: 'stop who listens there, or choose another address',
  },
  ETIMEDOUT: {
    code: 'http/timeout',
    what: 'did not answer',
    hint: 'check the address, firewalls, and that the machine runs',
  },
  ECONNRESET: {
    code: 'http/connection-reset',
    what: 'cut the connection',
    hint: 'check that the server still runs; its log may say why',
  },
  EPIPE: {
    code: 'http/connection-reset',
    what: 'cut the connection',
    hint: 'check that the server still runs; its log may say why',
  },
  ECONNABORTED: {
    code: 'http/connection-reset',
    what: 'cut the connection',
    hint: 'check that the server still runs; its log may say why',
  },
  ERR_STREAM_PREMATURE_CLOSE: {
    code: 'http/connection-reset',
    what: 'cut the connection',
    hint: 'check that the server still runs; its log may say why',
  },
}

const tlsHint = 'check that both sides speak TLS there and that each trusts the authority that signed the other'

/** What the system said, as an error of ours; `place` is what was asked or listened on. Errors of ours pass unchanged. */
export function toHttpError(error: unknown, place: string): HttpError {
  if (error instanceof HttpError) return error
  const errno = errnoOf(error) ?? ''
  if (isTlsErrno(errno)) return new HttpError('http/tls', `no TLS with ${place}`, { hint: tlsHint, cause: error })
  if (errno.startsWith('HPE_')) {
    return new HttpError('http/invalid-answer', `${place} does not answer in HTTP`, {
      hint: 'check the address: another protocol may be spoken there, or TLS',
      cause: error,
    })
  }
  const rule = rules[errno]
  if (rule === undefined) return new HttpError('http/failed', `${place} failed`, { cause: error })
  // A connection that was never made has sent nothing, however that came about.
  const isConnecting = error instanceof Error && 'syscall' in error && error.syscall === 'connect'
  const code = isConnecting && errno === 'ETIMEDOUT' ? 'http/connect-timeout' : rule.code
  return new HttpError(code, `${place} ${rule.what}`, { hint: rule.hint, cause: error })
}

const isTlsErrno = (errno: string): boolean =>
  errno === 'EPROTO' || /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_OSSL)/.test(errno)
