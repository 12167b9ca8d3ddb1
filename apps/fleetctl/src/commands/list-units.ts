/** `fleetctl list-units`: what systemd says of units, one line for each machine that has them. */
import { outputForm, printTable } from '@cluster/cli'
import type { FleetUnitState } from '@cluster/fleet-api'
import { shortHash } from '@cluster/unit-file'
import type { RunCommand } from '../context.ts'
import { printFailure } from '../failure.ts'
import { type Column, chooseColumns, layOut } from '../fields.ts'
import { type Machines, machineCell, machinesById } from '../machine-cell.ts'

const columnsFor = (machines: Machines, full: boolean): readonly Column<FleetUnitState>[] => [
  { name: 'unit', cell: ({ name }) => name },
  { name: 'machine', cell: ({ machineId }) => machineCell(machineId, machines, { full }) },
  { name: 'load', cell: ({ loadState }) => loadState || '-' },
  { name: 'active', cell: ({ activeState }) => activeState || '-' },
  { name: 'sub', cell: ({ subState }) => subState || '-' },
  { name: 'hash', cell: ({ hash }) => (full ? hash : shortHash(hash)) || '-' },
]

export const run: RunCommand = async (context, { flags }) => {
  const { io, fleet, signal } = context
  const full = flags.boolean('full') || flags.boolean('l')
  const fields = flags.text('fields')
  const checked = chooseColumns(fields, columnsFor(new Map(), full))
  if (!checked.ok) {
    io.stderr.write(`${checked.error}\n`)
    return 1
  }
  try {
    const [states, listed] = await Promise.all([fleet.listStates({}, signal), fleet.listMachines(signal)])
    const machines = machinesById(listed)
    const chosen = chooseColumns(fields, columnsFor(machines, full))
    if (!chosen.ok) return 1
    printTable(io, outputForm(flags.text('output')), {
      ...layOut(chosen.value, states),
      withoutHeading: flags.boolean('no-legend'),
      json: states.map((state) => ({
        unit: state.name,
        machine: state.machineId,
        ip: machines.get(state.machineId)?.primaryIp || null,
        load: state.loadState,
        active: state.activeState,
        sub: state.subState,
        hash: state.hash,
      })),
    })
    return 0
  } catch (error) {
    return printFailure(context, 'Error retrieving list of units from repository: ', error)
  }
}
