/** `fleetctl status`: systemd's own words about units, from their machines. */
import type { Invocation } from '@cluster/cli'
import type { FleetContext, RunCommand } from '../context.ts'
import { printFailure } from '../failure.ts'
import { expandPatterns, unitNames } from '../names.ts'
import { runHere, runOnMachine } from '../on-machine.ts'
import { printProcessStatus, processFolderOf } from '../process-machine.ts'
import { isGlobal } from '../submission.ts'

export const run: RunCommand = async (context, invocation) => {
  const names = unitNames(await expandPatterns(invocation.args, context.files))
  for (const [index, name] of names.entries()) {
    if (index > 0) context.io.stdout.write('\n')
    const exitCode = await printStatus(context, name, invocation)
    if (exitCode !== 0) return exitCode
  }
  return 0
}

async function printStatus(context: FleetContext, name: string, invocation: Invocation): Promise<number> {
  const { io, fleet, signal } = context
  const command = ['systemctl', 'status', '-l', name] as const
  try {
    const unit = await fleet.getUnit(name, signal)
    if (unit === undefined) {
      io.stderr.write(`Unit ${name} does not exist.\n`)
      return 1
    }
    if (isGlobal(name, unit.options)) return await printGlobalStatus(context, name, command)
    if (unit.currentState === undefined || unit.currentState === 'inactive' || unit.machineId === undefined) {
      io.stderr.write(`Unit ${name} does not appear to be loaded.\n`)
      return 1
    }
    const folder = await processFolderOf(context, unit.machineId)
    if (folder !== undefined) return await printProcessStatus(context, { name, machineId: unit.machineId, folder })
    return await runOnMachine(context, unit.machineId, command, invocation)
  } catch (error) {
    return printFailure(context, 'Error retrieving unit: ', error)
  }
}

/** A global unit is asked for on this computer, if that has it; the original keeps silent (trap 53). */
async function printGlobalStatus(
  context: FleetContext,
  name: string,
  command: readonly [string, ...string[]],
): Promise<number> {
  const here = await context.host.machineId()
  const states = await context.fleet.listStates({ unit: name }, context.signal)
  if (states.some(({ machineId }) => machineId === here)) return await runHere(context, command)
  for (const { machineId } of states) {
    const folder = await processFolderOf(context, machineId)
    if (folder !== undefined) return await printProcessStatus(context, { name, machineId, folder })
  }
  const where = states.length === 0 ? 'on no machine' : `on ${states.map(({ machineId }) => machineId).join(', ')}`
  context.io.stderr.write(
    `Unit ${name} is global and runs ${where}, not here.\nSee "fleetctl list-units", or run this on one of its machines.\n`,
  )
  return 1
}
