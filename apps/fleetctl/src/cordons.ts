/** Cordons set and taken away, one machine after the other; what was done is told also when a later one fails. */
import { exitCodes, type Invocation, outputForm, printJson } from '@cluster/cli'
import type { FleetCordon } from '@cluster/fleet-api'
import type { FleetContext } from './context.ts'
import { printFailure } from './failure.ts'
import { findMachines } from './machine-argument.ts'
import { type Machines, machineCell, machinesById } from './machine-cell.ts'

export type CordonChange = {
  readonly verb: string
  /** What a machine is afterwards, in words. */
  readonly done: string
  /** The same in the JSON answer. */
  readonly cordon: 'cordoned' | null
  readonly change: (machineId: string) => Promise<'done' | 'unsupported'>
}

/** Runs the command on the machines that are named, up or cordoned. */
export async function changeCordons(
  context: FleetContext,
  { args, flags }: Invocation,
  { verb, done, cordon, change }: CordonChange,
): Promise<number> {
  const { io, fleet, signal } = context
  if (args.length === 0) {
    io.stderr.write(`Name one machine or more\nExample: fleetctl ${verb} 1a000000\n`)
    return exitCodes.usage
  }
  const form = outputForm(flags.text('output'))
  const changed: { readonly machine: string; readonly cordon: 'cordoned' | null }[] = []
  const end = (code: number): number => {
    if (form === 'json') printJson(io, changed)
    return code
  }
  try {
    const [machines, cordons] = await Promise.all([fleet.listMachines(signal), fleet.listCordons(signal)])
    if (cordons === 'unsupported') return unsupported(context, verb)
    const known = withAway(machinesById(machines), cordons)
    const found = findMachines(args, known)
    if (!found.ok) {
      io.stderr.write(`Nothing done: ${found.error}\n`)
      return exitCodes.failed
    }
    for (const [index, { id }] of found.value.entries()) {
      try {
        await change(id)
      } catch (error) {
        const left = found.value.slice(index).map((machine) => machineCell(machine.id, known))
        return end(printFailure(context, `Error, not ${done}: ${left.join(', ')}: `, error))
      }
      changed.push({ machine: id, cordon })
      if (form !== 'json') io.stdout.write(`Machine ${machineCell(id, known)} ${done}\n`)
    }
    return end(exitCodes.done)
  } catch (error) {
    return printFailure(context, 'Error reading the machines: ', error)
  }
}

/** Says that the daemon is an original one. */
export function unsupported({ io }: FleetContext, verb: string): number {
  io.stderr.write(`Cannot ${verb}: this fleetd is an original one, which knows nothing of the kind\n`)
  return exitCodes.failed
}

/** Machines that are away can be named as well, as long as they are cordoned. */
const withAway = (up: Machines, cordons: readonly FleetCordon[]): Machines =>
  new Map([
    ...cordons.map(({ machineId }) => [machineId, { id: machineId, metadata: {}, primaryIp: '' }] as const),
    ...up,
  ])
