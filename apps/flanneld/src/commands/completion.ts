/** `flanneld completion SHELL`. */
import { completionShells, isCompletionShell, renderCompletion } from '@cluster/cli'
import type { Run } from '../command.ts'
import { commandLine } from '../flanneld.ts'

export const completion: Run = async ({ io }, { args }) => {
  const [shell = ''] = args
  if (!isCompletionShell(shell)) {
    io.stderr.write(`flanneld completion takes one of ${completionShells.join(', ')}\n`)
    return 2
  }
  io.stdout.write(renderCompletion(commandLine, shell))
  return 0
}
