/** Help pages, laid out as etcdctl 2.3.8 lays out its own. Pure. */
import type { Command, ProgramName } from './command.ts'
import type { Flag } from './go-flags.ts'
import { etcdctlVersion, version } from './version.ts'

/** What `--version` says. */
export const versionOf = (program: ProgramName): string => (program === 'etcdctl' ? etcdctlVersion : version)

export type ProgramHelp = {
  readonly program: ProgramName
  readonly commands: readonly Command[]
  readonly flags: readonly Flag[]
}

/** The page of the whole program. */
export const renderProgramHelp = ({ program, commands, flags }: ProgramHelp): string =>
  page([
    ['NAME', [`${program} - ${program === 'kvctl' ? 'ask and administer a store' : 'ask and administer an etcd'}`]],
    ['USAGE', [`${program} [global options] command [command options] [arguments...]`]],
    ['VERSION', [versionOf(program)]],
    ['COMMANDS', renderCommands(commands)],
    ['GLOBAL OPTIONS', renderFlags([...flags, helpFlag, versionFlag])],
  ])

/** The page of a group of commands; `path` is what is typed, program included. */
export const renderGroupHelp = (path: string, group: Extract<Command, { kind: 'group' }>): string =>
  page([
    ['NAME', [`${path} - ${group.summary}`]],
    ['USAGE', [`${path} command [command options] [arguments...]`]],
    ['COMMANDS', renderCommands(group.commands)],
    ['OPTIONS', renderFlags([helpFlag])],
  ])

/** The page of one command; `path` as above. */
export const renderCommandHelp = (path: string, command: Extract<Command, { kind: 'command' }>): string =>
  page([
    ['NAME', [`${path} - ${command.summary}`]],
    ['USAGE', [`${path}${command.flags.length === 0 ? '' : ' [command options]'} ${command.usage}`.trimEnd()]],
    ...(command.description === undefined ? [] : [['DESCRIPTION', command.description.split('\n')] as const]),
    ...(command.flags.length === 0 ? [] : [['OPTIONS', renderFlags(command.flags)] as const]),
  ])

export const helpFlag: Flag = { kind: 'boolean', names: ['help', 'h'], summary: 'show help' }
export const versionFlag: Flag = { kind: 'boolean', names: ['version', 'v'], summary: 'print the version' }

type Section = readonly [heading: string, lines: readonly string[]]

const page = (sections: readonly Section[]): string =>
  sections
    .map(([heading, lines]) => `${heading}:\n${lines.map((line) => (line === '' ? '\n' : `   ${line}\n`)).join('')}`)
    .join('\n')

function renderCommands(commands: readonly Command[]): readonly string[] {
  const rows = [...commands.map(({ name, summary }) => [name, summary] as const), ['help, h', 'show help'] as const]
  return aligned(rows)
}

const renderFlags = (flags: readonly Flag[]): readonly string[] =>
  aligned(flags.map((flag) => [spelling(flag), `${flag.summary}${shownDefault(flag)}`] as const))

const spelling = ({ kind, names }: Flag): string =>
  names.map((name) => `${name.length === 1 ? '-' : '--'}${name}${kind === 'boolean' ? '' : ' value'}`).join(', ')

const shownDefault = (flag: Flag): string => (flag.default === undefined ? '' : ` (default: ${flag.default})`)

function aligned(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return rows.map(([left, right]) => `${left.padEnd(width)}${right}`)
}
