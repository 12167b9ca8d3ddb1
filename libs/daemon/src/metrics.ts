/** The Meter port over prom-client, with a registry of its own, and its text for a scraper. */
import { assert, type Labels, type Meter } from '@cluster/prelude'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = {
  readonly meter: Meter
  /** Everything measured, in Prometheus' text format. */
  readonly text: () => Promise<string>
  /** Content-Type that belongs to the text. */
  readonly contentType: string
}

/** Seconds; from a fast call to a slow stop. */
const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const bytesBuckets = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216]

/**
 * An empty meter. Asking twice for one name gives the same figure; asking for another kind under a known name is a bug
 * (InvariantError). Counters end in `_total`, and nothing else does.
 */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const kinds = new Map<string, string>()

  function remember(name: string, kind: string, labelNames: readonly string[]): void {
    assert(/^[a-z_][a-z0-9_]*$/.test(name), `a metric is named in small letters, digits and _: ${name}`)
    assert((kind === 'counter') === name.endsWith('_total'), `counters end in _total, other figures do not: ${name}`)
    const signature = `${kind} ${labelNames.join()}`
    const before = kinds.get(name)
    assert(before === undefined || before === signature, `metric ${name} is already there as ${before}`)
    kinds.set(name, signature)
  }

  const meter: Meter = {
    counter: (name, help, labelNames = []) => {
      remember(name, 'counter', labelNames)
      const known = registry.getSingleMetric(name)
      const counter =
        known instanceof Counter
          ? known
          : new Counter({ name, help, labelNames: [...labelNames], registers: [registry] })
      return { add: (labels: Labels = {}, by = 1) => counter.inc({ ...labels }, by) }
    },
    gauge: (name, help, labelNames = []) => {
      remember(name, 'gauge', labelNames)
      const known = registry.getSingleMetric(name)
      const gauge =
        known instanceof Gauge ? known : new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] })
      return { set: (value: number, labels: Labels = {}) => gauge.set({ ...labels }, value) }
    },
    histogram: (name, help, labelNames = []) => {
      remember(name, 'histogram', labelNames)
      const known = registry.getSingleMetric(name)
      const buckets = name.endsWith('_bytes') ? bytesBuckets : secondsBuckets
      const histogram =
        known instanceof Histogram
          ? known
          : new Histogram({ name, help, labelNames: [...labelNames], buckets, registers: [registry] })
      return { observe: (value: number, labels: Labels = {}) => histogram.observe({ ...labels }, value) }
    },
  }
  return { meter, text: () => registry.metrics(), contentType: registry.contentType }
}

/** As `createMetrics`, and figures of the process itself: memory, processor time, event loop, file descriptors. */
export function createProcessMetrics(): Metrics {
  const metrics = createMetrics()
  const own = new Registry()
  collectDefaultMetrics({ register: own })
  return { ...metrics, text: async () => (await metrics.text()) + (await own.metrics()) }
}
