/** `fleetctl stop`: units no longer running, but still on their machine. */
import type { RunCommand } from '../context.ts'
import { runDeactivation } from '../deactivation.ts'

export const run: RunCommand = (context, invocation) =>
  runDeactivation(context, invocation, { verb: 'stop', past: 'stopped', targetState: 'loaded' })
