/** `fleetctl cat`: the text of a unit as the cluster has it. */
import { outputForm, printJson } from '@cluster/cli'
import { renderOptions } from '@cluster/unit-file'
import type { RunCommand } from '../context.ts'
import { printFailure } from '../failure.ts'
import { unitNames } from '../names.ts'

export const run: RunCommand = async (context, { args, flags }) => {
  const { io, fleet, signal } = context
  const [name, ...others] = args.length === 1 ? unitNames(args) : []
  if (name === undefined || others.length > 0) {
    io.stderr.write('One unit file must be provided\n')
    return 1
  }
  try {
    const unit = await fleet.getUnit(name, signal)
    if (unit === undefined) {
      io.stderr.write(`Unit ${name} not found\n`)
      return 1
    }
    const text = renderOptions(unit.options)
    if (outputForm(flags.text('output')) === 'json') printJson(io, { unit: name, text, options: unit.options })
    else io.stdout.write(text)
    return 0
  } catch (error) {
    return printFailure(context, `Error retrieving Unit ${name}: `, error)
  }
}
