/**
 * From the words of a command line to an exit code, by the rules of etcdctl 2.3.8: wrong flags and unknown commands
 * print help and count as success.
 *
 * @see spec/etcd-v2.md §7.1, §7.2
 */
import { isInterruption } from '@cluster/cli'
import { type Command, exitCode, type Surroundings } from './command.ts'
import { commands as allCommands, globalFlags } from './commands.ts'
import { type Flagged, type FlagValues, flagsFirst, parseFlags, type WrongFlag } from './go-flags.ts'
import {
  helpFlag,
  type ProgramHelp,
  renderCommandHelp,
  renderGroupHelp,
  renderProgramHelp,
  versionFlag,
  versionOf,
} from './help.ts'

/** Runs the command that `argv` (without interpreter and program) asks for. Everything it throws is printed. */
export async function runKvctl(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { program } = surroundings
  const commands = allCommands.filter(({ isOurs = false }) => !isOurs || program === 'kvctl')
  const help: ProgramHelp = { program, commands, flags: globalFlags }
  const parsed = parseFlags([...globalFlags, helpFlag, versionFlag], argv)
  if (!parsed.ok) return wrongUsage(surroundings, parsed.error, renderProgramHelp(help))
  const { values: globals, rest } = parsed.value
  const [word, ...words] = rest
  if (globals.isOn('help')) return show(surroundings, renderProgramHelp(help))
  if (globals.isOn('version')) return show(surroundings, `${program} version ${versionOf(program)}\n`)
  if (word === undefined) return show(surroundings, renderProgramHelp(help))
  return await runIn(surroundings, { commands, page: renderProgramHelp(help), path: program, globals }, word, words)
}

type Level = {
  readonly commands: readonly Command[]
  /** What `help` shows here. */
  readonly page: string
  readonly path: string
  readonly globals: FlagValues
}

async function runIn(
  surroundings: Surroundings,
  level: Level,
  word: string,
  words: readonly string[],
): Promise<number> {
  const { commands, path, globals } = level
  const find = (name: string): Command | undefined => commands.find((candidate) => candidate.name === name)
  if (word === 'help' || word === 'h') return showTopic(surroundings, level, words[0])
  const command = find(word)
  if (command === undefined) return show(surroundings, noTopic(word))
  const commandPath = `${path} ${command.name}`
  if (command.kind === 'group') {
    const groupPage = renderGroupHelp(commandPath, command)
    const parsed = parseFlags([helpFlag], words)
    if (!parsed.ok) return wrongUsage(surroundings, parsed.error, groupPage)
    const [inner, ...rest] = parsed.value.rest
    if (parsed.value.values.isOn('help') || inner === undefined) return show(surroundings, groupPage)
    return await runIn(
      surroundings,
      { commands: command.commands, page: groupPage, path: commandPath, globals },
      inner,
      rest,
    )
  }
  const parsed = parseFlags([...command.flags, helpFlag], flagsFirst(words))
  if (!parsed.ok) return wrongUsage(surroundings, parsed.error, `${renderCommandHelp(commandPath, command)}\n`)
  if (parsed.value.values.isOn('help')) return show(surroundings, renderCommandHelp(commandPath, command))
  return await runCommand(surroundings, globals, command, parsed.value)
}

async function runCommand(
  surroundings: Surroundings,
  globals: FlagValues,
  command: Extract<Command, { kind: 'command' }>,
  { values, rest }: Flagged,
): Promise<number> {
  try {
    const run = await command.load()
    return await run({ ...surroundings, globals }, { flags: values, args: rest })
  } catch (error) {
    if (surroundings.signal.aborted || isInterruption(error)) return exitCode.interrupted
    const { printFailure } = await import('./failure.ts')
    return printFailure(surroundings.io, error)
  }
}

function showTopic(surroundings: Surroundings, { commands, page, path }: Level, topic?: string): number {
  if (topic === undefined) return show(surroundings, page)
  const command = commands.find(({ name }) => name === topic)
  if (command === undefined) return show(surroundings, noTopic(topic))
  const commandPath = `${path} ${command.name}`
  return show(
    surroundings,
    command.kind === 'group' ? renderGroupHelp(commandPath, command) : renderCommandHelp(commandPath, command),
  )
}

const noTopic = (word: string): string => `No help topic for '${word}'\n`

function show({ io }: Surroundings, text: string): number {
  io.stdout.write(text)
  return exitCode.done
}

/** etcdctl counts it as success, and programs rely on it: vectors/etcdctl-v2/set-get.json. */
function wrongUsage({ io, program }: Surroundings, wrong: WrongFlag, page: string): number {
  const first =
    wrong.kind === 'incorrect'
      ? 'Incorrect Usage.'
      : `Cannot use two forms of the same flag: ${wrong.flag} ${wrong.other}`
  io.stdout.write(`${first}\n\n${page}`)
  // What was wrong is our addition; etcdctl leaves it to be found.
  if (program === 'kvctl' && wrong.kind === 'incorrect') io.stderr.write(`${wrong.reason}\n`)
  return exitCode.done
}
