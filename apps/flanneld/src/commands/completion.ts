/** `flanneld completion SHELL`. */
import { type CommandLine, completionShells, isCompletionShell, renderCompletion } from '@cluster/cli'
import type { Context, Run } from '../command.ts'

/** Completes the commands of a command line, which this one is part of. */
export const completionOf =
  (line: CommandLine<Context>): Run =>
  async ({ io }, { args }) => {
    const [shell = ''] = args
    if (!isCompletionShell(shell)) {
      io.stderr.write(`flanneld completion takes one of ${completionShells.join(', ')}\n`)
      return 2
    }
    io.stdout.write(renderCompletion(line, shell))
    return 0
  }
