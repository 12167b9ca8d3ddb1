/**
 * A command line declared once: from this value come parsing, help and completion.
 * commander does the walking over the words and is known to this file only.
 */
import { err, ok, type Result } from '@cluster/prelude'
import { CommanderError, Option, Command as Walker } from 'commander'
import { type Flag, type Flags, type FlagValue, type FlagValues, flagValues, variableOf } from './flags.ts'
import { nearestWords } from './nearest.ts'

export type Invocation = {
  /** Own and global flags. */
  readonly flags: FlagValues
  /** The words that are neither flags nor the command. */
  readonly args: readonly string[]
}

export type Example = {
  /** What is typed, with the program's name. */
  readonly line: string
  /** What it does, in a few words. */
  readonly about: string
}

export type Command<Context> = {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** What stands behind the program's name: `start [--no-block] UNIT...`. */
  readonly usage: string
  readonly description: string
  readonly examples: readonly Example[]
  readonly flags: Flags
  /** Not listed in help and not suggested; it runs as any other. */
  readonly hidden?: boolean
  /** Words that completion offers in place of a file's name. */
  readonly words?: readonly string[]
  /** Arguments with which the program itself prints more of them, one line each: `list-machines --full`. */
  readonly wordsFrom?: string
  /** Exit code when its flags are wrong. */
  readonly usageExitCode: number
  /** Imports the code on first use, so that a command costs the start-up of itself only. */
  readonly load: () => Promise<(context: Context, invocation: Invocation) => Promise<number>>
}

export type CommandLine<Context> = {
  readonly program: string
  readonly version: string
  readonly summary: string
  /** Allowed ahead of the command and behind it. */
  readonly flags: Flags
  /** Every global flag has a variable with this prefix; a flag wins, an empty variable counts as unset. */
  readonly environmentPrefix: string
  readonly commands: readonly Command<Context>[]
  /** Exit code for an unknown command and for wrong flags without a command. */
  readonly usageExitCode: number
  /** Put ahead of a usage error that is said a second time at the very end of stderr. */
  readonly usageErrorEcho?: string
}

export type Parsed<Context> =
  | { readonly kind: 'run'; readonly command: Command<Context>; readonly invocation: Invocation }
  | { readonly kind: 'help'; readonly command?: Command<Context> }
  | { readonly kind: 'unknown-help-topic'; readonly topic: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'no-command' }
  | { readonly kind: 'unknown-command'; readonly word: string; readonly suggestions: readonly string[] }
  | { readonly kind: 'wrong-flag'; readonly command?: Command<Context>; readonly message: string }

/** Flags that every program has, ahead of its own. */
export const helpFlags: Flags = {
  h: { kind: 'boolean', default: false, summary: 'Print how to use this and exit' },
  help: { kind: 'boolean', default: false, summary: 'Print how to use this and exit', short: 'h' },
  version: { kind: 'boolean', default: false, summary: 'Print the version and exit' },
}

/**
 * What the words ask for. Never throws and runs nothing.
 *
 * A command may be shortened as long as no other begins the same. `-v` and `--version` count as the first word only.
 *
 * @param argv without the interpreter and the program
 */
export function parseCommandLine<Context>(
  line: CommandLine<Context>,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Parsed<Context> {
  if (argv[0] === '-v' || argv[0] === '--version') return { kind: 'version' }
  const globalFlags = { ...line.flags, ...helpFlags }
  // Flags of the command are unknown words until the command is known; a global flag with a value is not taken for it.
  const root = walk(globalFlags, argv)
  if (!root.ok) return { kind: 'wrong-flag', message: root.error }
  const { texts, operands, unknown } = root.value
  const [word] = operands
  if (word === undefined) {
    const [wrong] = unknown
    if (wrong !== undefined) return { kind: 'wrong-flag', message: unknownFlag(wrong) }
    const given = parseValues(globalFlags, texts)
    if (!given.ok) return { kind: 'wrong-flag', message: given.error }
    return wantsHelp(given.value) ? { kind: 'help' } : { kind: 'no-command' }
  }
  if (word === 'help') return parseHelp(line, operands.slice(1), unknown)

  const command = findCommand(line, word)
  if (command === undefined) return { kind: 'unknown-command', word, suggestions: suggestionsFor(line, word) }
  return parseFlags(line, command, without(argv, word, globalFlags), env)
}

/** The command of that name, or the only one that begins so. */
export function findCommand<Context>(line: CommandLine<Context>, word: string): Command<Context> | undefined {
  const exact = line.commands.find((command) => command.name === word)
  if (exact !== undefined || word === '') return exact
  const [first, ...others] = line.commands.filter((command) => command.name.startsWith(word))
  return others.length === 0 ? first : undefined
}

function parseHelp<Context>(
  line: CommandLine<Context>,
  topics: readonly string[],
  unknown: readonly string[],
): Parsed<Context> {
  const [wrong] = unknown
  if (wrong !== undefined) return { kind: 'wrong-flag', message: unknownFlag(wrong) }
  const [topic] = topics
  if (topic === undefined) return { kind: 'help' }
  const command = findCommand(line, topic)
  return command === undefined ? { kind: 'unknown-help-topic', topic } : { kind: 'help', command }
}

function parseFlags<Context>(
  line: CommandLine<Context>,
  command: Command<Context>,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Parsed<Context> {
  // A command's own flag hides a global one of the same name.
  const flags = { ...line.flags, ...helpFlags, ...command.flags }
  const walked = walk(flags, argv)
  if (!walked.ok) return { kind: 'wrong-flag', command, message: walked.error }
  const { texts, operands, unknown } = walked.value
  const [wrong] = unknown
  if (wrong !== undefined) return { kind: 'wrong-flag', command, message: unknownFlag(wrong) }
  const given = parseValues(flags, new Map([...environmentTexts(line, command, env), ...texts]))
  if (!given.ok) return { kind: 'wrong-flag', command, message: given.error }
  if (wantsHelp(given.value)) return { kind: 'help', command }
  return { kind: 'run', command, invocation: { flags: flagValues(flags, given.value), args: operands } }
}

function environmentTexts<Context>(
  line: CommandLine<Context>,
  command: Command<Context>,
  env: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const name of Object.keys(line.flags)) {
    const text = env[variableOf(line.environmentPrefix, name)]
    if (text !== undefined && text !== '' && !(name in command.flags)) texts.set(name, text)
  }
  return texts
}

type Walked = {
  readonly texts: ReadonlyMap<string, string>
  readonly operands: readonly string[]
  /** Empty, or begins with the first word that looks like a flag and is none. */
  readonly unknown: readonly string[]
}

function walk(flags: Flags, argv: readonly string[]): Result<Walked, string> {
  const walker = new Walker().exitOverride().configureOutput({ writeErr: () => undefined })
  const names = Object.keys(flags)
  names.forEach((name, index) => {
    const flag = flags[name]
    if (flag !== undefined) walker.addOption(optionOf(name, flag, index))
  })
  try {
    const { operands, unknown } = walker.parseOptions(spellSwitchesOut(flags, argv))
    const texts = new Map<string, string>()
    for (const [index, name] of names.entries()) {
      const text: unknown = walker.getOptionValue(`flag${index}`)
      if (typeof text === 'string') texts.set(name, text)
    }
    return ok({ texts, operands, unknown })
  } catch (error) {
    if (error instanceof CommanderError && error.code === 'commander.optionMissingArgument') {
      return err(`flag needs an argument: ${argv.at(-1) ?? ''}`)
    }
    throw error
  }
}

/**
 * A switch is an option with an optional value underneath: `--no-block` must stay a name of its own, which commander
 * would take for the opposite of `--block`.
 */
class NamedOption extends Option {
  readonly #attribute: string
  constructor(flags: string, attribute: string) {
    super(flags)
    this.#attribute = attribute
    this.negate = false
  }
  override attributeName(): string {
    return this.#attribute
  }
}

function optionOf(name: string, flag: Flag, index: number): Option {
  const short = flag.kind === 'boolean' && flag.short !== undefined ? `-${flag.short}, ` : ''
  const option = new NamedOption(`${short}--${name} <value>`, `flag${index}`)
  if (flag.kind !== 'string' || flag.repeats !== true) return option
  return option.argParser((text: string, before: unknown) => (typeof before === 'string' ? `${before},${text}` : text))
}

/** Gives every switch its value as a word of its own, so that it never takes the next word for one. */
function spellSwitchesOut(flags: Flags, argv: readonly string[]): string[] {
  const words: string[] = []
  const shorts: ReadonlyMap<string, string> = new Map(
    Object.entries(flags).flatMap(([name, flag]) =>
      flag.kind === 'boolean' && flag.short !== undefined ? [[`-${flag.short}`, name] as const] : [],
    ),
  )
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    if (word === '--') return [...words, ...argv.slice(index)]
    const name = shorts.get(word) ?? (word.startsWith('--') && !word.includes('=') ? word.slice(2) : undefined)
    const flag = name === undefined ? undefined : flags[name]
    if (flag === undefined) {
      words.push(word)
    } else if (flag.kind === 'boolean') {
      words.push(`--${name}=true`)
    } else {
      words.push(word)
      const value = argv[index + 1]
      if (value !== undefined) words.push(value)
      index += 1
    }
  }
  return words
}

function parseValues(flags: Flags, texts: ReadonlyMap<string, string>): Result<ReadonlyMap<string, FlagValue>, string> {
  const values = new Map<string, FlagValue>()
  for (const [name, text] of texts) {
    const flag = flags[name]
    if (flag === undefined) continue
    const value = parseValue(name, flag, text)
    if (!value.ok) return value
    values.set(name, value.value)
  }
  return ok(values)
}

function parseValue(name: string, flag: Flag, text: string): Result<FlagValue, string> {
  const wrong = (why: string) => err(`invalid argument ${JSON.stringify(text)} for --${name}=${text}: ${why}`)
  const syntax = (parser: string) => wrong(`strconv.${parser}: parsing ${JSON.stringify(text)}: invalid syntax`)
  switch (flag.kind) {
    case 'boolean':
      if (/^(1|t|T|TRUE|true|True)$/.test(text)) return ok(true)
      return /^(0|f|F|FALSE|false|False)$/.test(text) ? ok(false) : syntax('ParseBool')
    case 'int': {
      const value = /^[+-]?(\d+|0[xX][\da-fA-F]+)$/.test(text) ? Number(text) : Number.NaN
      return Number.isSafeInteger(value) ? ok(value) : syntax('ParseInt')
    }
    case 'float': {
      const value = text.trim() === text && text !== '' ? Number(text) : Number.NaN
      return Number.isFinite(value) ? ok(value) : syntax('ParseFloat')
    }
    case 'string':
      if (flag.choices === undefined || flag.choices.includes(text)) return ok(text)
      return wrong(`must be one of ${flag.choices.join(', ')}`)
    default:
      return flag satisfies never
  }
}

/** The words without the command; a value that happens to be spelled like it stays. */
function without(argv: readonly string[], command: string, globalFlags: Flags): readonly string[] {
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    if (word === command) return [...argv.slice(0, index), ...argv.slice(index + 1)]
    const flag = word.startsWith('--') ? globalFlags[word.slice(2)] : undefined
    if (flag !== undefined && flag.kind !== 'boolean') index += 1
  }
  return argv
}

const wantsHelp = (given: ReadonlyMap<string, FlagValue>): boolean =>
  given.get('h') === true || given.get('help') === true

const unknownFlag = (word: string): string =>
  word.startsWith('--')
    ? `unknown flag: ${word.split('=')[0] ?? word}`
    : `unknown shorthand flag: '${[...word][1] ?? ''}' in ${word}`

const suggestionsFor = <Context>(line: CommandLine<Context>, word: string): readonly string[] =>
  nearestWords(
    word,
    line.commands.filter(({ hidden }) => hidden !== true).map(({ name }) => name),
  )
