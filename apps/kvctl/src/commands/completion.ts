/** Completion scripts for three shells, made from the declaration of the commands. */
import { type Command, exitCode, type Run } from '../command.ts'
import { failed } from '../failure.ts'
import type { Flag } from '../go-flags.ts'

/** The command that prints the script for the shell that is named; `commands` and `globalFlags` are what is completed. */
export const completionOf =
  (commands: readonly Command[], globalFlags: readonly Flag[]): Run =>
  async ({ io, program }, { args }) => {
    const shells = scriptsOf(commands, globalFlags)
    const [shell = ''] = args
    const render = shells[shell]
    if (render === undefined) {
      throw failed(
        shell === '' ? 'no shell given' : `no completion for ${JSON.stringify(shell)}`,
        `say one of: ${Object.keys(shells).join(', ')}`,
      )
    }
    io.stdout.write(render(program))
    return exitCode.done
  }

type Scripts = Readonly<Record<string, (program: string) => string>>

type Case = { readonly path: string; readonly words: readonly string[] }

function casesOf(command: Command, parent: string): readonly Case[] {
  const path = parent === '' ? command.name : `${parent} ${command.name}`
  if (command.kind === 'command') return [{ path, words: command.flags.map(spelled) }]
  const words = command.commands.map(({ name }) => name)
  return [{ path, words }, ...command.commands.flatMap((inner) => casesOf(inner, path))]
}

function spelled({ names: [name] }: Flag): string {
  return name.length === 1 ? `-${name}` : `--${name}`
}

function scriptsOf(commands: readonly Command[], globalFlags: readonly Flag[]): Scripts {
  /** What may follow each command: its subcommands, or its flags. */
  const cases: readonly Case[] = commands.flatMap((command) => casesOf(command, ''))

  const topWords = [...commands.map(({ name }) => name), 'help', ...globalFlags.map(spelled), '--help', '--version']

  /** Global flags with a value: the word behind them is no command. */
  const valueFlags = globalFlags
    .filter(({ kind }) => kind !== 'boolean')
    .flatMap(({ names }) => names.map((name) => (name.length === 1 ? `-${name}` : `--${name}`)))

  /** Shell code that gathers the command so far in `path`, from the words before the current one. */
  const gather = (words: string): string => `  local word path='' skip=''
  for word in ${words}; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      ${valueFlags.join('|')}) [[ -z $path ]] && skip=1 ;;
      -*) ;;
      *) case "$path" in ''|${groupNames}) path="\${path:+$path }$word" ;; esac ;;
    esac
  done
`

  const groupNames = commands
    .filter(({ kind }) => kind === 'group')
    .map(({ name }) => name)
    .join('|')

  const caseLines = (assign: (words: string) => string): string =>
    [{ path: '', words: topWords }, ...cases]
      .map(({ path, words }) => `    '${path}') ${assign(words.join(' '))} ;;\n`)
      .join('')

  const scripts: Scripts = {
    bash: (program) => `# bash completion of ${program}: source this file
_${program}() {
${gather(`"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}  local words=''
  case "$path" in
${caseLines((words) => `words='${words}'`)}  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _${program} ${program}
`,
    zsh: (program) => `#compdef ${program}
# zsh completion of ${program}: put it into a folder of $fpath as _${program}, or source it
_${program}() {
${gather(`"\${(@)words[2,CURRENT-1]}"`)}  local -a candidates
  case "$path" in
${caseLines((words) => `candidates=(${words})`)}  esac
  compadd -a candidates || _files
}
if [[ \${funcstack[1]-} == _${program} ]]; then _${program} "$@"; else compdef _${program} ${program}; fi
`,
    fish: (program) =>
      [
        `# fish completion of ${program}: source this file\n`,
        `complete -c ${program} -f -n __fish_use_subcommand -a '${topWords.filter((word) => !word.startsWith('-')).join(' ')}'\n`,
        ...globalFlags.map(({ names: [name] }) => `complete -c ${program} -n __fish_use_subcommand -l ${name}\n`),
        ...cases.flatMap(({ path, words }) => {
          const condition = path
            .split(' ')
            .map((name) => `__fish_seen_subcommand_from ${name}`)
            .join('; and ')
          return words.map((word) =>
            word.startsWith('-')
              ? `complete -c ${program} -n '${condition}' -${word.startsWith('--') ? 'l' : 's'} ${word.replace(/^-+/, '')}\n`
              : `complete -c ${program} -f -n '${condition}' -a ${word}\n`,
          )
        }),
      ].join(''),
  }
  return scripts
}
