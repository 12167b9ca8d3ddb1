/** `fleetctl journal`: the log of a unit, from its machine. */
import type { RunCommand } from '../context.ts'
import { printFailure } from '../failure.ts'
import { hint } from '../log.ts'
import { unitNames } from '../names.ts'
import { runOnMachine } from '../on-machine.ts'
import { printProcessLog, processFolderOf } from '../process-machine.ts'
import { isGlobal } from '../submission.ts'

export const run: RunCommand = async (context, invocation) => {
  const { io, fleet, signal } = context
  const { args, flags } = invocation
  const [name, ...others] = args.length === 1 ? unitNames(args) : []
  if (name === undefined || others.length > 0) {
    io.stderr.write('One unit file must be provided.\n')
    return 1
  }
  try {
    const unit = await fleet.getUnit(name, signal)
    if (unit === undefined) {
      io.stderr.write(`Unit ${name} does not exist.\n`)
      return 1
    }
    if (isGlobal(name, unit.options)) {
      io.stderr.write(`Unable to retrieve journal of global unit ${name}.\n`)
      hint(context, `On each of its machines: journalctl --unit ${name}`)
      return 1
    }
    if (unit.currentState === undefined || unit.currentState === 'inactive' || unit.machineId === undefined) {
      io.stderr.write(`Unit ${name} does not appear to be running.\n`)
      return 1
    }
    const follow = flags.boolean('follow') || flags.boolean('f')
    const folder = await processFolderOf(context, unit.machineId)
    if (folder !== undefined) {
      const query = { name, machineId: unit.machineId, folder, lines: flags.number('lines'), follow }
      return await printProcessLog(context, { ...query, form: flags.text('output') })
    }
    const journalctl = [
      'journalctl',
      '--unit',
      name,
      '--no-pager',
      '-n',
      String(flags.number('lines')),
      '--output',
      flags.text('output'),
      ...(follow ? ['-f'] : []),
    ] as const
    const command = flags.boolean('sudo') ? (['sudo', ...journalctl] as const) : journalctl
    return await runOnMachine(context, unit.machineId, command, invocation)
  } catch (error) {
    return printFailure(context, `Error retrieving unit ${name}: `, error)
  }
}
