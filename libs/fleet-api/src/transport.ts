/** What the client needs of HTTP: one request with a short body, one whole answer. */

export type FleetRequest = {
  readonly method: 'GET' | 'PUT' | 'DELETE' | 'PATCH'
  /** Path and query behind the endpoint: `/fleet/v1/units`. */
  readonly path: string
  /** JSON text. */
  readonly body?: string
  readonly signal?: AbortSignal
}

export type FleetAnswer = {
  readonly status: number
  readonly body: string
  /** Texts of `Warning` headers with code 299, decoded. */
  readonly warnings: readonly string[]
}

/**
 * Sends one request. Resolves with whatever status came.
 *
 * @throws FleetApiError `fleet-api/unreachable`, `fleet-api/timeout`, `fleet-api/invalid-answer`, `fleet-api/aborted`
 */
export type FleetTransport = (request: FleetRequest) => Promise<FleetAnswer>
