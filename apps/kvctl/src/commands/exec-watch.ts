/** Starts a program at each change of a key, without waiting for the one before. */
import type { V2Event } from '@cluster/kv-client'
import { exitCode, type Run } from '../command.ts'
import { badArgument } from '../failure.ts'
import { withApi } from '../open-api.ts'

/** An interrupt is the usual end: exit 0. A program that cannot be started ends it with 1. */
export const execWatch: Run = async (context, { flags, args }) => {
  const { key, program } = parseWords(args)
  const afterIndex = flags.integer('after-index')
  return await withApi(context, async ({ keys }) => {
    try {
      const options = {
        isRecursive: flags.isOn('recursive'),
        // etcdctl counts it twice, so that it skips one change more than watch does: spec/etcd-v2.md §7.4.
        afterIndex: afterIndex === 0n ? 0n : afterIndex + 1n,
        signal: context.signal,
      }
      for await (const event of keys.watch(key, options)) {
        if (event.node.isDirectory) {
          context.io.stderr.write(`Ignored dir ${event.node.key} change`)
          continue
        }
        const started = await context.start(program, environmentOf(event))
        if (started.kind === 'started') continue
        context.io.stderr.write(started.reason)
        return exitCode.badArgument
      }
    } catch (error) {
      if (!context.signal.aborted) throw error
    }
    return exitCode.done
  })
}

/** With `--` behind the key the program follows it; without, the key is the last word. */
export function parseWords(args: readonly string[]): { readonly key: string; readonly program: readonly string[] } {
  const [first] = args
  const last = args.at(-1)
  if (first === undefined || last === undefined || args.length < 2) {
    throw badArgument('key and command to exec required')
  }
  const words =
    args.indexOf('--', 1) === -1 ? { key: last, program: args.slice(0, -1) } : { key: first, program: args.slice(2) }
  if (words.program.length === 0) throw badArgument('key and command to exec required')
  return words
}

const environmentOf = ({ action, node }: V2Event): Readonly<Record<string, string>> => ({
  ETCD_WATCH_ACTION: action,
  ETCD_WATCH_MODIFIED_INDEX: String(node.modifiedIndex),
  ETCD_WATCH_KEY: node.key,
  ETCD_WATCH_VALUE: node.value ?? '',
})
