/** Reads flags as Go's flag package does, and the environment as etcd does. Pure. */
import { parseListenAddress } from '@cluster/http'
import { type Flag, type FlagKind, flagGroups, flags, ignoredFlags, refusedFlags } from './flag-table.ts'

export type FlagSource = 'flag' | 'environment'

/** What was given, by flag name. What is absent has its default. */
export type GivenFlags = ReadonlyMap<string, { readonly text: string; readonly source: FlagSource }>

export type FlagOutcome =
  | {
      readonly kind: 'run'
      readonly given: GivenFlags
      /** Lines for the log, by level. */
      readonly notes: readonly { readonly level: 'info' | 'warn'; readonly text: string }[]
    }
  | { readonly kind: 'print'; readonly text: string }
  /** Wrong syntax: the message to standard error, the usage to standard output, exit code 2. */
  | { readonly kind: 'usage'; readonly message: string }
  /** Exit code 1. */
  | { readonly kind: 'refused'; readonly message: string }

type Environment = Readonly<Record<string, string | undefined>>

/** What a command line and an environment ask for. A flag wins over its variable; an empty variable is none. */
export function readFlags(argv: readonly string[], environment: Environment, version: string): FlagOutcome {
  const given = new Map<string, { text: string; source: FlagSource }>()
  const notes: { level: 'info' | 'warn'; text: string }[] = []
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? ''
    const [, name, , inline] = /^--?([^-=][^=]*)(=(.*))?$/s.exec(argument) ?? []
    if (name === undefined) {
      const positional = argument === '--' ? argv[at + 1] : argument
      if (positional === undefined) break
      if (/^-/.test(positional) && argument !== '--')
        return { kind: 'usage', message: `bad flag syntax: ${positional}` }
      return { kind: 'refused', message: notAFlag(positional) }
    }
    if (name === 'help' || name === 'h') return { kind: 'print', text: usage }
    if (name === 'version') return { kind: 'print', text: version }
    const instead = refusedFlags.get(name)
    if (instead !== undefined) return { kind: 'usage', message: `flag -${name} is of etcd 0.4; use --${instead}` }
    const kind = flags.get(name)?.kind ?? ignoredFlags.get(name)
    if (kind === undefined) return { kind: 'usage', message: `flag provided but not defined: -${name}` }
    let text = inline
    if (text === undefined) {
      if (kind === 'boolean') text = 'true'
      else {
        at += 1
        text = argv[at]
        if (text === undefined) return { kind: 'usage', message: `flag needs an argument: -${name}` }
      }
    }
    const reason = problemOf(kind, text)
    if (reason !== undefined) {
      const what =
        kind === 'boolean'
          ? `invalid boolean value "${text}" for -${name}`
          : `invalid value "${text}" for flag -${name}`
      return { kind: 'usage', message: `${what}: ${reason}` }
    }
    if (flags.has(name)) given.set(name, { text, source: 'flag' })
    else notes.push({ level: 'warn', text: `flag -${name} is no longer used` })
  }
  return readEnvironment(environment, given, notes)
}

function readEnvironment(
  environment: Environment,
  given: Map<string, { text: string; source: FlagSource }>,
  notes: { level: 'info' | 'warn'; text: string }[],
): FlagOutcome {
  for (const [variable, text] of Object.entries(environment).sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (!variable.startsWith('ETCD_') || text === undefined || text === '') continue
    const name = variable.slice('ETCD_'.length).toLowerCase().replaceAll('_', '-')
    const known = flags.get(name)
    if (known === undefined) {
      const isOld = ignoredFlags.has(name) || refusedFlags.has(name)
      const what = isOld ? 'environment variable without effect' : 'unrecognized environment variable'
      notes.push({ level: 'warn', text: `${what} ${variable}=${text}` })
      continue
    }
    if (given.has(name)) {
      notes.push({ level: 'warn', text: `environment variable ${variable}=${text} is shadowed by the flag --${name}` })
      continue
    }
    const reason = problemOf(known.kind, text)
    if (reason !== undefined) {
      return { kind: 'refused', message: `invalid value "${text}" for ${variable}: ${reason}` }
    }
    given.set(name, { text, source: 'environment' })
    notes.push({ level: 'info', text: `recognized and used environment variable ${variable}=${text}` })
  }
  return { kind: 'run', given, notes }
}

const notAFlag = (word: string): string => `error verifying flags, '${word}' is not a valid flag. See 'kvd --help'.`

function problemOf(kind: FlagKind, text: string): string | undefined {
  if (kind === 'boolean')
    return /^(1|0|t|f|true|false|T|F|TRUE|FALSE|True|False)$/.test(text) ? undefined : 'parse error'
  if (kind === 'unsigned') {
    return /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? undefined : 'parse error'
  }
  if (kind === 'urls') return urlsProblem(urlsOf(text))
  if (kind !== 'listen-urls') return undefined
  const [sockets, urls] = [urlsOf(text).filter(isUnix), urlsOf(text).filter((url) => !isUnix(url))]
  return socketsProblem(sockets) ?? urlsProblem(urls)
}

/** etcd 2.3 knows no unix sockets; ours are written as for the other daemons. */
const isUnix = (url: string): boolean => url.startsWith('unix:')

function socketsProblem(urls: readonly string[]): string | undefined {
  for (const url of urls) {
    const address = parseListenAddress(url)
    if (!address.ok) return `${address.error.reason}: ${url}`
  }
  return undefined
}

const urlsOf = (text: string): readonly string[] => text.split(',').map((one) => one.trim())

/** Why a list of URLs is none: scheme http or https, host and port, no path. */
function urlsProblem(urls: readonly string[]): string | undefined {
  for (const url of urls) {
    const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(url) ?? []
    if (scheme === undefined || rest === undefined) return `parse "${url}": missing protocol scheme`
    if (scheme !== 'http' && scheme !== 'https') return `URL scheme must be http or https: ${url}`
    const [, , port, path] = /^(\[[^\]]+\]|[^:/?#[\]]*):(\d*)(.*)$/.exec(rest) ?? []
    if (port === undefined || port === '' || Number(port) > 65_535) {
      return `URL address does not have the form "host:port": ${url}`
    }
    if (path !== undefined && path !== '') return `URL must not contain a path: ${url}`
  }
  return undefined
}

/** The whole help text. */
export const usage = `usage: kvd [flags]
       start a store that speaks the etcd v2 API
       kvd --version
       show the version
       kvd --help
       show this text

Every flag --some-flag can be given as the environment variable ETCD_SOME_FLAG, too; the flag wins.
${flagGroups.map(({ title, flags: group }) => `\n${title} flags:\n\n${group.map(flagLines).join('')}`).join('')}`

function flagLines({ name, kind, fallback, help }: Flag): string {
  const shown = kind === 'boolean' || kind === 'unsigned' ? fallback : `'${fallback}'`
  return `  --${name} ${shown}\n      ${help}\n`
}
