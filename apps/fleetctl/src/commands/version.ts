/** `fleetctl version`. As the original it makes a client first, so that a bad endpoint shows. */
import { outputForm, printJson } from '@cluster/cli'
import type { RunCommand } from '../context.ts'
import { version } from '../version.ts'

export const run: RunCommand = async ({ io }, { flags }) => {
  if (outputForm(flags.text('output')) === 'json') printJson(io, { version })
  else io.stdout.write(`fleetctl version ${version}\n`)
  return 0
}
