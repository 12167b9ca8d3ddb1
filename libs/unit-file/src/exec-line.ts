/** Command lines (`ExecStart=` and relatives) as systemd 252 reads them. Rules: spec/unit-files.md §4.1. */
import type { Result } from '@cluster/prelude'
import { byteLength } from './byte-text.ts'
import { simplifyPath } from './path-text.ts'
import type { ValueFinding } from './unit-message.ts'
import { escapedWords, firstWord, relaxedWords, type Word } from './words.ts'

/** In the order in which the bus shows them. */
export type ExecFlag = 'ignore-failure' | 'privileged' | 'no-setuid' | 'ambient' | 'no-env-expand'

/** One command: specifiers expanded, variables not. */
export type ExecCommand = {
  /** Simplified; without a slash it is searched for when the unit starts. */
  readonly path: string
  /** `argv[0]` is the path as written, or the word behind an `@` command. */
  readonly argv: readonly string[]
  readonly flags: readonly ExecFlag[]
}

/** The commands of one `Exec…=` value, and what systemd says about it. */
export type ExecLine = {
  /** Commands read before the first error included, as systemd keeps them. */
  readonly commands: readonly ExecCommand[]
  readonly findings: readonly ValueFinding[]
  /** The unit is refused. */
  readonly fatal: boolean
}

/** Replaces specifiers in one word; the error's message is systemd's, such as `Invalid slot`. */
export type ExpandWord = (word: string) => Result<string, { readonly message: string }>

type Reading = { readonly commands: ExecCommand[]; readonly findings: ValueFinding[] }
type Prefixes = { readonly flags: readonly ExecFlag[]; readonly ownArgv0: boolean; readonly path: string }

/**
 * The commands of one non-empty value.
 *
 * @param expand called once for each word, after quotes and escapes are undone; a word never splits again
 */
export function parseExecLine(value: string, expand: ExpandWord): ExecLine {
  const reading: Reading = { commands: [], findings: [] }
  let rest = value
  for (;;) {
    const outcome = readCommand(rest, expand, reading)
    if (outcome.kind === 'fatal') return { ...reading, fatal: true }
    if (outcome.kind === 'end') return { ...reading, fatal: false }
    rest = outcome.rest
  }
}

type Outcome = { readonly kind: 'end' } | { readonly kind: 'fatal' } | { readonly kind: 'more'; readonly rest: string }
const ended: Outcome = { kind: 'end' }

function readCommand(line: string, expand: ExpandWord, reading: Reading): Outcome {
  const first = nextWord(line, 0, line, reading)
  // an unreadable first word loses the line, not the unit
  if (first === undefined || first === 'unreadable') return ended
  if (first.word === ';') return { kind: 'more', rest: line.slice(first.rest) }
  const { flags, ownArgv0, path: written } = readPrefixes(first.word)
  const tolerated = flags.includes('ignore-failure')
  const complain = (complaint: string, detail: string): Outcome => {
    const text = `${complaint}${tolerated ? ', ignoring' : ''}: ${detail}`
    reading.findings.push({ priority: tolerated ? 'warning' : 'error', text })
    return tolerated ? ended : { kind: 'fatal' }
  }

  const expanded = expand(written)
  if (!expanded.ok) {
    const text = `Failed to resolve unit specifiers in '${written}'${tolerated ? ', ignoring' : ''}: ${expanded.error.message}`
    reading.findings.push({ priority: tolerated ? 'warning' : 'error', text })
    return tolerated ? ended : { kind: 'fatal' }
  }
  const path = expanded.value
  if (path === '') return complain('Empty path in command line', `'${line}'`)
  if (/[\0-\x1f"'\\\x7f]/.test(path)) return complain('Executable name contains special characters', path)
  if (path.endsWith('/')) return complain('Executable path specifies a directory', path)
  if (!(path.startsWith('/') ? isPath(path) : isFileName(path))) {
    return complain('Neither a valid executable name nor an absolute path', path)
  }

  const argv: string[] = ownArgv0 ? [] : [path]
  let index = first.rest
  let more = false
  while (index < line.length) {
    const separator = separatorAt(line, index)
    if (separator !== undefined) {
      index = skipBlanks(line, index + separator.length)
      if (separator === ';') {
        more = true
        break
      }
      argv.push(';')
      continue
    }
    const next = nextWord(line, index, line, reading)
    if (next === undefined) break
    if (next === 'unreadable') return tolerated ? ended : { kind: 'fatal' }
    const word = expand(next.word)
    if (!word.ok) {
      return complain(`Failed to resolve unit specifiers in ${next.word}`, word.error.message)
    }
    argv.push(word.value)
    index = next.rest
  }
  if (argv.length === 0) return complain('Empty executable name or zeroeth argument', line)
  reading.commands.push({ path: simplifyPath(path), argv, flags })
  return more ? { kind: 'more', rest: line.slice(index) } : ended
}

/** A word with C escapes undone; one that has unknown escapes is kept with a warning. */
function nextWord(line: string, start: number, shown: string, reading: Reading): Word | undefined | 'unreadable' {
  const strict = firstWord(line, start, escapedWords)
  if (strict.ok) return strict.value
  const relaxed = firstWord(line, start, relaxedWords)
  if (!relaxed.ok) {
    reading.findings.push({ priority: 'error', text: `Unbalanced quoting, ignoring: "${shown}"` })
    return 'unreadable'
  }
  const word = relaxed.value?.word ?? ''
  reading.findings.push({ priority: 'warning', text: `Ignoring unknown escape sequences: "${word}"` })
  return relaxed.value
}

/** `;` or `\;` standing alone: looked for in the written text, so that quoted ones are words. */
function separatorAt(line: string, index: number): ';' | '\\;' | undefined {
  const separator = line[index] === ';' ? ';' : line.startsWith('\\;', index) ? '\\;' : undefined
  if (separator === undefined) return undefined
  const behind = index + separator.length
  return behind >= line.length || skipBlanks(line, behind) > behind ? separator : undefined
}

function skipBlanks(line: string, from: number): number {
  let index = from
  while (index < line.length && ' \t\n\r'.includes(line[index] ?? 'x')) index += 1
  return index
}

/** Prefix characters in any order, each once; the first that does not fit starts the path. */
function readPrefixes(word: string): Prefixes {
  const seen = new Set<ExecFlag>()
  let ownArgv0 = false
  let index = 0
  for (; index < word.length; index += 1) {
    const character = word[index]
    if (character === '-' && !seen.has('ignore-failure')) seen.add('ignore-failure')
    else if (character === '@' && !ownArgv0) ownArgv0 = true
    else if (character === ':' && !seen.has('no-env-expand')) seen.add('no-env-expand')
    else if ((character === '+' || character === '!') && !seen.has('privileged') && !seen.has('ambient')) {
      if (!seen.has('no-setuid')) seen.add(character === '+' ? 'privileged' : 'no-setuid')
      else if (character === '!') {
        seen.delete('no-setuid')
        seen.add('ambient')
      } else break
    } else break
  }
  return { flags: flagOrder.filter((flag) => seen.has(flag)), ownArgv0, path: word.slice(index) }
}

const flagOrder: readonly ExecFlag[] = ['ignore-failure', 'privileged', 'no-setuid', 'ambient', 'no-env-expand']

const nameBytesMax = 255
const pathBytesMax = 4096

const isFileName = (name: string): boolean =>
  name !== '' && name !== '.' && name !== '..' && !name.includes('/') && byteLength(name) <= nameBytesMax

const isPath = (path: string): boolean =>
  byteLength(path) < pathBytesMax && path.split('/').every((part) => byteLength(part) <= nameBytesMax)
