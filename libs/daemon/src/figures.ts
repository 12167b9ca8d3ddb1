/**
 * Counters, gauges and histograms, and their text in Prometheus' exposition format 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats). A daemon's start waits for no library of figures this way.
 */
import { assert, type Labels, type Meter } from '@cluster/prelude'

/** Seconds; from a fast call to a slow stop. */
const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const bytesBuckets = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216]

type Kind = 'counter' | 'gauge' | 'histogram'

/** One figure with certain labels: a value, or what was observed. */
type Series = { readonly labels: string; value: number; count: number; readonly buckets: number[] }

type Figure = {
  readonly name: string
  readonly kind: Kind
  readonly help: string
  readonly labelNames: readonly string[]
  /** Upper bounds; none but for a histogram. */
  readonly bounds: readonly number[]
  /** By the values of the labels. */
  readonly series: Map<string, Series>
}

/** Figures and how they read. */
export type Figures = { readonly meter: Meter; readonly text: () => string }

/** No figures yet. */
export function createFigures(): Figures {
  const figures = new Map<string, Figure>()

  function figureOf(kind: Kind, name: string, help: string, labelNames: readonly string[]): Figure {
    const known = figures.get(name)
    if (known !== undefined) {
      const signature = (one: Pick<Figure, 'kind' | 'labelNames'>): string => `${one.kind} ${one.labelNames.join()}`
      const [before, asked] = [signature(known), signature({ kind, labelNames })]
      assert(before === asked, `metric ${name} is already there as ${before}`)
      return known
    }
    assert(/^[a-z_][a-z0-9_]*$/.test(name), `a metric is named in small letters, digits and _: ${name}`)
    assert((kind === 'counter') === name.endsWith('_total'), `counters end in _total, other figures do not: ${name}`)
    const bounds = kind !== 'histogram' ? [] : name.endsWith('_bytes') ? bytesBuckets : secondsBuckets
    const figure: Figure = { name, kind, help, labelNames: [...labelNames], bounds, series: new Map() }
    // Without labels there is one series, known from the start: zero is an answer.
    if (labelNames.length === 0) seriesOf(figure, {})
    figures.set(name, figure)
    return figure
  }

  const meter: Meter = {
    counter: (name, help, labelNames = []) => {
      const figure = figureOf('counter', name, help, labelNames)
      return {
        add: (labels = {}, by = 1) => {
          assert(by >= 0, `counter ${name} only grows: ${by}`)
          seriesOf(figure, labels).value += by
        },
      }
    },
    gauge: (name, help, labelNames = []) => {
      const figure = figureOf('gauge', name, help, labelNames)
      return {
        set: (value, labels = {}) => {
          seriesOf(figure, labels).value = value
        },
      }
    },
    histogram: (name, help, labelNames = []) => {
      const figure = figureOf('histogram', name, help, labelNames)
      return {
        observe: (value, labels = {}) => {
          const series = seriesOf(figure, labels)
          series.value += value
          series.count += 1
          const index = figure.bounds.findIndex((bound) => value <= bound)
          if (index >= 0) series.buckets[index] = (series.buckets[index] ?? 0) + 1
        },
      }
    },
  }
  return { meter, text: () => [...figures.values()].map(textOf).join('\n') }
}

function seriesOf({ name, labelNames, bounds, series }: Figure, labels: Labels): Series {
  const key = labelNames.map((label) => labels[label] ?? '').join('\u0000')
  const known = series.get(key)
  if (known !== undefined) return known
  const unknown = Object.keys(labels).find((label) => !labelNames.includes(label))
  assert(unknown === undefined, `metric ${name} has no label ${unknown}`)
  const rendered = labelNames
    .filter((label) => labels[label] !== undefined)
    .map((label) => `${label}="${escaped(labels[label] ?? '').replaceAll('"', '\\"')}"`)
    .join(',')
  const made: Series = { labels: rendered, value: 0, count: 0, buckets: bounds.map(() => 0) }
  series.set(key, made)
  return made
}

function textOf({ name, kind, help, bounds, series }: Figure): string {
  const lines = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${kind}`]
  for (const { labels, value, count, buckets } of series.values()) {
    if (kind !== 'histogram') {
      lines.push(`${name}${braced(labels)} ${numberText(value)}`)
      continue
    }
    let below = 0
    for (const [index, bound] of bounds.entries()) {
      below += buckets[index] ?? 0
      lines.push(`${name}_bucket${braced(`le="${bound}"`, labels)} ${below}`)
    }
    lines.push(`${name}_bucket${braced('le="+Inf"', labels)} ${count}`)
    lines.push(`${name}_sum${braced(labels)} ${numberText(value)}`, `${name}_count${braced(labels)} ${count}`)
  }
  return `${lines.join('\n')}\n`
}

function braced(...labels: readonly string[]): string {
  const inside = labels.filter((one) => one !== '').join(',')
  return inside === '' ? '' : `{${inside}}`
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

const numberText = (value: number): string =>
  Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
