/**
 * One assignment as systemd 252 takes it: the value it keeps, and what it says about it. Messages are systemd's.
 * Rules: spec/unit-files.md §1.4, §3, §4.4. Types without a reader are kept as they are, unchecked.
 */
import { err, type Result } from '@cluster/prelude'
import { isInterfaceName, isNetlinkAddress, listenAddressKind } from './address.ts'
import { isCalendarExpression } from './calendar.ts'
import { isAssignment, isVariableName } from './exec-environment.ts'
import { type ExpandWord, parseExecLine } from './exec-line.ts'
import type { OptionType } from './known-options.ts'
import {
  addressPrefixes,
  bpfProgram,
  deviceAndAccess,
  deviceAndBandwidth,
  deviceAndTime,
  deviceAndWeight,
  interfaceNames,
  socketBindRule,
} from './read-device-value.ts'
import {
  base64,
  bindPaths,
  coredumpFilter,
  credentialPath,
  credentialText,
  errorNumber,
  imageOptions,
  images,
  label,
  logFields,
  logNamespace,
  namespaces,
  personality,
  relativeDirectories,
  rootHash,
  rootHashSignature,
  systemCalls,
  temporaryFileSystems,
} from './read-sandbox-value.ts'
import type { ValueFinding } from './unit-message.ts'
import { isUnitName, parseUnitName } from './unit-name.ts'
import {
  error,
  expanded,
  ignored,
  invalidSyntax,
  kept,
  type Reader,
  readPath,
  readWords,
  refused,
  type ValueInput,
  type ValueReading,
  warning,
} from './value-reading.ts'
import {
  isDocumentationUrl,
  isExitStatusOrSignal,
  isUserOrGroup,
  type NumberError,
  parseBoolean,
  parseInteger,
  parseMicroseconds,
  parseMode,
  parseNanoseconds,
  parsePermyriad,
  parseSignal,
  parseSize,
  parseTimeSpan,
  parseUnsigned,
  parseUnsigned64,
} from './values.ts'
import {
  escapedWords,
  nextField,
  plainRawWords,
  plainWords,
  quotedRawWords,
  quotedWords,
  splitWords,
  unescapeText,
  wordsUntilError,
} from './words.ts'

/** Keys about which systemd says that they are obsolete, whatever their value is, and what it names instead. */
const obsoleteKeys: Readonly<Record<string, string>> = {
  BlockIODeviceWeight: 'IO*= settings',
  BlockIOReadBandwidth: 'IO*= settings',
  BlockIOWriteBandwidth: 'IO*= settings',
  CPUShares: 'CPUWeight=',
  MemoryLimit: 'MemoryMax=',
  StartupCPUShares: 'CPUWeight=',
}

/** Who kills for want of memory looks at services, scopes and slices only. */
const isUnsupported = (section: string, key: string): boolean =>
  /^ManagedOOM(?:Swap|MemoryPressure)/.test(key) && /^(?:Socket|Mount|Swap)$/.test(section)

const obsoleteDependencies: Readonly<Record<string, string>> = {
  RequiresOverridable: 'Requires',
  RequisiteOverridable: 'Requisite',
}

/** What systemd says about an assignment even if it only resets a key. */
export function resetFindings(key: string, section = ''): readonly ValueFinding[] {
  if (isUnsupported(section, key)) return [warning(`${key}= is not supported for this unit type, ignoring.`)]
  const dependency = obsoleteDependencies[key]
  if (dependency !== undefined) {
    const advice = `replacing by ${dependency}=, please update your unit file`
    return [warning(`Unit dependency type ${key}= is obsolete, ${advice}`)]
  }
  const instead = obsoleteKeys[key]
  if (instead === undefined) return []
  return [warning(`Unit uses ${key}=; please use ${instead} instead. Support for ${key}= will be removed soon.`)]
}

/** The reading of one value by the type of its key. */
export function readValue(input: ValueInput): ValueReading {
  if (isUnsupported(input.section, input.key)) return ignored(...resetFindings(input.key, input.section))
  const reader = readers[input.option.type]
  if (reader !== undefined) return reader(input)
  return input.option.specifiers ? expanded(input, kept) : kept(input.value)
}

const single =
  (complaint: string, accepts: (value: string) => boolean): Reader =>
  ({ value }) =>
    accepts(value) ? kept(value) : ignored(warning(`${complaint}, ignoring: ${value}`))

const boolean: Reader = ({ key, value }) => {
  if (parseBoolean(value) !== undefined) return kept(value)
  // a user that cannot be told must not be root
  if (key === 'DynamicUser') return refused(error(`Failed to parse boolean value: ${value}`))
  return ignored(warning(`Failed to parse boolean value, ignoring: ${value}`))
}

const swapPriority: Reader = ({ value }) => {
  const number = parseInteger(value, { min: -2_147_483_648, max: 2_147_483_647 })
  if (!number.ok) return ignored(warning(`Invalid swap priority '${value}', ignoring.`))
  if (number.value < -1) {
    return ignored(
      warning(`Sorry, swap priorities smaller than -1 may only be assigned by the kernel itself, ignoring: ${value}`),
    )
  }
  return number.value <= 32_767 ? kept(value) : ignored(warning(`Swap priority out of range, ignoring: ${value}`))
}

const integer: Reader = (input) => {
  const { section, key, value } = input
  if (section === 'Swap') return swapPriority(input)
  const max = key.startsWith('MessageQueue') ? 2 ** 63 : 2_147_483_647
  const kind = key.startsWith('MessageQueue') ? 'long' : 'int'
  return parseInteger(value, { min: -max - 1, max }).ok
    ? kept(value)
    : ignored(warning(`Failed to parse ${kind} value, ignoring: ${value}`))
}

/** Elements of letters, digits, `-` and `_`, at least two; only those of a unique name begin with digits. */
const isBusName = (name: string): boolean =>
  name.length <= 255 && /^(?::[\w-]+(?:\.[\w-]+)+|[A-Za-z_-][\w-]*(?:\.[A-Za-z_-][\w-]*)+)$/.test(name)

/** Specifiers that names of units do not have: those that stand for paths and their like. */
const pathSpecifiers = /^(?:[^%]|%[^IJPfhtsSCLETVdcrRyY])*%[IJPfhtsSCLETVdcrRyY]/

const inNames =
  (expand: ExpandWord): ExpandWord =>
  (name) =>
    pathSpecifiers.test(name) ? err({ message: 'Invalid slot' }) : expand(name)

function expandName(input: ValueInput, read: (name: string) => ValueReading): ValueReading {
  const name = inNames(input.expand)(input.value)
  if (name.ok) return read(name.value)
  return ignored(warning(`Failed to resolve unit specifiers in ${input.value}, ignoring: ${name.error.message}`))
}

const isTemplate = (name: string): boolean => {
  const parts = parseUnitName(name)
  return parts.ok && parts.value.kind === 'template'
}

const serviceName: Reader = (input) =>
  expandName(input, (name) => {
    if (!name.endsWith('.service')) return ignored(warning(`Unit must be of type service, ignoring: ${input.value}`))
    const reason = isTemplate(name) ? 'is missing the instance name' : isUnitName(name) ? undefined : 'is not valid'
    if (reason === undefined) return kept(name)
    return ignored(warning(`Failed to load unit ${name}, ignoring: Unit name ${name} ${reason}.`))
  })

const unitSuffix = /^[^/]+\.(?:service|socket|target|device|mount|automount|swap|timer|path|slice|scope)$/

const triggeredUnit: Reader = (input) => {
  if (input.isSet) return ignored(warning(`Multiple units to trigger specified, ignoring: ${input.value}`))
  return expandName(input, (name) => {
    if (!unitSuffix.test(name)) return ignored(warning(`Unit type not valid, ignoring: ${input.value}`))
    if (name === input.unitName) return ignored(warning(`Units cannot trigger themselves, ignoring: ${input.value}`))
    const unit = resolveDependency(input.unitName, name)
    return unit === undefined
      ? ignored(warning(`Failed to add trigger on ${name}, ignoring: Invalid argument`))
      : kept(unit)
  })
}

const pathTrigger: Reader = (input) =>
  expanded(input, (text) => {
    const path = readPath(input.key, text)
    return typeof path === 'string' ? kept(path) : ignored(path)
  })

const listenAddress: Reader = (input) =>
  expanded(input, (text) => {
    const badAddress = ignored(warning(`Failed to parse address value in '${text}', ignoring: Invalid argument`))
    if (input.key === 'ListenNetlink') return isNetlinkAddress(text) ? kept(text) : badAddress
    if (!/^Listen(?:Stream|Datagram|SequentialPacket)$/.test(input.key)) {
      const path = readPath(input.key, text)
      return typeof path === 'string' ? kept(path) : ignored(path)
    }
    const kind = listenAddressKind(text)
    if (kind === undefined) return badAddress
    if (kind !== 'unix' && input.key === 'ListenSequentialPacket') {
      return ignored(warning(`Address family not supported, ignoring: ${input.value}`))
    }
    return kept(text)
  })

/** Paths of which the first that is wrong loses the rest of the line. */
const paths: Reader = (input) => {
  const { key, value } = input
  const isOne = key === 'IPIngressFilterPath' || key === 'IPEgressFilterPath'
  if (isOne) return pathTrigger(input)
  const reading = readWords(input, quotedWords, invalidSyntax, (word) => readPath(key, word))
  if (key !== 'Symlinks' || reading.findings.length === 0) return reading
  const values: string[] = []
  for (const word of wordsUntilError(value, quotedWords).words) {
    const text = input.expand(word)
    const path = text.ok ? readPath(key, text.value) : undefined
    if (typeof path !== 'string') break
    values.push(path)
  }
  return { values, findings: reading.findings.slice(0, 1) }
}

const colonSeparatedPaths: Reader = (input) => {
  const { key, value } = input
  const values: string[] = []
  for (let start: number | undefined = 0; start !== undefined; ) {
    const field = nextField(value, start, { ...plainWords, separators: ':' })
    if (!field.ok) return { values, findings: [warning(`Failed to extract first word, ignoring: ${value}`)] }
    const { word, rest, separator } = field.value
    const text = input.expand(word)
    const path = text.ok
      ? readPath(key, text.value)
      : warning(`Failed to resolve unit specifiers in '${word}', ignoring: ${text.error.message}`)
    if (typeof path !== 'string') return { values, findings: [path] }
    values.push(path)
    start = separator === undefined ? undefined : rest
  }
  return { values, findings: [] }
}

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
    overflow = outside,
  ): Reader =>
  ({ value }) => {
    const number = parseInteger(value, { min: -2_147_483_648, max: 2_147_483_647 })
    if (!number.ok && number.error.message === 'Invalid argument') {
      return ignored(warning(unreadable(value, number.error.message)))
    }
    if (!number.ok) return ignored(warning(overflow(value)))
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
  const { key, unitName } = input
  const reading = readWords(
    { ...input, expand: inNames(input.expand) },
    plainRawWords,
    invalidSyntax,
    (word) => resolveDependency(unitName, word) ?? dependencyFailure(word),
  )
  return { ...reading, findings: [...resetFindings(key), ...reading.findings] }
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
    // blanks behind `|` are skipped, behind `!` they belong to the text of a path
    const prefix = (isPath ? /^(?:\|[ \t\n\r]*)?!?/ : /^(?:\|[ \t\n\r]*)?(?:![ \t\n\r]*)?/).exec(value)?.[0] ?? ''
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

/** What systemd stores for no limit; as a number it is none. */
const infinite = 18_446_744_073_709_551_615n

const memorySize: Reader = ({ key, value }) => {
  const advice = resetFindings(key)
  if (value === 'infinity') return { values: [value], findings: advice }
  const share = parsePermyriad(value)
  const isShare = share !== undefined && share <= 10_000
  const size = isShare ? undefined : parseSize(value)
  if (size !== undefined && !size.ok) {
    return ignored(warning(`Invalid memory limit '${value}', ignoring: ${size.error.message}`))
  }
  const isZero = isShare ? share === 0 : size?.value === 0n
  const isLargest = size?.value === infinite
  if (isLargest || (isZero && !/Low$|Min$|^MemorySwapMax$/.test(key))) {
    return ignored(warning(`Memory limit '${value}' out of range, ignoring.`))
  }
  return { values: [value], findings: advice }
}

const tasks: Reader = ({ value }) => {
  const share = parsePermyriad(value)
  if (value === 'infinity' || (share !== undefined && share <= 10_000)) return kept(value)
  const count = parseUnsigned64(value)
  if (!count.ok) return ignored(warning(`Invalid maximum tasks value '${value}', ignoring: ${count.error.message}`))
  const isInRange = count.value > 0n && count.value < infinite
  return isInRange ? kept(value) : ignored(warning(`Maximum tasks value '${value}' out of range, ignoring.`))
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
    const time = key === 'LimitRTTIME' ? parseMicroseconds(text) : parseTimeSpan(text)
    return time === 'infinity' ? Number.POSITIVE_INFINITY : time
  }
  const count = sizeLimits.has(key) ? parseSize(text) : parseUnsigned64(text)
  return count.ok && count.value < infinite ? count.value : undefined
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
  ManagedOOMSwap: ['Invalid syntax', 'auto kill'],
  ManagedOOMMemoryPressure: ['Invalid syntax', 'auto kill'],
  OOMPolicy: ['Failed to parse OOM policy', 'continue stop kill'],
  ProcSubset: ['Failed to parse /proc/ subset mode', 'all pid'],
  ProtectProc: ['Failed to parse /proc/ protection mode', 'default noaccess invisible ptraceable'],
  TimeoutStartFailureMode: ['Failed to parse timeout failure mode', 'terminate abort kill'],
  TimeoutStopFailureMode: ['Failed to parse timeout failure mode', 'terminate abort kill'],
  UtmpMode: ['Failed to parse utmp mode', 'init login user'],
  Timestamping: ['Failed to parse timestamping precision', 'off us usec µs ns nsec'],
  MountFlags: ['Failed to parse mount flag', 'shared slave private'],
  BindIPv6Only: ['Failed to parse bind IPv6 only value', 'default both ipv6-only'],
  SocketProtocol: ['Failed to parse socket protocol', 'udplite sctp'],
  CPUSchedulingPolicy: ['Failed to parse CPU scheduling policy', 'other batch idle fifo rr'],
  IOSchedulingClass: ['Failed to parse IO scheduling class', 'none realtime best-effort idle'],
  NUMAPolicy: ['Invalid NUMA policy type', 'default preferred bind interleave local'],
  ProtectHome: ['Failed to parse protect home value', 'read-only tmpfs'],
  ProtectSystem: ['Failed to parse protect system value', 'full strict'],
  RuntimeDirectoryPreserve: ['Failed to parse runtime directory preserve mode', 'restart'],
}

/** Words that may be given by their number instead, and the largest one. */
const enumerationNumbers: Readonly<Record<string, number>> = {
  CPUSchedulingPolicy: 2_147_483_647,
  IOSchedulingClass: 8,
}

/** Words of which a boolean may stand in for one, though not by their type. */
const booleanEnumerations = new Set(['BindIPv6Only', 'Timestamping'])

const enumeration: Reader = ({ key, value, option }) => {
  const known = enumerations[key]
  if (known === undefined) return kept(value)
  const [complaint, words] = known
  const isWord = words.split(/\s+/).includes(value)
  const numberMax = enumerationNumbers[key]
  const isNumber = numberMax !== undefined && parseInteger(value, { min: 0, max: numberMax }).ok
  const takesBoolean = option.type !== 'enum' || booleanEnumerations.has(key)
  if (!isWord && !isNumber && !(takesBoolean && parseBoolean(value) !== undefined)) {
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

const assignments: Reader = (input) => {
  if (input.key === 'LogExtraFields') return logFields(input)
  return readWords(
    input,
    escapedWords,
    invalidSyntax,
    (word) => (isAssignment(word) ? word : warning(`Invalid environment assignment, ignoring: ${word}`)),
    (word, message) => `Failed to resolve specifiers in ${word}, ignoring: ${message}`,
  )
}

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

const rebootArgument: Reader = (input) =>
  expanded(input, (argument) =>
    /^[\0-\x7f]{1,255}$/.test(argument)
      ? kept(argument)
      : ignored(warning(`Invalid reboot parameter '${argument}', ignoring.`)),
  )

const sliceName: Reader = (input) =>
  expandName(input, (name) => {
    const reason = isTemplate(name) ? 'is missing the instance name' : isUnitName(name) ? undefined : 'is not valid'
    if (reason !== undefined) {
      return ignored(warning(`Failed to load slice unit ${name}, ignoring: Unit name ${name} ${reason}.`))
    }
    // the parent of a slice follows from its name
    if (name.endsWith('.slice') && input.section !== 'Slice') return kept(name)
    return ignored(warning(`Failed to assign slice ${name} to unit ${input.unitName}, ignoring: Invalid argument`))
  })

const socketNames: Reader = (input) =>
  readWords(
    { ...input, expand: inNames(input.expand) },
    plainWords,
    (value) => `Trailing garbage in sockets, ignoring: ${value}`,
    (word) => {
      if (!word.endsWith('.socket')) return warning(`Unit must be of type socket, ignoring: ${word}`)
      return resolveDependency(input.unitName, word) ?? dependencyFailure(word)
    },
  )

const cpusMax = 8192
/** One more than this is zero for systemd, which has a place. */
const wrapsAround = 4_294_967_295

const cpuList: Reader = (input) => {
  const { key, option } = input
  const text = option.specifiers ? input.expand(input.value) : ({ ok: true, value: input.value } as const)
  if (!text.ok) {
    return ignored(warning(`Failed to resolve unit specifiers in '${input.value}', ignoring: ${text.error.message}`))
  }
  const words = wordsUntilError(text.value, { ...quotedWords, separators: ', \t\n\r' })
  const values: string[] = []
  const findings: ValueFinding[] = []
  for (const word of words.words) {
    const [first = '', last = first, ...more] = word.split('-')
    const low = parseUnsigned(first)
    const high = parseUnsigned(last)
    if (!low.ok || !high.ok || more.length > 0) return ignored(error(`Failed to parse CPU affinity '${word}'`))
    if (low.value > high.value) {
      findings.push(warning(`Range '${word}' is invalid, ${low.value} > ${high.value}, ignoring.`))
      continue
    }
    if (high.value >= cpusMax && high.value !== wrapsAround) {
      return ignored(...findings, error(`Cannot add CPU ${high.value} to set: Numerical result out of range`))
    }
    values.push(word)
  }
  if (words.error !== undefined) return ignored(...findings, error(`Invalid value for ${key}: ${text.value}`))
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
  boolean,
  condition: condition(false),
  'condition path': condition(true),
  enum: enumeration,
  'boolean or enum': enumeration,
  'boolean or restart': enumeration,
  URLs: (input) => {
    const { values = [], findings } = readWords(
      input,
      quotedRawWords,
      invalidSyntax,
      (word) => word,
      (word, message) => `Failed to resolve unit specifiers in ${word}, ignoring: ${message}`,
    )
    // looked at when all words are known
    const bad = values.filter((url) => !isDocumentationUrl(url))
    return {
      values: values.filter(isDocumentationUrl),
      findings: [...findings, ...bad.map((url) => warning(`Invalid URL, ignoring: ${url}`))],
    }
  },
  'exit status': ({ key, value }) =>
    parseInteger(value, { min: 0, max: 255 }).ok
      ? kept(value)
      : ignored(warning(`Failed to parse ${key}=, ignoring: ${value}`)),
  'time span, 0 = infinity': timeSpan,
  'time span': timeSpan,
  'time span or empty': timeSpan,
  'time span, empty = infinity': timeSpan,
  'time span in nanoseconds': single('Failed to parse nsec value', (value) => parseNanoseconds(value) !== undefined),
  paths,
  path: pathOption,
  'path, ~ or - prefix': workingDirectory,
  'path with - prefix': environmentFile,
  'paths with - and + prefixes': pathsWithPrefixes,
  'paths, colon separated': colonSeparatedPaths,
  'relative directories': relativeDirectories,
  'unsigned integer': single('Failed to parse unsigned value', (value) => parseUnsigned(value).ok),
  integer,
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
    { min: 0, max: 99 },
    (value) => `Failed to parse CPU scheduling priority, ignoring: ${value}`,
    (value) => `CPU scheduling priority is out of range, ignoring: ${value}`,
    (value) => `Failed to parse CPU scheduling priority, ignoring: ${value}`,
  ),
  'weight, 1 to 10000': weightIn(1, 10_000, 'Invalid weight'),
  'weight, 10 to 1000': weightIn(10, 1000, 'Invalid block IO weight'),
  'weight, 1 to 10000, or idle': weightIn(1, 10_000, 'Invalid CPU weight', ['idle']),
  'weight, 2 to 262144': (input) => {
    const reading = weightIn(2, 262_144, 'Invalid CPU shares')(input)
    return { ...reading, findings: [...resetFindings(input.key), ...reading.findings] }
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
  'log level': single(
    'Failed to parse log level',
    (value) => logLevels.has(value) || parseInteger(value, { min: 0, max: 7 }).ok,
  ),
  'log facility': single(
    'Failed to parse log facility',
    (value) => logFacilities.has(value) || parseInteger(value, { min: 0, max: 127 }).ok,
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
  'system calls': systemCalls,
  'boolean or controllers': (input) => {
    const { section, key, value } = input
    if (section !== 'Service' && section !== 'Scope') {
      return ignored(warning(`${key}= setting not supported for this unit type, ignoring.`))
    }
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
      (word) =>
        !word.replace(/^~/, '').startsWith('@') || fileSystemGroups.has(word.replace(/^~/, ''))
          ? word
          : warning(`bpf-lsm: Unknown filesystem group, ignoring: ${word}`),
    ),
  text: (input) => {
    const text = unescapeText(input.value)
    if (text === undefined) {
      return ignored(warning(`Failed to decode C escaped text '${input.value}', ignoring: Invalid argument`))
    }
    return expanded({ ...input, value: text }, kept)
  },
  'timer trigger': timerTrigger,
  'address prefixes': addressPrefixes,
  base64,
  'bind paths': bindPaths,
  'bus name': (input) =>
    expanded(input, (name) => (isBusName(name) ? kept(name) : ignored(warning(`Invalid bus name, ignoring: ${name}`)))),
  'cpu list or numa': (input) => (input.value === 'numa' ? kept('numa') : cpuList(input)),
  'device and access': deviceAndAccess,
  'device and bandwidth, base 1000': deviceAndBandwidth,
  'device and time span': deviceAndTime,
  'device and weight': deviceAndWeight,
  'errno or kill': errorNumber,
  flags: coredumpFilter,
  'id:path': credentialPath,
  'id:text': credentialText,
  images,
  'integer or enum': ({ value }) =>
    /^(?:low-delay|throughput|reliability|low-cost)$/.test(value) || parseInteger(value, { min: 0, max: 255 }).ok
      ? kept(value)
      : ignored(warning(`Failed to parse IP TOS value, ignoring: ${value}`)),
  interface: ({ value }) =>
    isInterfaceName(value) ? kept(value) : ignored(warning(`Invalid interface name, ignoring: ${value}`)),
  interfaces: interfaceNames,
  architecture: personality,
  'boolean or namespaces': namespaces,
  label,
  'listen address': listenAddress,
  'mount options': imageOptions,
  name: (input) =>
    expanded(input, (name) =>
      /^[ -9;-~]{1,255}$/.test(name) ? kept(name) : ignored(warning(`Invalid file descriptor name, ignoring: ${name}`)),
    ),
  'node list': (input) => {
    if (input.value === 'all') return kept('all')
    const reading = cpuList(input)
    if (reading.values !== undefined) return reading
    return ignored(...reading.findings, warning(`Failed to parse NUMA node mask, ignoring: ${input.value}`))
  },
  'path or base64': rootHashSignature,
  'path or hex': rootHash,
  'path trigger': pathTrigger,
  'path:options': temporaryFileSystems,
  'service name': serviceName,
  'socket bind rules': socketBindRule,
  string: (input) => {
    if (input.key === 'LogNamespace') return logNamespace(input)
    if (input.section === 'Unit' && input.key.endsWith('RebootArgument')) return rebootArgument(input)
    return input.option.specifiers ? expanded(input, kept) : kept(input.value)
  },
  'type:path': bpfProgram,
  'unit name': triggeredUnit,
}

const fileSystemGroups = new Set(
  `@basic-api @anonymous @application @auxiliary-api @common-block @historical-block @known @network @privileged-api
   @security @temporary`.split(/\s+/),
)

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
