/**
 * One assignment as systemd 252 takes it: the value it keeps, and what it says about it. Messages are systemd's.
 * Rules: spec/unit-files.md §1.4, §3, §4.4. Types without a reader below are kept as they are, unchecked.
 */
import type { Result } from '@cluster/prelude'
import { isCalendarExpression } from './calendar.ts'
import { isAssignment, isVariableName } from './exec-environment.ts'
import { type ExecCommand, type ExpandWord, parseExecLine } from './exec-line.ts'
import type { KnownOption, OptionType } from './known-options.ts'
import { isNormalizedPath, simplifyPath } from './path-text.ts'
import type { ValueFinding } from './unit-message.ts'
import { isUnitName, parseUnitName } from './unit-name.ts'
import {
  isDocumentationUrl,
  isExitStatusOrSignal,
  isUserOrGroup,
  type NumberError,
  parseBoolean,
  parseInteger,
  parseMode,
  parsePermyriad,
  parseSignal,
  parseSize,
  parseTimeSpan,
  parseUnsigned,
} from './values.ts'
import {
  escapedWords,
  firstWord,
  plainRawWords,
  plainWords,
  quotedRawWords,
  quotedWords,
  splitWords,
  unescapeText,
  type WordError,
  type WordSyntax,
  wordsUntilError,
} from './words.ts'

/** What becomes of a value. */
export type ValueReading = {
  /** What is kept: the words of a list, one entry for a single value; absent when the assignment is ignored. */
  readonly values?: readonly string[]
  readonly commands?: readonly ExecCommand[]
  readonly findings: readonly ValueFinding[]
  /** Reading of the file ends here and, if it is the main file, the unit is refused. */
  readonly stop?: 'bad-setting' | 'error'
}

/** A non-empty value (or an empty one that is no reset) and where it stands. */
export type ValueInput = {
  readonly unitName: string
  readonly section: string
  readonly key: string
  readonly value: string
  readonly option: KnownOption
  readonly expand: ExpandWord
}

type Reader = (input: ValueInput) => ValueReading

const warning = (text: string): ValueFinding => ({ priority: 'warning', text })
const error = (text: string): ValueFinding => ({ priority: 'error', text })
const kept = (value: string): ValueReading => ({ values: [value], findings: [] })
const ignored = (...findings: readonly ValueFinding[]): ValueReading => ({ findings })
const refused = (finding: ValueFinding): ValueReading => ({ findings: [finding], stop: 'bad-setting' })

/** The reading of one value by the type of its key. */
export function readValue(input: ValueInput): ValueReading {
  const reader = readers[input.option.type]
  if (reader !== undefined) return reader(input)
  return input.option.specifiers ? expanded(input, kept) : kept(input.value)
}

/** The whole value with specifiers replaced, then `read`. */
function expanded(input: ValueInput, read: (value: string) => ValueReading): ValueReading {
  const value = input.expand(input.value)
  if (value.ok) return read(value.value)
  return ignored(warning(`Failed to resolve unit specifiers in '${input.value}', ignoring: ${value.error.message}`))
}

/** Each word by itself; a bad one is left out. */
function readWords(
  input: ValueInput,
  syntax: WordSyntax,
  invalid: (value: string, broken: WordError['kind']) => string,
  readWord: (word: string) => string | ValueFinding,
  unresolved = (word: string, message: string): string =>
    `Failed to resolve unit specifiers in '${word}', ignoring: ${message}`,
): ValueReading {
  const { words, error: broken } = wordsUntilError(input.value, syntax)
  const values: string[] = []
  const findings: ValueFinding[] = []
  for (const word of words) {
    const text: Result<string, { readonly message: string }> = input.option.specifiers
      ? input.expand(word)
      : { ok: true, value: word }
    const read = text.ok ? readWord(text.value) : warning(unresolved(word, text.error.message))
    if (typeof read === 'string') values.push(read)
    else findings.push(read)
  }
  if (broken !== undefined) findings.push(warning(invalid(input.value, broken.kind)))
  return { values, findings }
}

const invalidSyntax = (value: string): string => `Invalid syntax, ignoring: ${value}`

/** An absolute normalized path, simplified, or systemd's complaint. */
function readPath(key: string, path: string, ending = ', ignoring'): string | ValueFinding {
  if (!path.startsWith('/')) return error(`${key}= path is not absolute${ending}: ${path}`)
  const simple = simplifyPath(path)
  return isNormalizedPath(simple) ? simple : error(`${key}= path is not normalized${ending}: ${simple}`)
}

const single =
  (complaint: string, accepts: (value: string) => boolean): Reader =>
  ({ value }) =>
    accepts(value) ? kept(value) : ignored(warning(`${complaint}, ignoring: ${value}`))

const timeSpan: Reader = ({ section, key, value, option }) => {
  if (parseTimeSpan(value) !== undefined) return kept(value)
  const isServiceTimeout = section === 'Service' && (key === 'TimeoutSec' || key === 'TimeoutStartSec')
  if (isServiceTimeout || key === 'JobTimeoutSec' || key === 'JobRunningTimeoutSec') {
    return ignored(warning(`Failed to parse ${key}= parameter, ignoring: ${value}`))
  }
  if (key === 'TimeoutAbortSec') return ignored(warning(`Failed to parse ${key}= setting, ignoring: ${value}`))
  const kind = option.type === 'time span, 0 = infinity' ? 'time' : 'sec'
  return ignored(warning(`Failed to parse ${kind} value, ignoring: ${value}`))
}

const integerIn =
  (
    { min, max }: { readonly min: number; readonly max: number },
    unreadable: (value: string, message: string) => string,
    outside: (value: string) => string,
  ): Reader =>
  ({ value }) => {
    const number = parseInteger(value, { min: -2_147_483_648, max: 2_147_483_647 })
    if (!number.ok) return ignored(warning(unreadable(value, number.error.message)))
    return number.value >= min && number.value <= max ? kept(value) : ignored(warning(outside(value)))
  }

const weightIn =
  (min: number, max: number, complaint: string, words: readonly string[] = []): Reader =>
  ({ value }) => {
    const number = parseUnsigned(value)
    const fits = words.includes(value) || (number.ok && number.value >= min && number.value <= max)
    return fits ? kept(value) : ignored(warning(`${complaint}, ignoring: ${value}`))
  }

const readCommandLine: Reader = ({ value, expand }) => {
  const { commands, findings, fatal } = parseExecLine(value, expand)
  return fatal ? { commands, findings, stop: 'bad-setting' } : { commands, findings }
}

/** A dependency, with a template filled in for this unit. */
function resolveDependency(unitName: string, name: string): string | undefined {
  const parts = parseUnitName(name)
  if (!parts.ok) return undefined
  if (parts.value.kind !== 'template') return name
  const own = parseUnitName(unitName)
  if (!own.ok) return undefined
  const filled = `${parts.value.prefix}@${own.value.instance === '' ? own.value.prefix : own.value.instance}.${parts.value.type}`
  return isUnitName(filled) ? filled : undefined
}

const dependencyFailure = (name: string): ValueFinding =>
  warning(`Failed to add dependency on ${name}, ignoring: Invalid argument`)

const dependencies: Reader = (input) => {
  const { key, unitName, option } = input
  const reading = readWords(
    input,
    plainRawWords,
    invalidSyntax,
    (word) => resolveDependency(unitName, word) ?? dependencyFailure(word),
  )
  if (key !== 'RequiresOverridable' && key !== 'RequisiteOverridable') return reading
  const advice = `Unit dependency type ${key}= is obsolete, replacing by ${option.replacedBy}=, please update your unit file`
  return { ...reading, findings: [warning(advice), ...reading.findings] }
}

const pathsWithPrefixes: Reader = (input) =>
  readWords(
    input,
    quotedWords,
    (value) => `Failed to extract first word, ignoring: ${value}`,
    (word) => {
      const prefix = /^-?\+?/.exec(word)?.[0] ?? ''
      const path = readPath(input.key, word.slice(prefix.length))
      return typeof path === 'string' ? prefix + path : path
    },
    (word, message) => `Failed to resolve unit specifiers in ${word}, ignoring: ${message}`,
  )

const relativeDirectories: Reader = (input) =>
  readWords(
    input,
    escapedWords,
    (value, broken) =>
      broken === 'open-quote'
        ? `Invalid syntax ${input.key}=${value}, ignoring: Invalid argument`
        : `Invalid syntax in ${input.key}=, ignoring: ${value}`,
    (word) => {
      const path = word.split(':')[0] ?? ''
      if (path.startsWith('/')) return error(`${input.key}= path is absolute, ignoring: ${path}`)
      const simple = simplifyPath(path)
      if (!isNormalizedPath(simple)) return error(`${input.key}= path is not normalized, ignoring: ${simple}`)
      if (simple === 'private' || simple.startsWith('private/')) {
        return warning(`${input.key}= path can't be 'private', ignoring assignment: ${word}`)
      }
      return word === path ? simple : word
    },
  )

const pathOption: Reader = (input) => {
  const { key, value, expand } = input
  // a wrong root is not ignored: the program must not run outside of it
  const fatal = key === 'RootDirectory' || key === 'RootImage' || key === 'RootVerity'
  const ending = fatal ? '' : ', ignoring'
  const text = expand(value)
  const complaint = (finding: ValueFinding): ValueReading => (fatal ? refused(finding) : ignored(finding))
  if (!text.ok) {
    const line = `Failed to resolve unit specifiers in '${value}'${ending}: ${text.error.message}`
    return complaint(fatal ? error(line) : warning(line))
  }
  if (key === 'PIDFile') {
    const path = readPath(key, text.value.startsWith('/') ? text.value : `/run/${text.value}`)
    if (typeof path !== 'string') return { findings: [path], stop: 'error' }
    return kept(path.replace(/^\/var\/run\//, '/run/'))
  }
  const path = readPath(key, text.value, ending)
  return typeof path === 'string' ? kept(path) : complaint(path)
}

const workingDirectory: Reader = ({ key, value, expand }) => {
  const tolerated = value.startsWith('-')
  const written = tolerated ? value.slice(1) : value
  if (written === '~') return kept(value)
  const ending = tolerated ? ', ignoring' : ''
  const text = expand(written)
  if (!text.ok) {
    const line = `Failed to resolve unit specifiers in working directory path '${written}'${ending}: ${text.error.message}`
    return tolerated ? ignored(warning(line)) : refused(error(line))
  }
  const path = readPath(key, text.value, ending)
  if (typeof path === 'string') return kept(tolerated ? `-${path}` : path)
  return tolerated ? ignored(path) : refused(path)
}

const environmentFile: Reader = (input) =>
  expanded(input, (text) => {
    const prefix = text.startsWith('-') ? '-' : ''
    const path = readPath(input.key, text.slice(prefix.length))
    return typeof path === 'string' ? kept(prefix + path) : ignored(path)
  })

const condition =
  (isPath: boolean): Reader =>
  ({ key, value, expand }) => {
    // blanks behind `|` are skipped, behind `!` they belong to the text
    const prefix = /^(?:\|[ \t\n\r]*)?!?/.exec(value)?.[0] ?? ''
    const written = value.slice(prefix.length)
    const text = expand(written)
    if (!text.ok) {
      return ignored(warning(`Failed to resolve unit specifiers in '${written}', ignoring: ${text.error.message}`))
    }
    const parameter = isPath ? readPath(key, text.value) : text.value
    if (typeof parameter !== 'string') return ignored(parameter)
    return kept(prefix.replaceAll(/[ \t\n\r]/g, '') + parameter)
  }

const userOrGroup: Reader = ({ value, expand }) => {
  const name = expand(value)
  if (!name.ok) return refused(error(`Failed to resolve unit specifiers in ${value}: ${name.error.message}`))
  return isUserOrGroup(name.value)
    ? kept(name.value)
    : refused(error(`Invalid user/group name or numeric ID: ${name.value}`))
}

const groups: Reader = ({ value, expand }) => {
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

const memorySize: Reader = ({ key, value }) => {
  const advice =
    key === 'MemoryLimit'
      ? [
          warning(
            'Unit uses MemoryLimit=; please use MemoryMax= instead. Support for MemoryLimit= will be removed soon.',
          ),
        ]
      : []
  if (value === 'infinity') return { values: [value], findings: advice }
  const share = parsePermyriad(value)
  const isShare = share !== undefined && share <= 10_000
  const size = isShare ? undefined : parseSize(value)
  if (size !== undefined && !size.ok) {
    return ignored(warning(`Invalid memory limit '${value}', ignoring: ${size.error.message}`))
  }
  const isZero = isShare ? share === 0 : size?.value === 0n
  const isLargest = size?.value === 18_446_744_073_709_551_615n
  if (isLargest || (isZero && !/Low$|Min$|^MemorySwapMax$/.test(key))) {
    return ignored(warning(`Memory limit '${value}' out of range, ignoring.`))
  }
  return { values: [value], findings: advice }
}

const tasks: Reader = ({ value }) => {
  if (value === 'infinity') return kept(value)
  const share = parsePermyriad(value)
  const count = share !== undefined && share <= 10_000 ? undefined : parseInteger(value, { min: 0, max: 2 ** 64 })
  if (count !== undefined && !count.ok) {
    return ignored(warning(`Invalid maximum tasks value '${value}', ignoring: ${count.error.message}`))
  }
  if (count?.value === 0 || share === 0)
    return ignored(warning(`Maximum tasks value '${value}' out of range, ignoring.`))
  return kept(value)
}

const percent: Reader = ({ key, value }) => {
  const share = parsePermyriad(value)
  if (key === 'CPUQuota') {
    return share === undefined || share === 0
      ? ignored(warning(`Invalid CPU quota '${value}', ignoring.`))
      : kept(value)
  }
  if (share !== undefined && share <= 10_000) return kept(value)
  return ignored(warning(`Failed to parse ${key}=, ignoring: ${value}`))
}

const sizeLimits = new Set([
  'LimitAS',
  'LimitCORE',
  'LimitDATA',
  'LimitFSIZE',
  'LimitMEMLOCK',
  'LimitMSGQUEUE',
  'LimitRSS',
  'LimitSTACK',
])

/** A resource limit by its kind; infinity is larger than every number. */
function parseLimit(key: string, text: string): bigint | number | undefined {
  if (key === 'LimitNICE') {
    const number = parseInteger(text, { min: -20, max: 40 })
    if (!number.ok) return undefined
    if (/^[+-]/.test(text)) return number.value > 19 ? undefined : 20 - number.value
    return number.value
  }
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  if (key === 'LimitCPU' || key === 'LimitRTTIME') {
    const plain = key === 'LimitRTTIME' && /^\d+$/.test(text) ? BigInt(text) : parseTimeSpan(text)
    return plain === 'infinity' ? Number.POSITIVE_INFINITY : plain
  }
  if (sizeLimits.has(key)) {
    const size = parseSize(text)
    return size.ok ? size.value : undefined
  }
  const count = parseInteger(text, { min: 0, max: 2 ** 64 })
  return count.ok ? count.value : undefined
}

const limit: Reader = ({ key, value }) => {
  const colon = value.indexOf(':')
  const soft = parseLimit(key, colon === -1 ? value : value.slice(0, colon))
  const hard = colon === -1 ? soft : parseLimit(key, value.slice(colon + 1))
  if (soft === undefined || hard === undefined)
    return ignored(warning(`Failed to parse resource value, ignoring: ${value}`))
  if (soft > hard) return ignored(warning(`Soft resource limit chosen higher than hard limit, ignoring: ${value}`))
  return kept(value)
}

const emergencyActions = `none reboot reboot-force reboot-immediate poweroff poweroff-force poweroff-immediate exit
  exit-force`
const jobModes = `fail replace replace-irreversibly isolate flush ignore-dependencies ignore-requirements triggering`

/** Words of the keys that take one of a few, and what systemd calls them. */
const enumerations: Readonly<Record<string, readonly [complaint: string, words: string]>> = {
  Type: ['Failed to parse service type', 'simple forking exec oneshot dbus notify idle'],
  Restart: [
    'Failed to parse service restart specifier',
    'no on-success on-failure on-abnormal on-watchdog on-abort always',
  ],
  ExitType: ['Failed to parse service exit type', 'main cgroup'],
  NotifyAccess: ['Failed to parse notify access specifier', 'none main exec all'],
  KillMode: ['Failed to parse kill mode specification', 'control-group process mixed none'],
  CollectMode: ['Failed to parse garbage collection mode', 'inactive inactive-or-failed'],
  OnFailureJobMode: ['Failed to parse job mode', jobModes],
  OnSuccessJobMode: ['Failed to parse job mode', jobModes],
  FailureAction: ['Failed to parse FailureAction=', emergencyActions],
  SuccessAction: ['Failed to parse SuccessAction=', emergencyActions],
  StartLimitAction: ['Failed to parse StartLimitAction=', emergencyActions],
  JobTimeoutAction: ['Failed to parse JobTimeoutAction=', emergencyActions],
  DevicePolicy: ['Failed to parse device policy', 'auto closed strict'],
  KeyringMode: ['Failed to parse keyring mode', 'inherit private shared'],
  ManagedOOMPreference: ['Failed to parse ManagedOOMPreference=', 'none avoid omit'],
  ManagedOOMSwap: ['Failed to parse ManagedOOMSwap=', 'auto kill'],
  ManagedOOMMemoryPressure: ['Failed to parse ManagedOOMMemoryPressure=', 'auto kill'],
  OOMPolicy: ['Failed to parse OOM policy', 'continue stop kill'],
  ProcSubset: ['Failed to parse /proc/ subset mode', 'all pid'],
  ProtectProc: ['Failed to parse /proc/ protection mode', 'default noaccess invisible ptraceable'],
  TimeoutStartFailureMode: ['Failed to parse timeout failure mode', 'terminate abort kill'],
  TimeoutStopFailureMode: ['Failed to parse timeout failure mode', 'terminate abort kill'],
  UtmpMode: ['Failed to parse utmp mode', 'init login user'],
  Timestamping: ['Failed to parse timestamping precision', 'off us usec µs ns nsec'],
  CPUSchedulingPolicy: ['Failed to parse CPU scheduling policy', 'other batch idle fifo rr 0 1 2 3 5'],
  IOSchedulingClass: ['Failed to parse IO scheduling class', 'none realtime best-effort idle 0 1 2 3'],
  NUMAPolicy: ['Invalid NUMA policy type', 'default preferred bind interleave local'],
  ProtectHome: ['Failed to parse protect home value', 'read-only tmpfs'],
  ProtectSystem: ['Failed to parse protect system value', 'full strict'],
  RuntimeDirectoryPreserve: ['Failed to parse runtime directory preserve mode', 'restart'],
}

const enumeration: Reader = ({ key, value, option }) => {
  const known = enumerations[key]
  if (known === undefined) return kept(value)
  const [complaint, words] = known
  const isWord = words.split(/\s+/).includes(value)
  if (!isWord && (option.type === 'enum' || parseBoolean(value) === undefined)) {
    return ignored(warning(`${complaint}, ignoring: ${value}`))
  }
  if (key !== 'KillMode' || value !== 'none') return kept(value)
  const advice = warning(
    "Unit uses KillMode=none. This is unsafe, as it disables systemd's process lifecycle management for the service. Please update the service to use a safer KillMode=, such as 'mixed' or 'control-group'. Support for KillMode=none is deprecated and will eventually be removed.",
  )
  return { values: [value], findings: [advice] }
}

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

const output: Reader = (input) => {
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

const standardInput: Reader = ({ key, value, expand }) => {
  if (inputs.has(value) || value.startsWith('fd:')) return kept(value)
  if (!value.startsWith('file:')) return ignored(warning(`Failed to parse input specifier, ignoring: ${value}`))
  const written = value.slice('file:'.length)
  const path = expand(written)
  if (!path.ok) return refused(error(`Failed to resolve unit specifiers in ${written}: ${path.error.message}`))
  const simple = readPath(key, path.value, '')
  return typeof simple === 'string' ? kept(`file:${simple}`) : ignored(simple)
}

const assignments: Reader = (input) =>
  readWords(
    input,
    escapedWords,
    invalidSyntax,
    (word) => {
      if (input.key !== 'Environment') return word
      return isAssignment(word) ? word : warning(`Invalid environment assignment, ignoring: ${word}`)
    },
    (word, message) => `Failed to resolve specifiers in ${word}, ignoring: ${message}`,
  )

const variableNames: Reader = (input) =>
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

const sliceName: Reader = (input) =>
  expanded(input, (name) => {
    if (!isUnitName(name)) {
      return ignored(warning(`Failed to load slice unit ${name}, ignoring: Unit name ${name} is not valid.`))
    }
    if (name.endsWith('.slice')) return kept(name)
    return ignored(warning(`Failed to assign slice ${name} to unit ${input.unitName}, ignoring: Invalid argument`))
  })

const socketNames: Reader = (input) =>
  readWords(
    input,
    plainWords,
    (value) => `Trailing garbage in sockets, ignoring: ${value}`,
    (word) => {
      if (!word.endsWith('.socket')) return warning(`Unit must be of type socket, ignoring: ${word}`)
      return resolveDependency(input.unitName, word) ?? dependencyFailure(word)
    },
  )

const cpuList: Reader = ({ key, value }) => {
  const words = splitWords(value.replaceAll(',', ' '), quotedWords)
  if (!words.ok) return ignored(error(`Invalid value for ${key}: ${value}`))
  const values: string[] = []
  const findings: ValueFinding[] = []
  for (const word of words.value) {
    const [first = '', last = first, ...more] = word.split('-')
    const low = parseUnsigned(first)
    const high = parseUnsigned(last)
    if (!low.ok || !high.ok || more.length > 0) return ignored(error(`Failed to parse CPU affinity '${word}'`))
    if (low.value > high.value) {
      findings.push(warning(`Range '${word}' is invalid, ${low.value} > ${high.value}, ignoring.`))
    } else values.push(word)
  }
  return { values, findings }
}

const size: Reader = ({ value }) => {
  const parsed: Result<bigint, NumberError> = parseSize(value)
  if (parsed.ok) return kept(value)
  return ignored(warning(`Failed to parse size value '${value}', ignoring: ${parsed.error.message}`))
}

const logLevels = new Set(['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'])
const logFacilities = new Set(
  `kern user mail daemon auth syslog lpr news uucp cron authpriv ftp local0 local1 local2 local3 local4 local5 local6
   local7`.split(/\s+/),
)

const systemCalls: Reader = (input) => {
  const rest = input.value.startsWith('~') ? input.value.slice(1) : input.value
  const sign = rest.length < input.value.length ? '~' : ''
  const reading = readWords({ ...input, value: rest }, plainWords, invalidSyntax, (word) => {
    const name = word.split(':')[0] ?? ''
    return /^@?[a-z_][a-z0-9_-]*$/.test(name) ? sign + word : warning(`Failed to parse system call, ignoring: ${word}`)
  })
  return reading
}

const timerTrigger: Reader = (input) =>
  expanded(input, (value) => {
    if (input.key === 'OnCalendar') {
      if (isCalendarExpression(value)) return kept(value)
      return ignored(warning(`Failed to parse calendar specification, ignoring: ${value}`))
    }
    if (parseTimeSpan(value) !== undefined) return kept(value)
    return ignored(warning(`Failed to parse timer value, ignoring: ${value}`))
  })

const readers: Readonly<Partial<Record<OptionType, Reader>>> = {
  'unit names': dependencies,
  boolean: single('Failed to parse boolean value', (value) => parseBoolean(value) !== undefined),
  condition: condition(false),
  'condition path': condition(true),
  enum: enumeration,
  'boolean or enum': enumeration,
  'boolean or restart': enumeration,
  URLs: (input) =>
    readWords(
      input,
      quotedRawWords,
      invalidSyntax,
      (word) => (isDocumentationUrl(word) ? word : warning(`Invalid URL, ignoring: ${word}`)),
      (word, message) => `Failed to resolve unit specifiers in ${word}, ignoring: ${message}`,
    ),
  'exit status': ({ key, value }) =>
    parseInteger(value, { min: 0, max: 255 }).ok
      ? kept(value)
      : ignored(warning(`Failed to parse ${key}=, ignoring: ${value}`)),
  'time span, 0 = infinity': timeSpan,
  'time span': timeSpan,
  'time span or empty': timeSpan,
  'time span, empty = infinity': timeSpan,
  'time span in nanoseconds': single('Failed to parse nsec value', (value) =>
    /^\d+ ?(?:ns|nsec)?$/.test(value) ? true : parseTimeSpan(value) !== undefined,
  ),
  paths: (input) => readWords(input, quotedWords, invalidSyntax, (word) => readPath(input.key, word)),
  path: pathOption,
  'path, ~ or - prefix': workingDirectory,
  'path with - prefix': environmentFile,
  'paths with - and + prefixes': pathsWithPrefixes,
  'paths, colon separated': (input) => {
    const values: string[] = []
    const findings: ValueFinding[] = []
    for (const word of input.value.split(':').filter((part) => part !== '')) {
      const text = input.expand(word)
      const path = text.ok
        ? readPath(input.key, text.value)
        : warning(`Failed to resolve unit specifiers in '${word}', ignoring: ${text.error.message}`)
      if (typeof path === 'string') values.push(path)
      else findings.push(path)
    }
    return { values, findings }
  },
  'relative directories': relativeDirectories,
  'unsigned integer': single('Failed to parse unsigned value', (value) => parseUnsigned(value).ok),
  integer: single(
    'Failed to parse int value',
    (value) => parseInteger(value, { min: -2_147_483_648, max: 2_147_483_647 }).ok,
  ),
  'integer, -20 to 19': integerIn(
    { min: -20, max: 19 },
    (value, message) => `Failed to parse nice priority '${value}', ignoring: ${message}`,
    (value) => `Nice priority out of range, ignoring: ${value}`,
  ),
  'integer, -1000 to 1000': integerIn(
    { min: -1000, max: 1000 },
    (value, message) => `Failed to parse the OOM score adjust value '${value}', ignoring: ${message}`,
    (value) => `OOM score adjust value out of range, ignoring: ${value}`,
  ),
  'integer, 0 to 7': integerIn(
    { min: 0, max: 7 },
    (value) => `Failed to parse IO priority, ignoring: ${value}`,
    (value) => `Failed to parse IO priority, ignoring: ${value}`,
  ),
  'integer, 1 to 99': integerIn(
    { min: 1, max: 99 },
    (value) => `Failed to parse CPU scheduling priority, ignoring: ${value}`,
    (value) => `CPU scheduling priority is out of range, ignoring: ${value}`,
  ),
  'weight, 1 to 10000': weightIn(1, 10_000, 'Invalid weight'),
  'weight, 10 to 1000': weightIn(10, 1000, 'Invalid block IO weight'),
  'weight, 1 to 10000, or idle': weightIn(1, 10_000, 'Invalid CPU weight', ['idle']),
  'weight, 2 to 262144': (input) => {
    const reading = weightIn(2, 262_144, 'Invalid CPU shares value')(input)
    if (reading.values === undefined) return reading
    const advice = `Unit uses ${input.key}=; please use CPUWeight= instead. Support for ${input.key}= will be removed soon.`
    return { ...reading, findings: [warning(advice)] }
  },
  'memory size, percent or infinity': memorySize,
  'unsigned integer, percent or infinity': tasks,
  percent,
  limit,
  'octal mode': single('Failed to parse mode value', (value) => parseMode(value) !== undefined),
  signal: single('Failed to parse signal name', (value) => parseSignal(value) !== undefined),
  'exit statuses and signals': (input) =>
    readWords(
      input,
      plainWords,
      (value) => `Failed to parse value, ignoring: ${value}`,
      (word) => (isExitStatusOrSignal(word) ? word : warning(`Failed to parse value, ignoring: ${word}`)),
    ),
  'user or group': userOrGroup,
  groups,
  command: readCommandLine,
  assignments,
  'variable names': variableNames,
  'variable names or assignments': variableNames,
  'slice name': sliceName,
  'socket names': socketNames,
  'cpu list': cpuList,
  'size, base 1024': size,
  'log level': single('Failed to parse log level', (value) => logLevels.has(value) || /^[0-7]$/.test(value)),
  'log facility': single(
    'Failed to parse log facility',
    (value) => logFacilities.has(value) || /^(?:\d|1\d|2[0-3])$/.test(value),
  ),
  output,
  input: standardInput,
  // unknown names and open quotes vanish without a word
  capabilities: ({ value }) => ({ values: wordsUntilError(value, quotedWords).words, findings: [] }),
  'address families': (input) =>
    readWords(input, quotedWords, invalidSyntax, (word) =>
      isAddressFamily(word.replace(/^~/, '')) ? word : warning(`Failed to parse address family, ignoring: ${word}`),
    ),
  architectures: (input) =>
    readWords(input, quotedWords, invalidSyntax, (word) =>
      /^(?:native|x86|x86-64|x32|arm|arm64|mips\S*|ppc\S*|s390x?|riscv64|parisc\S*|alpha|sparc\S*|ia64|loongarch64)$/.test(
        word,
      )
        ? word
        : warning(`Failed to parse system call architecture "${word}", ignoring: Invalid argument`),
    ),
  'address prefixes': (input) =>
    readWords(input, plainWords, invalidSyntax, (word) =>
      /^(?:any|localhost|link-local|multicast|[\d.]+(?:\/\d+)?|[\da-fA-F:.]*:[\da-fA-F:.]*(?:\/\d+)?)$/.test(word)
        ? word
        : warning(`Address prefix is invalid, ignoring assignment: ${word}`),
    ),
  'system calls': systemCalls,
  'boolean or controllers': (input) => {
    const { value } = input
    if (value === '' || parseBoolean(value) !== undefined) return kept(value === '' ? 'yes' : value)
    return readWords(input, quotedWords, invalidSyntax, (word) =>
      controllers.has(word) ? word : warning(`Invalid controller name '${word}', ignoring`),
    )
  },
  controllers: ({ value }) => {
    // unknown names are passed over as long as one is known
    const names = wordsUntilError(value, plainWords).words.filter((name) => controllers.has(name))
    return names.length > 0
      ? { values: names, findings: [] }
      : ignored(warning(`Invalid cgroup string: ${value}, ignoring`))
  },
  'file systems': (input) =>
    readWords(
      input,
      quotedWords,
      (value) => `Trailing garbage in ${input.key}, ignoring: ${value}`,
      (word) => word,
    ),
  'bind paths': (input) =>
    readWords(
      input,
      quotedWords,
      (value) => `Failed to parse ${input.key}, ignoring: ${value}`,
      (word) => word,
    ),
  'path:options': (input) =>
    readWords(
      input,
      quotedWords,
      (value) => `Failed to extract first word, ignoring: ${value}`,
      (word) => word,
    ),
  'device and access': (input) => {
    const words = splitWords(input.value, quotedWords)
    if (!words.ok || words.value[0] === undefined) {
      return ignored(warning(`Failed to extract device path and rights from '${input.value}', ignoring.`))
    }
    const rights = restOfFirstWord(input.value)
    if (!/^[rwm]*$/.test(rights)) return ignored(warning(`Invalid device rights '${rights}', ignoring.`))
    return kept(input.value)
  },
  text: (input) => {
    const text = unescapeText(input.value)
    if (text === undefined) {
      return ignored(warning(`Failed to decode C escaped text '${input.value}', ignoring: Invalid argument`))
    }
    return expanded({ ...input, value: text }, kept)
  },
  'id:text': (input) => {
    const colon = input.value.indexOf(':')
    const text = input.value.slice(colon + 1)
    if (colon === -1 || unescapeText(text) !== undefined) return kept(input.value)
    return ignored(warning(`Can't unescape "${text}", ignoring: Invalid argument`))
  },
  'timer trigger': timerTrigger,
}

/** The text behind the first word, as it is written. */
function restOfFirstWord(value: string): string {
  const first = firstWord(value, 0, quotedWords)
  return first.ok && first.value !== undefined ? value.slice(first.value.rest) : ''
}

const addressFamilies = new Set(
  `UNSPEC UNIX LOCAL INET AX25 IPX APPLETALK NETROM BRIDGE ATMPVC X25 INET6 ROSE DECnet NETBEUI SECURITY KEY NETLINK ROUTE
   PACKET ASH ECONET ATMSVC RDS SNA IRDA PPPOX WANPIPE LLC IB MPLS CAN TIPC BLUETOOTH IUCV RXRPC ISDN PHONET IEEE802154
   CAIF ALG NFC VSOCK KCM QIPCRTR SMC XDP MCTP`.split(/\s+/),
)

const isAddressFamily = (word: string): boolean =>
  word === '' || word === 'none' || (word.startsWith('AF_') && addressFamilies.has(word.slice('AF_'.length)))

const controllers = new Set(
  `cpu cpuacct cpuset io blkio memory devices pids bpf-firewall bpf-devices bpf-foreign bpf-socket-bind
   bpf-restrict-network-interfaces`.split(/\s+/),
)
