/** Completion scripts for the three usual shells, made from the declaration: commands first, then flags, then files. */
import { type Command, type CommandLine, helpFlags } from './command.ts'
import type { Flags } from './flags.ts'

/** The shells that a script can be made for. */
export const completionShells = ['bash', 'zsh', 'fish'] as const

export type CompletionShell = (typeof completionShells)[number]

/** Whether there is a script for a shell of that name. */
export const isCompletionShell = (name: string): name is CompletionShell =>
  completionShells.some((shell) => shell === name)

/** A script to source in that shell. */
export function renderCompletion<Context>(line: CommandLine<Context>, shell: CompletionShell): string {
  switch (shell) {
    case 'bash':
      return bash(line)
    case 'zsh':
      return zsh(line)
    case 'fish':
      return fish(line)
    default:
      return shell satisfies never
  }
}

type Named = { readonly name: string; readonly summary: string }

const shownCommands = <Context>(line: CommandLine<Context>): readonly Command<Context>[] =>
  line.commands.filter(({ hidden }) => hidden !== true)

const shownFlags = (...all: readonly Flags[]): readonly Named[] =>
  all
    .flatMap((flags) => Object.entries(flags))
    .filter(([, flag]) => flag.hidden !== true)
    .map(([name, { summary }]) => ({ name: `--${name}`, summary }))

function bash<Context>(line: CommandLine<Context>): string {
  const name = identifier(line.program)
  const names = [...shownCommands(line).map((command) => command.name), 'help'].sort()
  const cases = shownCommands(line).map(
    (command) =>
      `    ${command.name}) flags=${quoted(words(shownFlags(command.flags)))}${argumentWords(command, 'words')} ;;\n`,
  )
  return `# bash completion of ${line.program}: source this file
_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} command='' word flags='' words='' from='' offered=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) command=$word; break ;; esac
  done
  case $command in
${cases.join('')}  esac
  case $current in
    -*) mapfile -t COMPREPLY < <(compgen -W "$flags "${quoted(words(shownFlags(line.flags, helpFlags)))} -- "$current") ;;
    *)
      if [[ -z $command || $command == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W ${quoted(names.join(' '))} -- "$current")
      else
        # Not by compgen -W, which would run what stands in backquotes in words that the program prints.
        read -r -d '' -a offered < <(echo $words; [[ -z $from ]] || "\${COMP_WORDS[0]}" $from 2>/dev/null)
        mapfile -t COMPREPLY < <(
          for word in "\${offered[@]}"; do [[ $word != "$current"* ]] || printf '%s\\n' "$word"; done
          compgen -f -- "$current"
        )
      fi ;;
  esac
}
complete -o filenames -F _${name} ${line.program}
`
}

function zsh<Context>(line: CommandLine<Context>): string {
  const name = identifier(line.program)
  const described = (entries: readonly Named[]): string =>
    entries.map((entry) => `    ${quoted(`${entry.name}:${entry.summary.replaceAll(':', '\\:')}`)}\n`).join('')
  const cases = shownCommands(line).map(
    (command) =>
      `    ${command.name}) flags=(\n${described(shownFlags(command.flags))}    )${argumentWords(command, 'arguments')} ;;\n`,
  )
  return `#compdef ${line.program}
# zsh completion of ${line.program}: put it into a folder of $fpath as _${line.program}, or source it
_${name}() {
  local command='' word arguments='' from=''
  local -a commands flags globals
  commands=(
${described([...shownCommands(line), { name: 'help', summary: 'Tell how to use a command' }])}  )
  globals=(
${described(shownFlags(line.flags, helpFlags))}  )
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case $word in -*) ;; *) command=$word; break ;; esac
  done
  case $command in
${cases.join('')}  esac
  if [[ $PREFIX == -* ]]; then
    flags+=("\${globals[@]}")
    _describe flag flags
  elif [[ -z $command || $command == help ]]; then
    _describe command commands
  else
    [[ -z $from ]] || arguments+=" $(\${words[1]} \${=from} 2>/dev/null)"
    compadd -- \${=arguments}
    _files
  fi
}
if [[ \${funcstack[1]-} == _${name} ]]; then _${name} "$@"; else compdef _${name} ${line.program}; fi
`
}

function fish<Context>(line: CommandLine<Context>): string {
  const { program } = line
  const flagLines = (condition: string, flags: readonly Named[]): string =>
    flags
      .map(({ name, summary }) => `complete -c ${program} ${condition}-l ${name.slice(2)} -d ${quoted(summary)}\n`)
      .join('')
  const commands = shownCommands(line).map(({ name, summary, flags, words: own = [], wordsFrom }) => {
    const condition = `-n '__fish_seen_subcommand_from ${name}' `
    const offered = [...own, ...(wordsFrom === undefined ? [] : [`(${program} ${wordsFrom} 2>/dev/null)`])].join(' ')
    return (
      `complete -c ${program} -f -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}\n` +
      (offered === '' ? '' : `complete -c ${program} ${condition}-a ${quoted(offered)}\n`) +
      flagLines(condition, shownFlags(flags))
    )
  })
  const names = shownCommands(line).map(({ name }) => name)
  return `# fish completion of ${program}: source this file
${commands.join('')}complete -c ${program} -f -n __fish_use_subcommand -a help -d 'Tell how to use a command'
complete -c ${program} -f -n '__fish_seen_subcommand_from help' -a ${quoted(names.join(' '))}
${flagLines('', shownFlags(line.flags, helpFlags))}`
}

/** What completes the arguments of a command, as assignments in bash; none for files alone. */
const argumentWords = <Context>({ words: own = [], wordsFrom }: Command<Context>, name: string): string =>
  (own.length === 0 ? '' : ` ${name}=${quoted(own.join(' '))}`) +
  (wordsFrom === undefined ? '' : ` from=${quoted(wordsFrom)}`)

const words = (entries: readonly Named[]): string => entries.map(({ name }) => name).join(' ')
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const identifier = (program: string): string => program.replaceAll(/\W/g, '_')
