/** Prints changes as they come: the next one, or all until interrupted. */
import { keyOf } from '../arguments.ts'
import { exitCode, type Run } from '../command.ts'
import { withApi } from '../open-api.ts'
import { printEvent } from '../print-event.ts'

/** An interrupt is the usual end: exit 0. Changes of directories are not printed. */
export const watch: Run = async (context, { flags, args }) => {
  const key = keyOf(args)
  const isRecursive = flags.isOn('recursive')
  return await withApi(context, async ({ keys }) => {
    try {
      const options = { isRecursive, afterIndex: flags.integer('after-index'), signal: context.signal }
      for await (const event of keys.watch(key, options)) {
        if (event.node.isDirectory) continue
        if (isRecursive) context.io.stdout.write(`[${event.action}] ${event.node.key}\n`)
        printEvent(context, event)
        if (!flags.isOn('forever')) break
      }
    } catch (error) {
      if (!context.signal.aborted) throw error
    }
    return exitCode.done
  })
}
