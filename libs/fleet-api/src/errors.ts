import { ClusterError, type ClusterErrorOptions } from '@cluster/prelude'

export type FleetApiErrorCode =
  /** The endpoint is not one that can be connected to. */
  | 'fleet-api/invalid-endpoint'
  /** Nobody answers at the endpoint. */
  | 'fleet-api/unreachable'
  /** The daemon took longer than the time allowed; a change may or may not have happened. */
  | 'fleet-api/timeout'
  /** The daemon answers, but cannot reach its store, or has not joined the cluster yet (HTTP 503). */
  | 'fleet-api/unavailable'
  /** The daemon understood and said no (HTTP 4xx). */
  | 'fleet-api/refused'
  /** The daemon failed (HTTP 5xx other than 503). */
  | 'fleet-api/server-failed'
  /** What came back is not what a fleet daemon says. */
  | 'fleet-api/invalid-answer'
  /** The caller's signal fired. */
  | 'fleet-api/aborted'

/** What the daemon said when it said no. */
export type FailedAnswer = {
  readonly status: number
  /** The body as it came, at most the first 4,096 characters. */
  readonly body: string
  /** `error.message` of the body; `''` where the daemon gives none (it does so for every 500). */
  readonly message: string
}

/** Talking to a fleet daemon failed. `answer` is there when the daemon answered at all. */
export class FleetApiError extends ClusterError<FleetApiErrorCode> {
  override readonly name = 'FleetApiError'
  readonly answer: FailedAnswer | undefined

  constructor(
    code: FleetApiErrorCode,
    message: string,
    { answer, ...options }: ClusterErrorOptions & { readonly answer?: FailedAnswer } = {},
  ) {
    super(code, message, options)
    this.answer = answer
  }
}
