/** From the words of a command line to an exit code. */
import { type Command, type CommandLine, parseCommandLine } from './command.ts'
import { exitCodes, isInterruption, printError } from './exit.ts'
import type { FlagValues } from './flags.ts'
import { renderCommandHelp, renderHelp, renderShortHelp } from './help.ts'
import type { Io } from './io.ts'

/**
 * Runs the command that `argv` asks for and gives its exit code; anything it throws is printed to stderr. An
 * interrupted command gives 130.
 *
 * @param argv without the interpreter and the program
 * @param contextFor what commands of this program need besides their own flags; called only when one is run
 */
export async function runCommandLine<Context>(
  line: CommandLine<Context>,
  argv: readonly string[],
  io: Io,
  contextFor: (flags: FlagValues) => Context,
): Promise<number> {
  const parsed = parseCommandLine(line, argv, io.env)
  switch (parsed.kind) {
    case 'no-command':
      io.stdout.write(renderShortHelp(line))
      return exitCodes.done
    case 'help':
      io.stdout.write(parsed.command === undefined ? renderHelp(line) : renderCommandHelp(line, parsed.command))
      return exitCodes.done
    case 'unknown-help-topic':
      io.stdout.write(renderHelp(line))
      io.stderr.write(`Unknown help topic [\`${parsed.topic}\`].`)
      return exitCodes.done
    case 'version':
      io.stdout.write(`${line.program} version ${line.version}\n`)
      return exitCodes.done
    case 'unknown-command':
      return unknownCommand(line, io, parsed.word, parsed.suggestions)
    case 'wrong-flag':
      return wrongFlag(line, io, parsed.message, parsed.command)
    case 'run':
      try {
        const run = await parsed.command.load()
        return await run(contextFor(parsed.invocation.flags), parsed.invocation)
      } catch (error) {
        if (isInterruption(error)) return exitCodes.interrupted
        return printError(io, error)
      }
    default:
      return parsed satisfies never
  }
}

function unknownCommand<Context>(
  line: CommandLine<Context>,
  io: Io,
  word: string,
  suggestions: readonly string[],
): number {
  const meant = suggestions.map((suggestion) => `\t${suggestion}\n`).join('')
  const hint = meant === '' ? '' : `\nDid you mean this?\n${meant}\n`
  const message = `unknown command ${JSON.stringify(word)} for ${JSON.stringify(line.program)}\n${hint}`
  io.stderr.write(`Error: ${message}Run '${line.program} --help' for usage.\n`)
  if (line.usageErrorEcho !== undefined) io.stderr.write(`${line.usageErrorEcho}${message}`)
  return line.usageExitCode
}

function wrongFlag<Context>(line: CommandLine<Context>, io: Io, message: string, command?: Command<Context>): number {
  io.stdout.write(command === undefined ? renderHelp(line) : renderCommandHelp(line, command))
  io.stderr.write(`Error: ${message}\n\n`)
  if (line.usageErrorEcho !== undefined) io.stderr.write(`${line.usageErrorEcho}${message}\n`)
  return command?.usageExitCode ?? line.usageExitCode
}
