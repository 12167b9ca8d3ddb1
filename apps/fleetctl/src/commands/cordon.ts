/** `fleetctl cordon`: machines that get no further units. Ours. */
import type { RunCommand } from '../context.ts'
import { changeCordons } from '../cordons.ts'

export const run: RunCommand = (context, invocation) =>
  changeCordons(context, invocation, {
    verb: 'cordon',
    done: 'cordoned',
    cordon: 'cordoned',
    change: (id) => context.fleet.cordon({ machineId: id, drain: false }, context.signal),
  })
