/** Reads flags as Go's flag package does, and the environment as flannel does. Pure. */
import { nearestWord } from '@cluster/prelude'
import { type Flag, type FlagKind, flagGroups, flags, ignoredFlags, refusedFlags } from './flag-table.ts'

export type FlagSource = 'flag' | 'environment'

/** What was given, by flag name; texts are more than one for a repeated flag only. What is absent has its default. */
export type GivenFlags = ReadonlyMap<string, { readonly texts: readonly string[]; readonly source: FlagSource }>

export type FlagOutcome =
  | { readonly kind: 'run'; readonly given: GivenFlags; readonly warnings: readonly string[] }
  /** The first word that is no flag is one of the commands for people. */
  | { readonly kind: 'command' }
  | { readonly kind: 'print'; readonly text: string }
  /** To standard error; exit code 2. */
  | { readonly kind: 'usage'; readonly message: string; readonly remedy: string }
  /** To standard error; exit code 1. */
  | { readonly kind: 'refused'; readonly message: string; readonly remedy: string }

export type Environment = Readonly<Record<string, string | undefined>>

type Given = Map<string, { texts: readonly string[]; source: FlagSource }>

const environmentPrefix = 'FLANNELD_'
const seeHelp = 'flanneld --help lists every flag'

/**
 * What a command line and an environment ask for. A flag wins over its variable; an empty variable is none.
 *
 * @param commands the words that are commands
 */
export function readFlags(
  argv: readonly string[],
  environment: Environment,
  commands: readonly string[],
  version: string,
): FlagOutcome {
  const given: Given = new Map()
  const warnings: string[] = []
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? ''
    const [, name, , inline] = /^--?([^-=][^=]*)(=(.*))?$/s.exec(argument) ?? []
    if (name === undefined) {
      const word = argument === '--' ? argv[at + 1] : argument
      if (word === undefined) break
      return strayWord(word, commands, argument !== '--')
    }
    if (name === 'help' || name === 'h') return { kind: 'print', text: usage }
    if (name === 'version') {
      if (parseBoolean(inline ?? 'true') === false) continue
      return { kind: 'print', text: version }
    }
    const remedy = refusalOf(name)
    if (remedy !== undefined) return { kind: 'usage', message: `flag --${name} is refused`, remedy }
    const kind = flags.get(name)?.kind ?? ignoredFlags.get(name)?.kind
    if (kind === undefined) return unknownFlag(name)
    let text = inline
    if (text === undefined) {
      if (kind === 'boolean') text = 'true'
      else {
        at += 1
        text = argv[at]
        if (text === undefined) return { kind: 'usage', message: `flag needs an argument: --${name}`, remedy: seeHelp }
      }
    }
    const expected = problemOf(kind, text)
    if (expected !== undefined) {
      return {
        kind: 'usage',
        message: `flag --${name} is ${JSON.stringify(text)}: expected ${expected}`,
        remedy: seeHelp,
      }
    }
    const ignored = ignoredFlags.get(name)
    if (ignored !== undefined) warnings.push(`flag --${name} has no effect: ${ignored.why}`)
    else give(given, name, kind, text)
  }
  return readEnvironment(environment, given, warnings)
}

function give(given: Given, name: string, kind: FlagKind, text: string): void {
  const before = kind === 'repeated' ? (given.get(name)?.texts ?? []) : []
  given.set(name, { texts: [...before, text], source: 'flag' })
}

/** Kubernetes' flags by their beginning: newer releases have more of them. */
const refusalOf = (name: string): string | undefined =>
  refusedFlags.get(name) ?? (name.startsWith('kube-') ? refusedFlags.get('kube-subnet-mgr') : undefined)

function strayWord(word: string, commands: readonly string[], isPlain: boolean): FlagOutcome {
  if (isPlain && commands.includes(word)) return { kind: 'command' }
  if (isPlain && word.startsWith('-')) return { kind: 'usage', message: `bad flag syntax: ${word}`, remedy: seeHelp }
  const meant = nearestWord(word, commands)
  const remedy = meant === undefined ? seeHelp : `did you mean flanneld ${meant}?`
  return { kind: 'usage', message: `${JSON.stringify(word)} is neither a flag nor a command`, remedy }
}

function unknownFlag(name: string): FlagOutcome {
  const meant = nearestWord(name, [...flags.keys()])
  const remedy = meant === undefined ? seeHelp : `did you mean --${meant}? ${seeHelp}`
  return { kind: 'usage', message: `flag provided but not defined: -${name}`, remedy }
}

function readEnvironment(environment: Environment, given: Given, warnings: string[]): FlagOutcome {
  for (const [variable, text] of Object.entries(environment).sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (!variable.startsWith(environmentPrefix) || text === undefined || text === '') continue
    const name = variable.slice(environmentPrefix.length).toLowerCase().replaceAll('_', '-')
    const remedy = refusalOf(name)
    if (remedy !== undefined) return { kind: 'refused', message: `variable ${variable} is refused`, remedy }
    const known = flags.get(name)
    if (known === undefined) {
      if (isIgnored(name)) continue
      const meant = nearestWord(name, [...flags.keys()])
      warnings.push(
        `variable ${variable} is unknown and has no effect${meant === undefined ? '' : `; did you mean ${variableOf(meant)}?`}`,
      )
      continue
    }
    if (given.has(name)) continue
    const expected = problemOf(known.kind, text)
    if (expected !== undefined) {
      return {
        kind: 'refused',
        message: `variable ${variable} is ${JSON.stringify(text)}: expected ${expected}`,
        remedy: 'correct the variable, or leave it out',
      }
    }
    given.set(name, { texts: [text], source: 'environment' })
  }
  return { kind: 'run', given, warnings }
}

const isIgnored = (name: string): boolean => ignoredFlags.has(name) || ignoredFlags.has(name.replaceAll('-', '_'))

/** The environment variable of a flag. */
export const variableOf = (name: string): string => environmentPrefix + name.toUpperCase().replaceAll('-', '_')

/** What a text should have been; `undefined` when it is right. */
function problemOf(kind: FlagKind, text: string): string | undefined {
  if (kind === 'boolean') return parseBoolean(text) === undefined ? 'true or false' : undefined
  if (kind === 'integer') return Number.isSafeInteger(parseInteger(text)) ? undefined : 'a whole number'
  return undefined
}

/** A switch as Go reads it. */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true
  return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined
}

/** A decimal number; NaN for any other text. */
export const parseInteger = (text: string): number => (/^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN)

/** The whole help text. */
export const usage = `usage: flanneld [flags]
       flanneld COMMAND [flags]

A subnet of the overlay for this machine, and routes to those of all others.

  flanneld --etcd-endpoints=http://10.0.0.1:2379 --iface=eth1 --ip-masq
      take part in the network that PREFIX/config in the store describes
  flanneld check 10.5.34.2
      name the first hop that is broken on the way to another subnet

commands:

  status        this machine's lease, its peers and their state
  check PEER    the first broken hop on the way to a peer
  plan          what would change in the kernel, without changing it
  cleanup       remove all that flanneld made in the kernel
  docker-opts   options for dockerd, from the subnet file
  podman-opts   the same for podman
  nspawn-opts   the same for systemd-nspawn
  completion    a script for bash, zsh or fish

Every flag --some-flag can be given as the environment variable FLANNELD_SOME_FLAG, too; the flag wins.
${flagGroups.map(({ title, flags: group }) => `\n${title}:\n\n${group.map(flagLines).join('')}`).join('')}
exit codes: 0 stopped by a signal; 1 failed, or the lease was lost; 2 wrong usage
`

function flagLines({ name, kind, fallback, help }: Flag): string {
  const shown = kind === 'boolean' ? `=${fallback}` : ` ${fallback === '' ? "''" : fallback}`
  return `  --${name}${shown}\n      ${help}\n`
}
