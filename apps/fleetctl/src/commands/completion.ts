/** `fleetctl completion SHELL`: a script that completes commands and flags. */
import { completionShells, isCompletionShell, renderCompletion } from '@cluster/cli'
import type { Context } from '../context.ts'
import { fleetctl } from '../fleetctl.ts'

export const run = async ({ io }: Context, { args }: { readonly args: readonly string[] }): Promise<number> => {
  const [shell, ...others] = args
  if (shell === undefined || others.length > 0 || !isCompletionShell(shell)) {
    io.stderr.write(`Name one shell: ${completionShells.join(', ')}\nExample: source <(fleetctl completion bash)\n`)
    return 2
  }
  io.stdout.write(renderCompletion(fleetctl, shell))
  return 0
}
