/** `fleetctl unload`: units off their machine, but still in the cluster. */
import type { RunCommand } from '../context.ts'
import { runDeactivation } from '../deactivation.ts'

export const run: RunCommand = (context, invocation) =>
  runDeactivation(context, invocation, { verb: 'unload', past: 'unloaded', targetState: 'inactive' })
