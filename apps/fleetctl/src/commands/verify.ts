/** `fleetctl verify`: gone from the original as well; says so, in its words. */
import type { RunCommand } from '../context.ts'

export const run: RunCommand = async ({ io }) => {
  io.stderr.write(
    'Command "verify" is deprecated, DEPRECATED - No longer works\n' +
      'WARNING: The signed/verified units feature is DEPRECATED and cannot be used.\n',
  )
  return 2
}
