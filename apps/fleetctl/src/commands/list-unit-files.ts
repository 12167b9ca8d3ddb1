/** `fleetctl list-unit-files`: all units of the cluster, what is wanted of them and where they are. */
import { outputForm, printTable } from '@cluster/cli'
import type { FleetUnit } from '@cluster/fleet-api'
import { hashOptions, shortHash } from '@cluster/unit-file'
import type { RunCommand } from '../context.ts'
import { printFailure } from '../failure.ts'
import { type Column, chooseColumns, layOut } from '../fields.ts'
import { type Machines, machineCell, machinesById } from '../machine-cell.ts'
import { isGlobal } from '../submission.ts'

type Row = {
  readonly unit: FleetUnit
  readonly hash: string
  readonly description: string
  readonly isGlobal: boolean
}

const rowOf = (unit: FleetUnit): Row => ({
  unit,
  hash: hashOptions(unit.options),
  description: unit.options.find(({ section, name }) => section === 'Unit' && name === 'Description')?.value ?? '',
  isGlobal: isGlobal(unit.name, unit.options),
})

function columnsFor(machines: Machines, full: boolean): readonly Column<Row>[] {
  const target = (row: Row): string => (row.isGlobal ? 'global' : machineCell(row.unit.machineId, machines, { full }))
  return [
    { name: 'unit', cell: ({ unit }) => unit.name },
    { name: 'hash', cell: ({ hash }) => (full ? hash : shortHash(hash)) },
    { name: 'dstate', cell: ({ unit }) => unit.targetState || '-' },
    { name: 'state', cell: (row) => (row.isGlobal ? '-' : row.unit.currentState || '-') },
    { name: 'target', cell: target },
    { name: 'tmachine', cell: target },
    { name: 'global', cell: (row) => String(row.isGlobal) },
    { name: 'desc', cell: ({ description }) => description || '-' },
  ]
}

export const run: RunCommand = async (context, { flags }) => {
  const { io, fleet, signal } = context
  const full = flags.boolean('full')
  const fields = flags.text('fields')
  const checked = chooseColumns(fields, columnsFor(new Map(), full))
  if (!checked.ok) {
    io.stderr.write(`${checked.error}\n`)
    return 1
  }
  if (checked.value.some(({ name }) => name === 'tmachine')) {
    io.stderr.write('WARNING: The "tmachine" field is deprecated. Use "target" instead\n')
  }
  try {
    const [units, listed] = await Promise.all([fleet.listUnits(signal), fleet.listMachines(signal)])
    const machines = machinesById(listed)
    const chosen = chooseColumns(fields, columnsFor(machines, full))
    if (!chosen.ok) return 1
    const rows = units.map(rowOf)
    printTable(io, outputForm(flags.text('output')), {
      ...layOut(chosen.value, rows),
      withoutHeading: flags.boolean('no-legend'),
      json: rows.map((row) => ({
        unit: row.unit.name,
        hash: row.hash,
        targetState: row.unit.targetState ?? null,
        currentState: row.isGlobal ? null : (row.unit.currentState ?? null),
        machine: row.unit.machineId ?? null,
        ip: machines.get(row.unit.machineId ?? '')?.primaryIp || null,
        global: row.isGlobal,
        description: row.description,
      })),
    })
    return 0
  } catch (error) {
    return printFailure(context, 'Error retrieving list of units from repository: ', error)
  }
}
