/**
 * `/metrics`, and what is counted of keys requests. Counting costs an addition per request: the figures reach the meter
 * when somebody asks for them.
 */
import type { Exchange } from '@cluster/http'
import type { Meter } from '@cluster/prelude'
import type { KeysEvents } from './v2/keys.ts'

/** All figures of the process as text, and its type. */
export type MetricsText = { readonly contentType: string; readonly text: string }

export type ApiMetrics = KeysEvents & {
  /** Hands what was counted since the last time to the meter. */
  readonly flush: () => void
}

/** Counts keys requests. */
export function createApiMetrics(meter: Meter): ApiMetrics {
  const received = meter.counter('etcd_http_received_total', 'Keys requests that were understood and allowed', [
    'method',
  ])
  const failed = meter.counter(
    'etcd_http_proposals_failed_total',
    'Keys requests that the log did not take or finish',
    ['failure'],
  )
  const receivedSince = { GET: 0, HEAD: 0, PUT: 0, POST: 0, DELETE: 0 }
  return {
    received: (method) => {
      receivedSince[method] += 1
    },
    failed: (failure) => failed.add({ failure }),
    flush: () => {
      for (const method of methods) {
        if (receivedSince[method] > 0) received.add({ method }, receivedSince[method])
        receivedSince[method] = 0
      }
    },
  }
}

const methods = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] as const

/** Answers with the figures; any method. */
export function respondMetrics(exchange: Exchange, render: () => Promise<MetricsText>): void {
  render().then(
    ({ contentType, text }) => exchange.respond(200, `Content-Type: ${contentType}\r\n`, Buffer.from(text)),
    () => exchange.respond(500, 'Content-Type: text/plain; charset=utf-8\r\n', 'the figures cannot be shown\n'),
  )
}
