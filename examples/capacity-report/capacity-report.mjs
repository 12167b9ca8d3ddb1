/** How many more of each unit fit into a cluster? See README.md. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createPlanner, defaultPolicy, unitFromText } from '@cluster/scheduler'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { output: { type: 'string', default: 'table' }, limit: { type: 'string', default: '100' } },
})
const [file] = positionals
const limit = Number(values.limit)
if (file === undefined || !['table', 'json'].includes(values.output) || !(limit >= 1)) {
  console.error('usage: node capacity-report.mjs CLUSTER.json [--output table|json] [--limit 100]')
  process.exitCode = 2
} else {
  const rows = report(JSON.parse(readFileSync(file, 'utf8')))
  console.log(values.output === 'json' ? JSON.stringify(rows, undefined, 2) : table(rows))
}

function report({ machines, units }) {
  const state = { machines, units: units.map(({ name, text, machine }) => unitFromText(name, text, { machine })) }
  return units.map(({ name, text }) => {
    if (unitFromText(name, text).requirements.global) return { unit: name, fits: 'on every machine already' }
    // Units carry no weight, so what limits them is what they say of each other: one without Conflicts has no limit.
    const planner = createPlanner(state, defaultPolicy)
    const wherever = {}
    let fits = 0
    while (fits < limit) {
      const copy = copyName(name, fits + 1)
      const { newlyUnplaced } = planner.apply({ kind: 'put-unit', unit: unitFromText(copy, text) })
      const machine = planner.placeOf(copy)
      if (newlyUnplaced.length > 0 || machine === undefined) break
      wherever[machine] = (wherever[machine] ?? 0) + 1
      fits += 1
    }
    return { unit: name, fits: fits === limit ? 'no limit' : fits, machines: wherever }
  })
}

/** Another instance of a template, or another unit beside. */
function copyName(name, number) {
  const [, prefix, isInstance, suffix] = /^([^@]*)(@?).*(\.\w+)$/.exec(name)
  return isInstance ? `${prefix}@more-${number}${suffix}` : `${prefix.replace(/\.\w+$/, '')}-more-${number}${suffix}`
}

function table(rows) {
  const places = (machines = {}) => Object.keys(machines).sort().join(' ')
  const lines = [['UNIT', 'MORE', 'ON'], ...rows.map(({ unit, fits, machines }) => [unit, `${fits}`, places(machines)])]
  const widths = [0, 1].map((column) => Math.max(...lines.map((line) => line[column].length)))
  return lines
    .map(([unit, fits, on]) => `${unit.padEnd(widths[0])}  ${fits.padEnd(widths[1])}  ${on}`.trimEnd())
    .join('\n')
}
