/**
 * Which options of a unit file can be kept without systemd? Whatever is not in these tables is refused by name, so that
 * no unit runs with less than it was promised.
 */
import { knownOption, parseBoolean, parseTimeSpan, readSections, unitTypes } from '@cluster/unit-file'
import { typeOf } from '../manageable-name.ts'

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Options that do here what they do under systemd. */
const honoured: Readonly<Record<string, ReadonlySet<string>>> = {
  Unit: new Set(
    words(`After Before BindTo BindsTo Conflicts OnFailure OnSuccess PartOf Requires RequiresOverridable Requisite
      RequisiteOverridable StartLimitBurst StartLimitInterval StartLimitIntervalSec Wants
      ConditionPathExists ConditionPathIsDirectory ConditionPathIsSymbolicLink ConditionFileNotEmpty
      ConditionFileIsExecutable ConditionDirectoryNotEmpty AssertPathExists AssertPathIsDirectory
      AssertPathIsSymbolicLink AssertFileNotEmpty AssertFileIsExecutable AssertDirectoryNotEmpty`),
  ),
  Service: new Set(
    words(`Environment EnvironmentFile ExecCondition ExecReload ExecSearchPath ExecStart ExecStartPost ExecStartPre
      ExecStop ExecStopPost FinalKillSignal Group KillMode KillSignal PassEnvironment RemainAfterExit Restart
      RestartForceExitStatus RestartPreventExitStatus RestartSec RuntimeMaxSec SendSIGHUP SendSIGKILL StandardError
      StandardOutput StartLimitBurst StartLimitInterval SuccessExitStatus SyslogIdentifier SyslogLevel SyslogLevelPrefix
      TimeoutSec TimeoutStartSec TimeoutStopSec Type UMask UnsetEnvironment User WorkingDirectory`),
  ),
  Timer: new Set(
    words(
      'OnActiveSec OnBootSec OnStartupSec OnUnitActiveSec OnUnitInactiveSec RandomizedDelaySec RemainAfterElapse Unit',
    ),
  ),
  Install: new Set(words('WantedBy RequiredBy')),
}

/** Options that say nothing about how the unit runs here. */
const silent: Readonly<Record<string, ReadonlySet<string>>> = {
  Unit: new Set(
    words('Description Documentation SourcePath DefaultDependencies IgnoreOnIsolate AllowIsolate CollectMode'),
  ),
  Install: new Set(words('Alias Also DefaultInstance')),
}

/** Options that are taken without effect, and why that does no harm; said once, as a warning, at load. */
const withoutEffect: readonly (readonly [section: string, keys: string, reason: string])[] = [
  [
    'Service Slice',
    `Slice CPUAccounting MemoryAccounting TasksAccounting IOAccounting IPAccounting BlockIOAccounting CPUWeight
     StartupCPUWeight CPUShares StartupCPUShares IOWeight StartupIOWeight BlockIOWeight StartupBlockIOWeight`,
    'there are no control groups; it only shares out or counts what the machine has',
  ],
  [
    'Service',
    'Nice OOMScoreAdjust OOMPolicy CPUSchedulingPolicy IOSchedulingClass IOSchedulingPriority TimerSlackNSec',
    'it is a hint about the share of the machine',
  ],
  ['Service', 'IgnoreSIGPIPE', 'processes start with SIGPIPE as the kernel has it'],
  ['Service', 'LogRateLimitBurst LogRateLimitIntervalSec LogLevelMax SyslogFacility', 'the log is bounded by its size'],
  ['Service', 'KeyringMode UtmpIdentifier UtmpMode CoredumpFilter GuessMainPID', 'nothing here looks at it'],
  ['Timer', 'AccuracySec', 'timers elapse on time'],
]

const effectless: ReadonlyMap<string, string> = new Map(
  withoutEffect.flatMap(([sections, keys, reason]) =>
    words(sections).flatMap((section) => words(keys).map((key) => [`${section}.${key}`, reason] as const)),
  ),
)

/** Values of honoured options that cannot be kept, and what to do about it. */
const refusedValues: Readonly<Record<string, (value: string) => string | undefined>> = {
  'Service.Type': (type) => serviceTypeRemedies[type],
  'Service.StandardOutput': outputProblem,
  'Service.StandardError': outputProblem,
  'Service.StandardInput': (value) => (value === 'null' ? undefined : 'only StandardInput=null can be kept here'),
  'Service.NotifyAccess': (value) =>
    value === 'none' ? undefined : 'notifications are datagrams on a Unix socket, which this runtime cannot receive',
  'Service.WatchdogSec': (value) => {
    const span = parseTimeSpan(value)
    return span === 0n || span === 'infinity' ? undefined : 'a watchdog needs Type=notify; use RuntimeMaxSec='
  },
  'Service.ExitType': (value) => (value === 'main' ? undefined : 'only the main process is watched: ExitType=main'),
  'Service.TimeoutStartFailureMode': (value) =>
    value === 'abort' ? 'only terminate and kill can be kept here' : undefined,
  'Service.TimeoutStopFailureMode': (value) => (value === 'terminate' ? undefined : 'only terminate can be kept here'),
  'Service.Restart': (value) => (value === 'on-watchdog' ? 'there is no watchdog; use on-failure' : undefined),
  'Service.DynamicUser': unlessOff,
  'Timer.Persistent': unlessOff,
  'Timer.WakeSystem': unlessOff,
  'Timer.OnClockChange': unlessOff,
  'Timer.OnTimezoneChange': unlessOff,
}

const serviceTypeRemedies: Readonly<Record<string, string>> = {
  forking: 'run the program in the foreground with Type=exec',
  notify: 'notifications are datagrams on a Unix socket, which this runtime cannot receive; use Type=exec',
  'notify-reload': 'notifications are datagrams on a Unix socket, which this runtime cannot receive; use Type=exec',
  dbus: 'there is no bus to wait for; use Type=exec',
}

function outputProblem(value: string): string | undefined {
  return /^(?:journal|syslog|inherit|null|(?:file|append|truncate):.*)$/s.test(value)
    ? undefined
    : 'use journal, inherit, null, file:, append: or truncate:'
}

function unlessOff(value: string): string | undefined {
  return parseBoolean(value) === true ? 'it can only be off here' : undefined
}

/** Sandboxes and limits: what is lost without them is safety, so that silence would be a lie. */
const remedyFor = (key: string): string =>
  /^(?:Limit|Memory|CPUQuota|Tasks|IO|BlockIO|IP)/.test(key)
    ? 'take the limit out, or run the unit on a machine with systemd'
    : key === 'OnCalendar'
      ? 'use OnBootSec=, OnActiveSec= or OnUnitActiveSec=, or run the unit on a machine with systemd'
      : 'take it out, or run the unit on a machine with systemd'

/** What this manager says of a text before it takes it. */
export type SupportVerdict = {
  /** Each names an option, its line and the remedy; empty: the unit is taken. */
  readonly refusals: readonly string[]
  readonly warnings: readonly string[]
}

const managedTypes: ReadonlySet<string> = new Set(['service', 'timer', 'target', 'slice'])

/**
 * Judges every option of a unit file.
 *
 * @param isAllowedUser whether processes can be started as that user or group here; says why not
 */
export function judgeSupport(
  name: string,
  text: string,
  userProblem: (key: 'User' | 'Group', value: string) => string | undefined,
): SupportVerdict {
  const type = typeOf(name)
  if (!managedTypes.has(type)) {
    return {
      refusals: [`units of type ${type} need systemd; here are ${[...managedTypes].join(', ')}`],
      warnings: [],
    }
  }
  const refusals: string[] = []
  const warnings: string[] = []
  const unitType = unitTypes.find((known) => known === type)
  if (unitType === undefined) return { refusals, warnings }
  for (const event of readSections({ text }, unitType).events) {
    if (event.kind !== 'assignment') continue
    const { section, key, value, line } = event.assignment
    // an unknown key is nothing to systemd, an empty value takes something away
    if (value === '' || knownOption(section, key) === undefined) continue
    const place = `${key}= in line ${line}`
    const isHonoured = honoured[section]?.has(key) === true
    const problem = refusedValues[`${section}.${key}`]?.(value)
    const reason = effectless.get(`${section}.${key}`)
    if (problem !== undefined) refusals.push(`${place} (${value}) is not supported without systemd: ${problem}`)
    else if (key === 'User' || key === 'Group') {
      const why = section === 'Service' ? userProblem(key, value) : undefined
      if (why !== undefined) refusals.push(`${place} (${value}): ${why}`)
    } else if (reason !== undefined) warnings.push(`${place} has no effect without systemd: ${reason}`)
    else if (!isHonoured && !silent[section]?.has(key) && refusedValues[`${section}.${key}`] === undefined) {
      refusals.push(`${place} is not supported without systemd: ${remedyFor(key)}`)
    }
  }
  return { refusals, warnings }
}
