/** Draws which machine runs which unit, after the planner has done its work. See README.md. */
import { readFileSync } from 'node:fs'
import { defaultPolicy, planCluster, unitFromText } from '@cluster/scheduler'

const [file] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node placement-svg.mjs CLUSTER.json > placement.svg')
  process.exitCode = 2
} else {
  const { machines, units } = JSON.parse(readFileSync(file, 'utf8'))
  process.stdout.write(draw(machines, units))
}

function draw(machines, units) {
  const state = { machines, units: units.map(({ name, text, machine }) => unitFromText(name, text, { machine })) }
  const { placement, unplaced } = planCluster(state, defaultPolicy)
  const was = new Map(units.map(({ name, machine }) => [name, machine]))
  const on = (id) => [...placement].flatMap(([unit, machine]) => (machine === id ? [unit] : [])).sort()
  const describe = (metadata) => Object.entries(metadata).map((pair) => pair.join('='))
  const columns = machines.map(({ id, metadata }) => ({ title: id, note: describe(metadata).join(' '), units: on(id) }))
  if (unplaced.length > 0) columns.push({ title: 'no machine', note: 'waiting', units: unplaced })

  const [width, row] = [200, 28]
  const height = 56 + row * Math.max(1, ...columns.map((column) => column.units.length))
  const drawn = columns.map(({ title, note, units }, index) => {
    const x = 10 + index * (width + 10)
    const boxes = units.map((unit, line) => {
      const y = 60 + line * row
      const fill = !placement.has(unit) ? '#f4b6b6' : was.get(unit) === placement.get(unit) ? '#cfe3f7' : '#cdeccf'
      return `<rect x="${x + 8}" y="${y}" width="${width - 16}" height="${row - 6}" rx="3" fill="${fill}"/>
<text x="${x + 16}" y="${y + 15}">${escapeText(unit)}</text>`
    })
    return `<g>
<rect x="${x}" y="10" width="${width}" height="${height}" rx="6" fill="none" stroke="#888"/>
<text x="${x + 10}" y="30" font-weight="bold">${escapeText(title)}</text>
<text x="${x + 10}" y="47" fill="#666">${escapeText(note)}</text>
${boxes.join('\n')}
</g>`
  })
  const [w, h] = [10 + columns.length * (width + 10), height + 20]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" font-family="sans-serif" font-size="12">
<title>Which machine runs which unit</title>
${drawn.join('\n')}
</svg>
`
}

function escapeText(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
