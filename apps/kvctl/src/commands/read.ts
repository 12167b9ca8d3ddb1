/** get and ls. */
import type { V2Node } from '@cluster/kv-client'
import { keyOf } from '../arguments.ts'
import { exitCode, type Run } from '../command.ts'
import { failed } from '../failure.ts'
import { totalDeadline, withApi } from '../open-api.ts'
import { printEvent } from '../print-event.ts'

/** Prints a value; a directory has none. */
export const get: Run = async (context, { flags, args }) => {
  const key = keyOf(args)
  return await withApi(context, async ({ keys }) => {
    const event = await keys.get(key, {
      isSorted: flags.isOn('sort'),
      isQuorum: flags.isOn('quorum'),
      signal: totalDeadline(context),
    })
    if (event.node.isDirectory) throw failed(`${event.node.key}: is a directory`)
    printEvent(context, event)
    return exitCode.done
  })
}

/** Prints the keys in a directory, depth first, or the key of a file. Takes no notice of `--output`. */
export const ls: Run = async (context, { flags, args }) =>
  await withApi(context, async ({ keys }) => {
    const { node } = await keys.get(args[0] ?? '/', {
      isSorted: flags.isOn('sort'),
      isRecursive: flags.isOn('recursive'),
      isQuorum: flags.isOn('quorum'),
      signal: totalDeadline(context),
    })
    const mark = flags.isOn('p') ? '/' : ''
    const listed = node.isDirectory ? depthFirst(node.nodes) : [node]
    context.io.stdout.write(listed.map(({ key, isDirectory }) => `${key}${isDirectory ? mark : ''}\n`).join(''))
    return exitCode.done
  })

/** Without recursion: how deep a tree is, is up to whoever writes to the store. */
function depthFirst(nodes: readonly V2Node[]): readonly V2Node[] {
  const listed: V2Node[] = []
  const open = [...nodes].reverse()
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    listed.push(node)
    open.push(...[...node.nodes].reverse())
  }
  return listed
}
