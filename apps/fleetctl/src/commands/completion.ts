/** `fleetctl completion SHELL`: a script that completes commands and flags. */
import { type CommandLine, completionShells, type Invocation, isCompletionShell, renderCompletion } from '@cluster/cli'
import type { Context } from '../context.ts'

/** The command for a command line, which is given, since it has this command in it. */
export const runFor =
  (line: CommandLine<Context>) =>
  async ({ io }: Context, { args }: Invocation): Promise<number> => {
    const [shell, ...others] = args
    if (shell === undefined || others.length > 0 || !isCompletionShell(shell)) {
      io.stderr.write(`Name one shell: ${completionShells.join(', ')}\nExample: source <(fleetctl completion bash)\n`)
      return 2
    }
    io.stdout.write(renderCompletion(line, shell))
    return 0
  }
