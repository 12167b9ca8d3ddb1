/** `fleetctl list-machines`: the machines that are up. */
import { outputForm, printTable } from '@cluster/cli'
import type { FleetMachine } from '@cluster/fleet-api'
import type { RunCommand } from '../context.ts'
import { failureOf } from '../failure.ts'
import { type Column, chooseColumns, layOut } from '../fields.ts'
import { machineIdCell, metadataCell } from '../machine-cell.ts'

const columnsFor = (full: boolean): readonly Column<FleetMachine>[] => [
  { name: 'machine', cell: ({ id }) => machineIdCell(id, { full }) },
  { name: 'ip', cell: ({ primaryIp }) => primaryIp || '-' },
  { name: 'metadata', cell: ({ metadata }) => metadataCell(metadata) },
  { name: 'cordon', cell: ({ cordon }) => cordon ?? '-' },
]

/** The recorded columns, until there is something to tell. */
const isTold = (machines: readonly FleetMachine[]): boolean => machines.some(({ cordon }) => cordon !== undefined)

export const run: RunCommand = async ({ io, fleet, signal }, { flags }) => {
  const known = columnsFor(flags.boolean('full') || flags.boolean('l'))
  const columns = chooseColumns(flags.text('fields'), known)
  if (!columns.ok) {
    io.stderr.write(`${columns.error}\n`)
    return 1
  }
  try {
    const machines = await fleet.listMachines(signal)
    const shown = !flags.given('fields') && isTold(machines) ? known : columns.value
    printTable(io, outputForm(flags.text('output')), {
      ...layOut(shown, machines),
      withoutHeading: flags.boolean('no-legend'),
      json: machines.map(({ id, primaryIp, metadata, cordon }) => ({
        machine: id,
        ip: primaryIp || null,
        metadata,
        cordon: cordon ?? null,
      })),
    })
    return 0
  } catch (error) {
    const { message, more } = failureOf(error)
    const lines = [
      `Error retrieving list of active machines from fleet API (${message})`,
      'Possible issues:',
      '  etcd is unhealthy and/or lost quorum',
      '  connection cannot be established to any etcd servers',
      ...more,
    ]
    io.stderr.write(lines.map((line) => `${line}\n`).join(''))
    return 1
  }
}
