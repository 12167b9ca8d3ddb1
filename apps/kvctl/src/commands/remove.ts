/** rm and rmdir. A removed directory is not printed. */
import type { V2DeleteOptions } from '@cluster/kv-client'
import { keyOf } from '../arguments.ts'
import { type Context, exitCode, type Run } from '../command.ts'
import { totalDeadline, withApi } from '../open-api.ts'
import { printEvent } from '../print-event.ts'

/** Removes a key, under conditions if they are given, or a directory. */
export const rm: Run = (context, { flags, args }) =>
  remove(context, keyOf(args), {
    isRecursive: flags.isOn('recursive'),
    isDirectory: flags.isOn('dir'),
    prevValue: flags.text('with-value'),
    prevIndex: flags.integer('with-index'),
  })

/** Removes an empty directory; a key as well: vectors/etcdctl-v2/directories.json. */
export const rmdir: Run = (context, { args }) => remove(context, keyOf(args), { isDirectory: true })

async function remove(context: Context, key: string, options: V2DeleteOptions): Promise<number> {
  return await withApi(context, async ({ keys }) => {
    const event = await keys.delete(key, { ...options, signal: totalDeadline(context) })
    if (!event.node.isDirectory) printEvent(context, event)
    return exitCode.done
  })
}
