/** `fleetctl uncordon`: machines that get units again. Ours. */
import type { RunCommand } from '../context.ts'
import { changeCordons } from '../cordons.ts'

export const run: RunCommand = (context, invocation) =>
  changeCordons(context, invocation, {
    verb: 'uncordon',
    done: 'uncordoned',
    cordon: null,
    change: (id) => context.fleet.uncordon(id, context.signal),
  })
