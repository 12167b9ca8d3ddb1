/** `fleetctl submit`: units into the cluster, without starting them. */
import { outputForm } from '@cluster/cli'
import type { RunCommand } from '../context.ts'
import { collectResults } from '../results.ts'
import { submitUnits } from '../submit-units.ts'

export const run: RunCommand = async (context, { args, flags }) => {
  const { io } = context
  if (args.length === 0) {
    io.stderr.write('No units given\n')
    return 0
  }
  const results = collectResults(io, outputForm(flags.text('output')))
  const submitted = await submitUnits(context, {
    verb: 'submit',
    args,
    replace: flags.boolean('replace'),
    targetState: 'inactive',
    targetErrorPrefix: 'Error creating units: ',
    results,
  })
  results.end()
  return submitted.ok ? 0 : submitted.error
}
