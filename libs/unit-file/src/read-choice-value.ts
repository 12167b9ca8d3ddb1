/** Values that are one or some of a fixed set of words, as systemd 252 takes them. Messages are systemd's. */
import {
  error,
  ignored,
  invalidSyntax,
  kept,
  type Reader,
  readWords,
  refused,
  single,
  warning,
} from './value-reading.ts'
import { parseBoolean, parseInteger } from './values.ts'
import { plainWords, quotedWords, wordsUntilError } from './words.ts'

/** Yes or no; a bad `DynamicUser=` refuses the unit. */
export const boolean: Reader = ({ key, value }) => {
  if (parseBoolean(value) !== undefined) return kept(value)
  // a user that cannot be told must not be root
  if (key === 'DynamicUser') return refused(error(`Failed to parse boolean value: ${value}`))
  return ignored(warning(`Failed to parse boolean value, ignoring: ${value}`))
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

/** The words that a key takes of which it must be one; absent for other keys. */
export const enumerationWords = (key: string): readonly string[] | undefined => enumerations[key]?.[1].split(/\s+/)

/** One of the words that the key takes. */
export const enumeration: Reader = ({ key, value, option }) => {
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

const logLevels = new Set(['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'])

/** A level of the log by name or number. */
export const logLevel: Reader = single(
  'Failed to parse log level',
  (value) => logLevels.has(value) || parseInteger(value, { min: 0, max: 7 }).ok,
)

const logFacilities = new Set(
  `kern user mail daemon auth syslog lpr news uucp cron authpriv ftp local0 local1 local2 local3 local4 local5 local6
   local7`.split(/\s+/),
)

/** A facility of the log by name or number. */
export const logFacility: Reader = single(
  'Failed to parse log facility',
  (value) => logFacilities.has(value) || parseInteger(value, { min: 0, max: 127 }).ok,
)

/** A type of service of IP packets by name or number. */
export const typeOfService: Reader = ({ value }) =>
  /^(?:low-delay|throughput|reliability|low-cost)$/.test(value) || parseInteger(value, { min: 0, max: 255 }).ok
    ? kept(value)
    : ignored(warning(`Failed to parse IP TOS value, ignoring: ${value}`))

/** Names of capabilities; of unknown ones and open quotes systemd says nothing. */
export const capabilities: Reader = ({ value }) => ({ values: wordsUntilError(value, quotedWords).words, findings: [] })

const addressFamilies = new Set(
  `UNSPEC UNIX LOCAL INET AX25 IPX APPLETALK NETROM BRIDGE ATMPVC X25 INET6 ROSE DECnet NETBEUI SECURITY KEY NETLINK ROUTE
   PACKET ASH ECONET ATMSVC RDS SNA IRDA PPPOX WANPIPE LLC IB MPLS CAN TIPC BLUETOOTH IUCV RXRPC ISDN PHONET IEEE802154
   CAIF ALG NFC VSOCK KCM QIPCRTR SMC XDP MCTP`.split(/\s+/),
)

const isAddressFamily = (word: string): boolean =>
  word === '' || word === 'none' || (word.startsWith('AF_') && addressFamilies.has(word.slice('AF_'.length)))

/** Address families, `none`, or a list of what is not allowed. */
export const addressFamilyNames: Reader = (input) =>
  readWords(input, quotedWords, invalidSyntax, (word) =>
    isAddressFamily(word.replace(/^~/, '')) ? word : warning(`Failed to parse address family, ignoring: ${word}`),
  )

/** Architectures of system calls. */
export const architectures: Reader = (input) =>
  readWords(input, quotedWords, invalidSyntax, (word) =>
    /^(?:native|x86|x86-64|x32|arm|arm64|mips\S*|ppc\S*|s390x?|riscv64|parisc\S*|alpha|sparc\S*|ia64|loongarch64)$/.test(
      word,
    )
      ? word
      : warning(`Failed to parse system call architecture "${word}", ignoring: Invalid argument`),
  )

const controllers = new Set(
  `cpu cpuacct cpuset io blkio memory devices pids bpf-firewall bpf-devices bpf-foreign bpf-socket-bind
   bpf-restrict-network-interfaces`.split(/\s+/),
)

/** Whether control groups are handed over, or which controllers are. */
export const delegation: Reader = (input) => {
  const { section, key, value } = input
  if (section !== 'Service' && section !== 'Scope') {
    return ignored(warning(`${key}= setting not supported for this unit type, ignoring.`))
  }
  if (value === '' || parseBoolean(value) !== undefined) return kept(value === '' ? 'yes' : value)
  return readWords(input, quotedWords, invalidSyntax, (word) =>
    controllers.has(word) ? word : warning(`Invalid controller name '${word}', ignoring`),
  )
}

/** Controllers of control groups. */
export const controllerNames: Reader = ({ value }) => {
  // unknown names are passed over as long as one is known
  const names = wordsUntilError(value, plainWords).words.filter((name) => controllers.has(name))
  return names.length > 0
    ? { values: names, findings: [] }
    : ignored(warning(`Invalid cgroup string: ${value}, ignoring`))
}

const fileSystemGroups = new Set(
  `@basic-api @anonymous @application @auxiliary-api @common-block @historical-block @known @network @privileged-api
   @security @temporary`.split(/\s+/),
)

/** File systems and groups of them. */
export const fileSystems: Reader = (input) =>
  readWords(
    input,
    quotedWords,
    (value) => `Trailing garbage in ${input.key}, ignoring: ${value}`,
    (word) =>
      !word.replace(/^~/, '').startsWith('@') || fileSystemGroups.has(word.replace(/^~/, ''))
        ? word
        : warning(`bpf-lsm: Unknown filesystem group, ignoring: ${word}`),
  )
