/** Fails when the units of a folder would not fit into a cluster. See README.md. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultPolicy, explainUnit, planCluster, unitFromText } from '@cluster/scheduler'

const [clusterFile, folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: node ci-gate.mjs CLUSTER.json FOLDER')
  process.exitCode = 2
} else {
  try {
    process.exitCode = gate(JSON.parse(readFileSync(clusterFile, 'utf8')), folder)
  } catch (error) {
    console.error(error.message)
    if (error.hint !== undefined) console.error(error.hint)
    process.exitCode = 1
  }
}

function gate({ machines, units }, folder) {
  const placedOn = new Map(units.map(({ name, machine }) => [name, machine]))
  const running = units.map(({ name, text, machine }) => unitFromText(name, text, { machine }))
  // A file of the folder is a new unit, or a new text for one that runs. Templates are no units until they have instances.
  const proposed = readdirSync(folder)
    .filter((name) => /\.(service|socket|timer|mount|path|target)$/.test(name) && !name.includes('@.'))
    .sort()
    .map((name) => unitFromText(name, readFileSync(join(folder, name)), { machine: placedOn.get(name) }))
  const names = new Set(proposed.map(({ name }) => name))
  const before = planCluster({ machines, units: running }, defaultPolicy)
  const state = { machines, units: [...running.filter(({ name }) => !names.has(name)), ...proposed] }
  const after = planCluster(state, defaultPolicy)

  for (const { kind, unit, machine, reason } of after.tasks) console.log(`${kind} ${unit} on ${machine}: ${reason}`)
  const waited = new Set(before.unplaced)
  const failing = after.unplaced.filter((name) => names.has(name) || !waited.has(name))
  for (const name of failing) {
    console.log('')
    for (const line of explainUnit(state, name, defaultPolicy).lines) console.log(line)
  }
  console.log(`\n${proposed.length} units proposed, ${failing.length} of all units would have no machine`)
  return failing.length === 0 ? 0 : 1
}
