/**
 * Configuration declared once: flags beat the environment, which beats the file, which beats the defaults. Every
 * mistake is reported with its place; none is passed over in silence. Rules of the file and of FLEET_*: spec/fleet.md §9.
 */
import { readFile } from 'node:fs/promises'
import { assert, nearestWord } from '@cluster/prelude'
import { type ConfigDeclaration, type ConfigValues, flagOf, type OptionSet, snakeCase } from './config-declaration.ts'
import { type FileEntry, parseConfigFile } from './config-file.ts'
import { renderHelp } from './config-help.ts'
import { DaemonError } from './errors.ts'
import type { Option } from './options.ts'

export type ConfigSource =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly path: string; readonly line: number }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'flag'; readonly flag: string }

export type Configuration<Options extends OptionSet> = {
  readonly kind: 'run'
  readonly values: ConfigValues<Options>
  /** Where each value comes from. */
  readonly sources: Readonly<Record<keyof Options, ConfigSource>>
  /** What is odd and does not keep the daemon from starting, with its place. */
  readonly warnings: readonly string[]
  /** The file that was read, if any. */
  readonly file: string | undefined
}

/** What the command line asks for: run, or print a text and end well. */
export type ConfigOutcome<Options extends OptionSet> =
  | Configuration<Options>
  | { readonly kind: 'print'; readonly text: string }

export type ConfigInput = {
  /** Words behind the program's name. */
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Reads flags, environment and file.
 *
 * @throws DaemonError `daemon/usage`, `daemon/unexpected-argument`, `daemon/bad-config` (all problems at once, one per
 *   line, each with its place), `daemon/config-file`
 */
export async function readConfig<Options extends OptionSet>(
  declaration: ConfigDeclaration<Options>,
  { argv, environment }: ConfigInput,
): Promise<ConfigOutcome<Options>> {
  const { name, version, environmentPrefix, options, defaultFile } = declaration
  const flags = readFlags(declaration, argv)
  if (flags.print === 'help') return { kind: 'print', text: renderHelp(declaration) }
  if (flags.print === 'version') return { kind: 'print', text: `${name} version ${version}\n` }

  const problems: string[] = []
  const warnings: string[] = []
  const path = flags.file ?? defaultFile
  const text = await readConfigText(path, flags.file === undefined)
  const entries = new Map<string, FileEntry>()
  if (text !== undefined) {
    const file = parseConfigFile(text)
    for (const { line, message } of file.problems) problems.push(`${path}:${line}: ${message}`)
    for (const { line, message } of file.warnings) warnings.push(`${path}:${line}: ${message}`)
    for (const entry of file.entries) entries.set(entry.key, entry)
  }

  const values: Record<string, unknown> = {}
  const sources: Record<string, ConfigSource> = {}
  const keys = new Map(Object.keys(options).map((optionName) => [snakeCase(optionName), optionName]))
  for (const [key, optionName] of keys) {
    const option = options[optionName]
    if (option === undefined) continue
    const given = choose(key, { flags: flags.values, environment, environmentPrefix, entries, path })
    sources[optionName] = given.source
    if (given.text === undefined) {
      values[optionName] = given.source.kind === 'default' ? option.default : option.whenBare
      if (values[optionName] === undefined) problems.push(`${describeSource(given.source)}: ${key} needs a value`)
      continue
    }
    const value = option.parse(given.text)
    if (value.ok) values[optionName] = value.value
    else problems.push(`${describeSource(given.source)}: ${key} is ${quoted(given.text, option)}: ${value.error}`)
  }

  for (const { key, line } of entries.values()) {
    if (!keys.has(key))
      warnings.push(`${path}:${line}: there is no option ${key}${didYouMean(nearestWord(key, keys.keys()))}`)
  }
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith(environmentPrefix)) continue
    const key = variable.slice(environmentPrefix.length).toLowerCase()
    // other programs share the prefix: only what looks like a slip is worth a word
    const meant = keys.has(key) ? undefined : nearestWord(key, keys.keys())
    if (meant !== undefined) {
      const known = environmentPrefix + meant.toUpperCase()
      warnings.push(`environment ${variable}: there is no option ${key}${didYouMean(known)}`)
    }
  }

  if (problems.length > 0) {
    throw new DaemonError('daemon/bad-config', problems.join('\n'), { hint: `${name} --help lists every option` })
  }
  assert(hasValueOfEach(values, options) && hasSourceOfEach(sources, options), 'every option has a value and a source')
  return { kind: 'run', values, sources, warnings, file: text === undefined ? undefined : path }
}

/** Where a value comes from, as `file:line`, `environment NAME`, `flag --name` or `default`. */
export function describeSource(source: ConfigSource): string {
  switch (source.kind) {
    case 'default':
      return 'default'
    case 'file':
      return `${source.path}:${source.line}`
    case 'environment':
      return `environment ${source.variable}`
    case 'flag':
      return `flag ${source.flag}`
  }
}

type Flags = {
  readonly values: ReadonlyMap<string, { readonly flag: string; readonly text: string | undefined }>
  readonly file: string | undefined
  readonly print: 'help' | 'version' | undefined
}

function readFlags<Options extends OptionSet>(
  { name, options, argumentHint }: ConfigDeclaration<Options>,
  argv: readonly string[],
): Flags {
  const values = new Map<string, { flag: string; text: string | undefined }>()
  const byKey = new Map(Object.entries(options).map(([optionName, option]) => [snakeCase(optionName), option]))
  const hint = `${name} --help lists every flag`
  let file: string | undefined
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? ''
    if (word === 'version' || word === 'help') return { values, file, print: word }
    // one dash or two, as Go's flags; `_` and `-` alike
    const [, flagName, , attached] = /^--?([A-Za-z][\w-]*)(=(.*))?$/s.exec(word) ?? []
    if (flagName === undefined) {
      throw new DaemonError('daemon/unexpected-argument', `${name} takes no arguments, found ${JSON.stringify(word)}`, {
        hint: argumentHint ?? hint,
      })
    }
    const key = flagName.replaceAll('-', '_').toLowerCase()
    if (key === 'help' || key === 'h') return { values, file, print: 'help' }
    if (key === 'version') return { values, file, print: 'version' }
    const option = byKey.get(key)
    if (option === undefined && key !== 'config') {
      const near = nearestWord(key, [...byKey.keys(), 'config', 'help', 'version'])
      throw new DaemonError('daemon/usage', `there is no flag ${word.split('=')[0]}`, {
        hint: near === undefined ? hint : `did you mean ${flagOf(near)}? ${hint}`,
      })
    }
    let text = attached
    if (text === undefined && option?.whenBare === undefined) {
      at += 1
      text = argv[at]
      if (text === undefined) throw new DaemonError('daemon/usage', `flag ${word} needs a value`, { hint })
    }
    if (key === 'config') file = text
    else values.set(key, { flag: flagOf(key), text })
  }
  return { values, file, print: undefined }
}

type Layers = {
  readonly flags: Flags['values']
  readonly environment: ConfigInput['environment']
  readonly environmentPrefix: string
  readonly entries: ReadonlyMap<string, FileEntry>
  readonly path: string
}

function choose(key: string, layers: Layers): { readonly source: ConfigSource; readonly text: string | undefined } {
  const flag = layers.flags.get(key)
  if (flag !== undefined) return { source: { kind: 'flag', flag: flag.flag }, text: flag.text }
  const variable = layers.environmentPrefix + key.toUpperCase()
  // set but empty counts, as in fleet
  const inEnvironment = layers.environment[variable]
  if (inEnvironment !== undefined) return { source: { kind: 'environment', variable }, text: inEnvironment }
  const entry = layers.entries.get(key)
  if (entry === undefined) return { source: { kind: 'default' }, text: undefined }
  return { source: { kind: 'file', path: layers.path, line: entry.line }, text: entry.value }
}

async function readConfigText(path: string, isOptional: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (isOptional && cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new DaemonError('daemon/config-file', `cannot read the configuration file ${path}`, {
      hint: 'name a file that this user may read with --config, or leave the flag out',
      cause,
    })
  }
}

const hasValueOfEach = <Options extends OptionSet>(values: object, options: Options): values is ConfigValues<Options> =>
  Object.keys(options).every((optionName) => optionName in values)

const hasSourceOfEach = <Options extends OptionSet>(
  sources: object,
  options: Options,
): sources is Readonly<Record<keyof Options, ConfigSource>> =>
  Object.keys(options).every((optionName) => optionName in sources)

const didYouMean = (word: string | undefined): string => (word === undefined ? '' : `; did you mean ${word}?`)

const quoted = (text: string, { isSecret }: Option<unknown>): string =>
  isSecret ? '[secret]' : JSON.stringify(text.slice(0, 200))
