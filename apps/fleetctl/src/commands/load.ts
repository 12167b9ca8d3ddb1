/** `fleetctl load`: units onto a machine, without starting them. */
import { runActivation } from '../activation.ts'
import type { RunCommand } from '../context.ts'

export const run: RunCommand = (context, invocation) =>
  runActivation(context, invocation, { verb: 'load', targetState: 'loaded', errorPrefix: 'Error loading units: ' })
