/**
 * Help pages, laid out as fleetctl lays out its own (recorded: vectors/fleetctl/01-help-version-usage.json), with the
 * examples ahead of everything else on the page of a command.
 */
import { type Command, type CommandLine, helpFlags } from './command.ts'
import type { Flag, Flags } from './flags.ts'
import { renderTable } from './table.ts'

/** The page of the whole program. */
export function renderHelp<Context>(line: CommandLine<Context>): string {
  const commands = listed(line).map(({ name, summary }) => ['', name, summary])
  return [
    `NAME:\n\t${line.program} - ${line.summary}\n`,
    `USAGE:\n\t${line.program}\n`,
    `VERSION:\n\t${line.version}\n`,
    `COMMANDS:\n${renderTable(commands)}`,
    `OPTIONS:\n${renderFlags({ ...line.flags, ...helpFlags })}`,
    `Run "${line.program} help COMMAND" for one of them.\n`,
  ].join('\n')
}

/** The page of one command. */
export function renderCommandHelp<Context>(line: CommandLine<Context>, command: Command<Context>): string {
  const examples = command.examples.map((example) => `\t${example.about}:\n\t${example.line}\n`).join('\t\n')
  const sections = [
    ...(examples === '' ? [] : [`EXAMPLES:\n${examples}`]),
    `NAME:\n\t${command.name} - ${command.summary}\n`,
    `USAGE:\n\t${line.program} ${command.usage}\n`,
    `DESCRIPTION:\n${indented(command.description)}`,
  ]
  if (Object.values(command.flags).some(isShown)) sections.push(`OPTIONS:\n${renderFlags(command.flags)}`)
  const { h: _, help: __, ...others } = helpFlags
  sections.push(`GLOBAL OPTIONS:\n${renderFlags({ ...line.flags, ...others })}`)
  return `${sections.join('\n')}\n`
}

/** What is printed when no command is given. */
export function renderShortHelp<Context>(line: CommandLine<Context>): string {
  const commands = listed(line)
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    `${line.summary}\n`,
    `Usage:\n  ${line.program} [flags]\n  ${line.program} [command]\n`,
    `Available Commands:\n${commands.map(({ name, summary }) => `  ${name.padEnd(width)} ${summary}\n`).join('')}`,
    `Flags:\n${renderFlags({ ...line.flags, ...helpFlags })}`,
    `Use "${line.program} [command] --help" for more information about a command.\n`,
  ].join('\n')
}

type Listed = { readonly name: string; readonly summary: string }

const listed = <Context>(line: CommandLine<Context>): readonly Listed[] =>
  [
    ...line.commands.filter(({ hidden }) => hidden !== true),
    { name: 'help', summary: 'Tell how to use a command' },
  ].sort((a, b) => (a.name < b.name ? -1 : 1))

const isShown = (flag: Flag): boolean => flag.hidden !== true

const indented = (text: string): string =>
  text
    .split('\n')
    .map((line) => `\t${line}\n`)
    .join('')

function renderFlags(flags: Flags): string {
  const rows = Object.entries(flags)
    .filter(([, flag]) => isShown(flag))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => {
      const short = flag.kind === 'boolean' && flag.short !== undefined ? `  -${flag.short}, ` : '      '
      const type = flag.kind === 'boolean' ? '' : ` ${flag.kind}`
      return { head: `${short}--${name}${type}`, text: `${flag.summary}${defaultOf(flag)}` }
    })
  const width = Math.max(0, ...rows.map(({ head }) => head.length)) + 3
  return rows.map(({ head, text }) => `${head.padEnd(width)}${text}\n`).join('')
}

function defaultOf(flag: Flag): string {
  if (flag.default === false || flag.default === '' || flag.default === 0) return ''
  return ` (default ${typeof flag.default === 'string' ? JSON.stringify(flag.default) : flag.default})`
}
