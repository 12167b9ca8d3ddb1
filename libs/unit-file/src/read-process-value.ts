/**
 * Values about how a process starts (its command, user, environment and streams) and which ends of it count as good,
 * as systemd 252 takes them. Messages are systemd's.
 */
import { isAssignment, isVariableName } from './exec-environment.ts'
import { parseExecLine } from './exec-line.ts'
import { logFields } from './read-sandbox-value.ts'
import {
  error,
  ignored,
  invalidSyntax,
  kept,
  type Reader,
  readPath,
  readWords,
  refused,
  single,
  warning,
} from './value-reading.ts'
import { isExitStatusOrSignal, isUserOrGroup, parseInteger, parseSignal } from './values.ts'
import { escapedWords, plainWords, quotedWords, splitWords } from './words.ts'

/** Commands; a bad one refuses the unit. */
export const readCommandLine: Reader = ({ value, expand }) => {
  const { commands, findings, fatal } = parseExecLine(value, expand)
  return fatal ? { commands, findings, stop: 'bad-setting' } : { commands, findings }
}

/** A user or group by name or number; a bad one refuses the unit. */
export const userOrGroup: Reader = ({ value, expand }) => {
  const name = expand(value)
  if (!name.ok) return refused(error(`Failed to resolve unit specifiers in ${value}: ${name.error.message}`))
  return isUserOrGroup(name.value)
    ? kept(name.value)
    : refused(error(`Invalid user/group name or numeric ID: ${name.value}`))
}

/** Groups by name or number; a bad one refuses the unit. */
export const groups: Reader = ({ value, expand }) => {
  const words = splitWords(value, plainWords)
  if (!words.ok) return refused(error(`Invalid syntax: ${value}`))
  const values: string[] = []
  for (const word of words.value) {
    const name = expand(word)
    if (!name.ok)
      return { values, ...refused(error(`Failed to resolve unit specifiers in ${word}: ${name.error.message}`)) }
    if (!isUserOrGroup(name.value)) {
      return { values, ...refused(error(`Invalid user/group name or numeric ID: ${name.value}`)) }
    }
    values.push(name.value)
  }
  return { values, findings: [] }
}

/** Assignments of variables, or of fields of the journal. */
export const assignments: Reader = (input) => {
  if (input.key === 'LogExtraFields') return logFields(input)
  return readWords(
    input,
    escapedWords,
    invalidSyntax,
    (word) => (isAssignment(word) ? word : warning(`Invalid environment assignment, ignoring: ${word}`)),
    (word, message) => `Failed to resolve specifiers in ${word}, ignoring: ${message}`,
  )
}

/** Names of variables, for some keys assignments too. */
export const variableNames: Reader = (input) =>
  readWords(
    input,
    input.key === 'PassEnvironment' ? quotedWords : escapedWords,
    (value) => `Trailing garbage in ${input.key}, ignoring: ${value}`,
    (word) => {
      if (isVariableName(word)) return word
      if (input.key === 'PassEnvironment')
        return warning(`Invalid environment name for ${input.key}, ignoring: ${word}`)
      return isAssignment(word)
        ? word
        : warning(`Invalid environment name or assignment ${input.key}, ignoring: ${word}`)
    },
    (word, message) => `Failed to resolve specifiers in ${word}, ignoring: ${message}`,
  )

const outputs = new Set([
  'inherit',
  'null',
  'tty',
  'journal',
  'kmsg',
  'journal+console',
  'kmsg+console',
  'socket',
  'fd',
])

const obsoleteOutputs: Readonly<Record<string, string>> = { syslog: 'journal', 'syslog+console': 'journal+console' }

/** Where standard output and error go. */
export const output: Reader = (input) => {
  const { key, value, expand } = input
  const replaced = obsoleteOutputs[value]
  if (replaced !== undefined) {
    const text = `Standard output type ${value} is obsolete, automatically updating to ${replaced}. Please update your unit file, and consider removing the setting altogether.`
    return { values: [replaced], findings: [{ priority: 'notice', text }] }
  }
  if (outputs.has(value) || value.startsWith('fd:')) return kept(value)
  const [, kind, written = ''] = /^(file|append|truncate):(.*)$/s.exec(value) ?? []
  if (kind === undefined) return ignored(warning(`Failed to parse output specifier, ignoring: ${value}`))
  const path = expand(written)
  // in spite of its error priority only the assignment is lost, unless a specifier fails
  if (!path.ok) return refused(error(`Failed to resolve unit specifiers in ${written}: ${path.error.message}`))
  const simple = readPath(key, path.value, '')
  return typeof simple === 'string' ? kept(`${kind}:${simple}`) : ignored(simple)
}

const inputs = new Set(['null', 'tty', 'tty-force', 'tty-fail', 'socket', 'fd', 'data'])

/** Where standard input comes from. */
export const standardInput: Reader = ({ key, value, expand }) => {
  if (inputs.has(value) || value.startsWith('fd:')) return kept(value)
  if (!value.startsWith('file:')) return ignored(warning(`Failed to parse input specifier, ignoring: ${value}`))
  const written = value.slice('file:'.length)
  const path = expand(written)
  if (!path.ok) return refused(error(`Failed to resolve unit specifiers in ${written}: ${path.error.message}`))
  const simple = readPath(key, path.value, '')
  return typeof simple === 'string' ? kept(`file:${simple}`) : ignored(simple)
}

/** A signal by name or number. */
export const signal: Reader = single('Failed to parse signal name', (value) => parseSignal(value) !== undefined)

/** The exit status that an action of the unit gives to the manager. */
export const exitStatus: Reader = ({ key, value }) =>
  parseInteger(value, { min: 0, max: 255 }).ok
    ? kept(value)
    : ignored(warning(`Failed to parse ${key}=, ignoring: ${value}`))

/** Ends of a process, by number or name. */
export const exitStatusesAndSignals: Reader = (input) =>
  readWords(
    input,
    plainWords,
    (value) => `Failed to parse value, ignoring: ${value}`,
    (word) => (isExitStatusOrSignal(word) ? word : warning(`Failed to parse value, ignoring: ${word}`)),
  )
