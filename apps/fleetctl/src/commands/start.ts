/** `fleetctl start`: units into the cluster, onto a machine, and running. */
import { runActivation } from '../activation.ts'
import type { RunCommand } from '../context.ts'
import { settleStart } from '../settle.ts'

export const run: RunCommand = (context, invocation) =>
  runActivation(context, invocation, {
    verb: 'start',
    targetState: 'launched',
    errorPrefix: 'Error starting units: ',
    afterwards: async (units, attempts) => {
      const error = await settleStart(context, units, attempts)
      if (error === undefined) return 0
      context.io.stderr.write(`Error waiting for systemd unit states, err: ${error}\n`)
      return 1
    },
    // The original says it after either of its two waits.
    triggeredLines: 2,
  })
