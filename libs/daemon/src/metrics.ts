/** The Meter port and its text for a scraper. */
import type { Meter } from '@cluster/prelude'
import { createFigures } from './figures.ts'

export type Metrics = {
  readonly meter: Meter
  /** Everything measured, in Prometheus' text format. */
  readonly text: () => Promise<string>
  /** Content-Type that belongs to the text. */
  readonly contentType: string
}

/**
 * An empty meter. Asking twice for one name gives the same figure; asking for another kind under a known name is a bug
 * (InvariantError). Counters end in `_total`, and nothing else does.
 */
export function createMetrics(): Metrics {
  const { meter, text } = createFigures()
  return { meter, text: async () => text(), contentType: 'text/plain; version=0.0.4; charset=utf-8' }
}

/**
 * As `createMetrics`, and figures of the process itself: memory, processor time, event loop, file descriptors. Those are
 * collected from the first `text` on: prom-client, which does that, costs a start 20 ms and more.
 */
export function createProcessMetrics(): Metrics {
  const metrics = createMetrics()
  let own: Promise<{ readonly metrics: () => Promise<string> }> | undefined
  const collect = async (): Promise<{ readonly metrics: () => Promise<string> }> => {
    const { collectDefaultMetrics, Registry } = await import('prom-client')
    const registry = new Registry()
    collectDefaultMetrics({ register: registry })
    return registry
  }
  const text = async (): Promise<string> => {
    own ??= collect()
    return `${await metrics.text()}\n${await (await own).metrics()}`
  }
  return { ...metrics, text }
}
