/** Reads a data directory from end to end, and says what is wrong with it. */
import { type Context, exitCode, type Run } from '../command.ts'
import { checkDirectory, inspectDirectory } from '../data-directory.ts'
import { failed } from '../failure.ts'

/** Exit 1 when something is damaged; a torn tail, which the store itself repairs, is a warning and no damage. */
export const check: Run = async (context, { flags, args }) => {
  const directory = directoryOf(args)
  const json = isJson(context, flags.text('output'))
  const inspection = inspectDirectory(directory)
  const { findings, store } = await checkDirectory(directory, inspection)
  const isDamaged = findings.some(({ severity }) => severity === 'error')
  const { firstIndex, lastIndex, snapshots } = inspection
  const snapshot = snapshots.find(({ isWhole }) => isWhole)?.index
  if (json) {
    const answer = { directory, isDamaged, firstIndex, lastIndex, snapshot, store, findings }
    context.io.stdout.write(`${JSON.stringify(answer)}\n`)
    return isDamaged ? exitCode.badArgument : exitCode.done
  }
  const lines = [
    `entries: ${firstIndex > lastIndex ? 'none' : `${firstIndex} to ${lastIndex}`}`,
    `snapshot: ${snapshot === undefined ? 'none' : `up to entry ${snapshot}`}`,
    ...(store === undefined ? [] : [`store: index ${store.index}, ${store.nodeCount} nodes`]),
    ...findings.map(({ severity, path, offset, what }) => `${severity}: ${path} at byte ${offset}: ${what}`),
    isDamaged ? 'damaged' : 'whole',
  ]
  context.io.stdout.write(lines.map((line) => `${line}\n`).join(''))
  return isDamaged ? exitCode.badArgument : exitCode.done
}

/** The only word. @throws KvctlError */
export function directoryOf(args: readonly string[]): string {
  const [directory, ...others] = args
  if (directory === undefined || others.length > 0) throw failed('Provide a single data directory')
  return directory
}

/** Whether JSON is asked for, by the command's own flag or the global one. */
export function isJson({ globals }: Context, own: string): boolean {
  const form = own || globals.text('output')
  if (form !== 'simple' && form !== 'json') throw failed(`Unsupported output format: ${form}`, 'say simple or json')
  return form === 'json'
}
