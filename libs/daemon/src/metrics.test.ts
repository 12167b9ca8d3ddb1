import { InvariantError } from '@cluster/prelude'
import { expect, it } from 'vitest'
import { createMetrics, createProcessMetrics } from './metrics.ts'

it('counts, sets and observes, and prints it', async () => {
  const { meter, text } = createMetrics()
  meter.counter('tasks_total', 'Tasks done.', ['kind']).add({ kind: 'start' })
  meter.counter('tasks_total', 'Tasks done.', ['kind']).add({ kind: 'start' }, 2)
  meter.gauge('units', 'Units here.').set(7)
  meter.histogram('round_seconds', 'A round.').observe(0.3)
  const lines = (await text()).split('\n')
  expect(lines).toContain('tasks_total{kind="start"} 3')
  expect(lines).toContain('units 7')
  expect(lines).toContain('round_seconds_bucket{le="0.25"} 0')
  expect(lines).toContain('round_seconds_bucket{le="0.5"} 1')
})

it('reads as Prometheus wants it', async () => {
  const { meter, text } = createMetrics()
  meter.counter('odd_total', 'With \\ and\nmore.', ['a', 'b']).add({ b: '"x"\n\\' })
  meter.gauge('high', 'Infinite.').set(Number.POSITIVE_INFINITY)
  const sizes = meter.histogram('size_bytes', 'Sizes.', ['kind'])
  for (const size of [64, 65, 1e9]) sizes.observe(size, { kind: 'k' })
  expect((await text()).replaceAll(/^size_bytes_bucket\{le="\d{4,}".*\n/gm, '')).toMatchInlineSnapshot(`
    "# HELP odd_total With \\\\ and\\nmore.
    # TYPE odd_total counter
    odd_total{b="\\"x\\"\\n\\\\"} 1

    # HELP high Infinite.
    # TYPE high gauge
    high +Inf

    # HELP size_bytes Sizes.
    # TYPE size_bytes histogram
    size_bytes_bucket{le="64",kind="k"} 1
    size_bytes_bucket{le="256",kind="k"} 2
    size_bytes_bucket{le="+Inf",kind="k"} 3
    size_bytes_sum{kind="k"} 1000000129
    size_bytes_count{kind="k"} 3
    "
  `)
})

it('knows its labels', () => {
  const tasks = createMetrics().meter.counter('tasks_total', 'Tasks done.', ['kind'])
  expect(() => tasks.add({ unit: 'a' })).toThrow(InvariantError)
  expect(() => tasks.add({ kind: 'a' }, -1)).toThrow(InvariantError)
})

it('meters do not share figures', async () => {
  createMetrics().meter.gauge('units', 'Units here.').set(7)
  expect(await createMetrics().text()).not.toContain('units')
})

it.each([
  ['another kind', 'gauge', 'things'],
  ['a counter without _total', 'counter', 'tasks'],
  ['a gauge with _total', 'gauge', 'tasks_total'],
  ['a capital letter', 'gauge', 'Units'],
] as const)('refuses %s', (_, kind, name) => {
  const { meter } = createMetrics()
  meter.histogram('things', 'Things.')
  expect(() => meter[kind](name, 'help')).toThrow(InvariantError)
})

it('adds figures of the process', async () => {
  const { meter, text } = createProcessMetrics()
  meter.gauge('units', 'Units here.').set(1)
  const printed = await text()
  expect(printed).toContain('units 1')
  expect(printed).toContain('process_resident_memory_bytes')
})
