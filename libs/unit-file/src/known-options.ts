/**
 * Every key that systemd 252 knows, by section: type of value, how it is split, whether it adds up, what an empty value
 * does, whether specifiers are expanded. Rules: spec/unit-files.md §1.4, §3.3.
 */

/** How a value becomes words (spec/unit-files.md §3.1); absent: one value without words, or not known. */
export type OptionSplit =
  | 'line'
  | 'line, escaped'
  | 'plain'
  | 'plain-raw'
  | 'quoted'
  | 'quoted-raw'
  | 'escaped'
  | 'escaped, relaxed'

type Traits = {
  readonly split?: OptionSplit | undefined
  readonly list?: boolean
  readonly reset?: boolean
  readonly specifiers?: boolean
}

/** What the types of value have in common; a group below may differ. */
const typeTraits = {
  'unit names': { split: 'plain-raw', list: true, specifiers: true },
  boolean: {},
  condition: { split: 'line', list: true, reset: true, specifiers: true },
  'condition path': { split: 'line', list: true, reset: true, specifiers: true },
  enum: {},
  string: { split: 'line', reset: true, specifiers: true },
  URLs: { split: 'quoted-raw', list: true, reset: true, specifiers: true },
  'exit status': { reset: true },
  'time span, 0 = infinity': {},
  paths: { list: true, reset: true, specifiers: true },
  path: { split: 'line', reset: true, specifiers: true },
  'unsigned integer': {},
  'time span': {},
  'cpu list': { split: 'quoted', list: true, reset: true, specifiers: true },
  capabilities: { split: 'quoted', list: true, reset: true },
  label: { reset: true, specifiers: true },
  'type:path': { list: true, reset: true },
  'bind paths': { split: 'quoted', list: true, reset: true, specifiers: true },
  'device and weight': { list: true, reset: true, specifiers: true },
  'device and bandwidth, base 1000': { list: true, reset: true, specifiers: true },
  'weight, 10 to 1000': { reset: true },
  'bus name': { specifiers: true },
  'cpu list or numa': { list: true, reset: true, specifiers: true },
  percent: { reset: true },
  'time span, empty = infinity': { reset: true },
  'integer, 1 to 99': {},
  'weight, 2 to 262144': { reset: true },
  'weight, 1 to 10000, or idle': { reset: true },
  'relative directories': { split: 'escaped', list: true, reset: true, specifiers: true },
  'octal mode': {},
  flags: { list: true, reset: true },
  'memory size, percent or infinity': { reset: true },
  'boolean or controllers': { split: 'quoted', list: true },
  'device and access': { split: 'quoted', list: true, reset: true, specifiers: true },
  controllers: { list: true, reset: true },
  assignments: { split: 'escaped', list: true, reset: true, specifiers: true },
  'path with - prefix': { split: 'line', list: true, reset: true, specifiers: true },
  command: { split: 'escaped, relaxed', list: true, reset: true, specifiers: true },
  'paths with - and + prefixes': { split: 'quoted', list: true, reset: true, specifiers: true },
  'paths, colon separated': { reset: true, specifiers: true },
  images: { list: true, reset: true, specifiers: true },
  signal: {},
  'user or group': { split: 'line', reset: true, specifiers: true },
  'device and time span': { list: true, reset: true, specifiers: true },
  'integer, 0 to 7': { reset: true },
  'weight, 1 to 10000': { reset: true },
  'address prefixes': { split: 'plain', list: true, reset: true },
  limit: {},
  'id:path': { split: 'line', list: true, reset: true, specifiers: true },
  'log level': {},
  'node list': { reset: true },
  'integer, -20 to 19': { reset: true },
  'integer, -1000 to 1000': { reset: true },
  'variable names': { split: 'quoted', list: true, reset: true, specifiers: true },
  architecture: { reset: true },
  'boolean or enum': {},
  'exit statuses and signals': { split: 'plain', list: true, reset: true },
  'address families': { split: 'quoted', list: true, reset: true },
  'file systems': { split: 'quoted', list: true, reset: true },
  'boolean or namespaces': { list: true, reset: true },
  interfaces: { list: true, reset: true },
  'path or hex': { reset: true },
  'path or base64': { reset: true },
  'mount options': { list: true, reset: true, specifiers: true },
  'boolean or restart': {},
  'secure bits': { list: true, reset: true },
  'id:text': { split: 'line, escaped', list: true, reset: true },
  'slice name': { split: 'line', specifiers: true },
  'socket bind rules': { list: true, reset: true },
  'socket names': { split: 'plain', list: true, specifiers: true },
  output: {},
  input: {},
  base64: { list: true, reset: true },
  text: { split: 'line, escaped', list: true, reset: true, specifiers: true },
  groups: { split: 'plain', list: true, reset: true, specifiers: true },
  'log facility': {},
  architectures: { split: 'quoted', list: true, reset: true },
  'errno or kill': { reset: true },
  'system calls': { split: 'plain', list: true, reset: true },
  'unsigned integer, percent or infinity': { reset: true },
  'path:options': { split: 'quoted', list: true, reset: true, specifiers: true },
  'time span or empty': { reset: true },
  'time span in nanoseconds': {},
  'variable names or assignments': { split: 'escaped', list: true, reset: true, specifiers: true },
  'path, ~ or - prefix': { split: 'line', reset: true, specifiers: true },
  interface: { reset: true },
  name: { reset: true, specifiers: true },
  'integer or enum': { reset: true },
  integer: {},
  'listen address': { list: true, reset: true, specifiers: true },
  'size, base 1024': {},
  'service name': { specifiers: true },
  'timer trigger': { list: true, reset: true, specifiers: true },
  'unit name': { specifiers: true },
  'path trigger': { list: true, reset: true, specifiers: true },
  instance: { reset: true, specifiers: true },
} as const satisfies Readonly<Record<string, Traits>>

/** The kind of value that a key takes. */
export type OptionType = keyof typeof typeTraits

/** What is known about one key of one section. */
export type KnownOption = {
  readonly type: OptionType
  readonly split?: OptionSplit | undefined
  /** Repeats add up; else the last one wins. */
  readonly list: boolean
  /** An empty value is accepted and restores the default or clears the list. */
  readonly reset: boolean
  /** `%` specifiers are expanded. */
  readonly specifiers: boolean
  /** What to use instead; only obsolete keys have it. */
  readonly replacedBy?: string | undefined
}

type Group = readonly [sections: string, type: OptionType, keys: string, traits?: Traits]

const execSections = 'Service Socket Mount Swap'
const killSections = 'Service Socket Mount Swap Scope'
const cgroupSections = 'Service Socket Mount Swap Slice Scope'

const groups: readonly Group[] = [
  ['Automount', 'string', 'ExtraOptions'],
  ['Automount', 'time span, 0 = infinity', 'TimeoutIdleSec'],
  ['Install', 'unit names', 'Alias RequiredBy WantedBy', { split: undefined, reset: true }],
  ['Install', 'unit names', 'Also', { split: undefined }],
  ['Install', 'instance', 'DefaultInstance'],
  ['Mount', 'boolean', 'ForceUnmount LazyUnmount ReadWriteOnly SloppyOptions'],
  ['Mount', 'string', 'Type', { reset: false }],
  ['Mount', 'string', 'What'],
  ['Mount Automount', 'path', 'Where'],
  ['Mount Swap', 'string', 'Options'],
  ['Path', 'path trigger', 'DirectoryNotEmpty PathChanged PathExists PathExistsGlob PathModified'],
  ['Path', 'boolean', 'MakeDirectory'],
  ['Scope', 'time span', 'TimeoutStopSec'],
  ['Service', 'bus name', 'BusName'],
  ['Service', 'command', 'ExecCondition ExecReload ExecStart ExecStop'],
  [
    'Service',
    'enum',
    `
    ExitType FailureAction NotifyAccess Restart StartLimitAction TimeoutStartFailureMode TimeoutStopFailureMode Type
  `,
  ],
  ['Service', 'unsigned integer', 'FileDescriptorStoreMax StartLimitBurst'],
  ['Service', 'boolean', 'GuessMainPID NonBlocking PermissionsStartOnly RemainAfterExit RootDirectoryStartOnly'],
  ['Service', 'path', 'PIDFile USBFunctionDescriptors USBFunctionStrings'],
  ['Service', 'string', 'RebootArgument'],
  ['Service', 'exit statuses and signals', 'RestartForceExitStatus RestartPreventExitStatus SuccessExitStatus'],
  ['Service', 'time span', 'RestartSec WatchdogSec'],
  ['Service', 'socket names', 'Sockets'],
  ['Service', 'time span or empty', 'TimeoutAbortSec'],
  ['Service', 'time span, 0 = infinity', 'TimeoutStartSec TimeoutStopSec'],
  ['Service Scope', 'enum', 'OOMPolicy'],
  ['Service Scope', 'time span', 'RuntimeMaxSec RuntimeRandomizedExtraSec'],
  ['Service Socket', 'command', 'ExecStartPost ExecStartPre ExecStopPost'],
  [execSections, 'capabilities', 'AmbientCapabilities CapabilityBoundingSet'],
  [execSections, 'label', 'AppArmorProfile SELinuxContext SmackProcessLabel'],
  [execSections, 'bind paths', 'BindPaths BindReadOnlyPaths'],
  [execSections, 'cpu list or numa', 'CPUAffinity'],
  [execSections, 'enum', 'CPUSchedulingPolicy IOSchedulingClass MountFlags NUMAPolicy', { reset: true }],
  [execSections, 'integer, 1 to 99', 'CPUSchedulingPriority'],
  [
    execSections,
    'boolean',
    `
    CPUSchedulingResetOnFork DynamicUser IgnoreSIGPIPE LockPersonality MemoryDenyWriteExecute NoNewPrivileges
    PrivateDevices PrivateIPC PrivateMounts PrivateNetwork PrivateTmp PrivateUsers ProtectClock ProtectControlGroups
    ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables RemoveIPC RestrictRealtime
    RestrictSUIDSGID SyslogLevelPrefix TTYReset TTYVHangup TTYVTDisallocate
  `,
  ],
  [
    execSections,
    'relative directories',
    `
    CacheDirectory ConfigurationDirectory LogsDirectory RuntimeDirectory StateDirectory
  `,
  ],
  [
    execSections,
    'octal mode',
    `
    CacheDirectoryMode ConfigurationDirectoryMode LogsDirectoryMode RuntimeDirectoryMode StateDirectoryMode UMask
  `,
  ],
  [execSections, 'flags', 'CoredumpFilter'],
  [execSections, 'assignments', 'Environment LogExtraFields'],
  [execSections, 'path with - prefix', 'EnvironmentFile'],
  [
    execSections,
    'paths with - and + prefixes',
    `
    ExecPaths ExtensionDirectories InaccessibleDirectories InaccessiblePaths NoExecPaths ReadOnlyDirectories
    ReadOnlyPaths ReadWriteDirectories ReadWritePaths
  `,
  ],
  [execSections, 'paths, colon separated', 'ExecSearchPath'],
  [execSections, 'images', 'ExtensionImages MountImages'],
  [execSections, 'user or group', 'Group User'],
  [execSections, 'integer, 0 to 7', 'IOSchedulingPriority'],
  [execSections, 'path', 'IPCNamespacePath NetworkNamespacePath RootDirectory RootImage RootVerity TTYPath'],
  [execSections, 'enum', 'KeyringMode ProcSubset ProtectProc UtmpMode'],
  [
    execSections,
    'limit',
    `
    LimitAS LimitCORE LimitCPU LimitDATA LimitFSIZE LimitLOCKS LimitMEMLOCK LimitMSGQUEUE LimitNICE LimitNOFILE
    LimitNPROC LimitRSS LimitRTPRIO LimitRTTIME LimitSIGPENDING LimitSTACK
  `,
  ],
  [execSections, 'id:path', 'LoadCredential LoadCredentialEncrypted'],
  [execSections, 'log level', 'LogLevelMax SyslogLevel'],
  [execSections, 'string', 'LogNamespace', { split: undefined }],
  [execSections, 'unsigned integer', 'LogRateLimitBurst'],
  [execSections, 'time span', 'LogRateLimitIntervalSec TimeoutCleanSec'],
  [execSections, 'boolean', 'MountAPIVFS', { reset: true }],
  [execSections, 'node list', 'NUMAMask'],
  [execSections, 'integer, -20 to 19', 'Nice'],
  [execSections, 'integer, -1000 to 1000', 'OOMScoreAdjust'],
  [execSections, 'string', 'PAMName SyslogIdentifier UtmpIdentifier'],
  [execSections, 'variable names', 'PassEnvironment'],
  [execSections, 'architecture', 'Personality'],
  [execSections, 'boolean or enum', 'ProtectHome ProtectSystem'],
  [execSections, 'address families', 'RestrictAddressFamilies'],
  [execSections, 'file systems', 'RestrictFileSystems'],
  [execSections, 'boolean or namespaces', 'RestrictNamespaces'],
  [execSections, 'path or hex', 'RootHash'],
  [execSections, 'path or base64', 'RootHashSignature'],
  [execSections, 'mount options', 'RootImageOptions'],
  [execSections, 'boolean or restart', 'RuntimeDirectoryPreserve'],
  [execSections, 'secure bits', 'SecureBits'],
  [execSections, 'id:text', 'SetCredential SetCredentialEncrypted'],
  [execSections, 'output', 'StandardError StandardOutput'],
  [execSections, 'input', 'StandardInput'],
  [execSections, 'base64', 'StandardInputData'],
  [execSections, 'text', 'StandardInputText'],
  [execSections, 'groups', 'SupplementaryGroups'],
  [execSections, 'log facility', 'SyslogFacility'],
  [execSections, 'architectures', 'SystemCallArchitectures'],
  [execSections, 'errno or kill', 'SystemCallErrorNumber'],
  [execSections, 'system calls', 'SystemCallFilter'],
  [execSections, 'system calls', 'SystemCallLog', { split: undefined }],
  [execSections, 'unsigned integer', 'TTYColumns TTYRows', { reset: true }],
  [execSections, 'path:options', 'TemporaryFileSystem'],
  [execSections, 'time span, 0 = infinity', 'TimeoutSec'],
  [execSections, 'time span in nanoseconds', 'TimerSlackNSec'],
  [execSections, 'variable names or assignments', 'UnsetEnvironment'],
  [execSections, 'path, ~ or - prefix', 'WorkingDirectory'],
  [killSections, 'signal', 'FinalKillSignal KillSignal RestartKillSignal WatchdogSignal'],
  [killSections, 'enum', 'KillMode', { reset: true }],
  [killSections, 'boolean', 'SendSIGHUP SendSIGKILL'],
  [cgroupSections, 'cpu list', 'AllowedCPUs AllowedMemoryNodes StartupAllowedCPUs StartupAllowedMemoryNodes'],
  [cgroupSections, 'type:path', 'BPFProgram'],
  [
    cgroupSections,
    'boolean',
    `
    BlockIOAccounting CPUAccounting IOAccounting IPAccounting MemoryAccounting TasksAccounting
  `,
  ],
  [cgroupSections, 'device and weight', 'BlockIODeviceWeight IODeviceWeight'],
  [
    cgroupSections,
    'device and bandwidth, base 1000',
    `
    BlockIOReadBandwidth BlockIOWriteBandwidth IOReadBandwidthMax IOReadIOPSMax IOWriteBandwidthMax IOWriteIOPSMax
  `,
  ],
  [cgroupSections, 'weight, 10 to 1000', 'BlockIOWeight StartupBlockIOWeight'],
  [cgroupSections, 'percent', 'CPUQuota ManagedOOMMemoryPressureLimit'],
  [cgroupSections, 'time span, empty = infinity', 'CPUQuotaPeriodSec'],
  [cgroupSections, 'weight, 2 to 262144', 'CPUShares StartupCPUShares'],
  [cgroupSections, 'weight, 1 to 10000, or idle', 'CPUWeight StartupCPUWeight'],
  [
    cgroupSections,
    'memory size, percent or infinity',
    `
    DefaultMemoryLow DefaultMemoryMin MemoryHigh MemoryLimit MemoryLow MemoryMax MemoryMin MemorySwapMax
  `,
  ],
  [cgroupSections, 'boolean or controllers', 'Delegate'],
  [cgroupSections, 'device and access', 'DeviceAllow'],
  [cgroupSections, 'enum', 'DevicePolicy ManagedOOMPreference'],
  [cgroupSections, 'controllers', 'DisableControllers'],
  [cgroupSections, 'device and time span', 'IODeviceLatencyTargetSec'],
  [cgroupSections, 'weight, 1 to 10000', 'IOWeight StartupIOWeight'],
  [cgroupSections, 'address prefixes', 'IPAddressAllow IPAddressDeny'],
  [cgroupSections, 'paths', 'IPEgressFilterPath IPIngressFilterPath'],
  [cgroupSections, 'enum', 'ManagedOOMMemoryPressure ManagedOOMSwap', { reset: true }],
  [cgroupSections, 'interfaces', 'RestrictNetworkInterfaces'],
  [cgroupSections, 'slice name', 'Slice'],
  [cgroupSections, 'socket bind rules', 'SocketBindAllow SocketBindDeny'],
  [cgroupSections, 'unsigned integer, percent or infinity', 'TasksMax'],
  [
    'Socket',
    'boolean',
    `
    Accept Broadcast FlushPending FreeBind KeepAlive NoDelay PassCredentials PassPacketInfo PassSecurity
    RemoveOnStop ReusePort SELinuxContextFromNet Transparent Writable
  `,
  ],
  ['Socket', 'unsigned integer', 'Backlog KeepAliveProbes MaxConnections MaxConnectionsPerSource'],
  ['Socket', 'enum', 'BindIPv6Only SocketProtocol Timestamping'],
  ['Socket', 'interface', 'BindToDevice'],
  ['Socket', 'time span', 'DeferAcceptSec KeepAliveIntervalSec KeepAliveTimeSec'],
  ['Socket', 'command', 'ExecStopPre'],
  ['Socket', 'name', 'FileDescriptorName'],
  ['Socket', 'integer or enum', 'IPTOS'],
  ['Socket', 'integer', 'IPTTL Mark MessageQueueMaxMessages MessageQueueMessageSize Priority'],
  [
    'Socket',
    'listen address',
    `
    ListenDatagram ListenFIFO ListenMessageQueue ListenNetlink ListenSequentialPacket ListenSpecial ListenStream
    ListenUSBFunction
  `,
  ],
  ['Socket', 'size, base 1024', 'PipeSize ReceiveBuffer SendBuffer'],
  ['Socket', 'service name', 'Service'],
  ['Socket', 'string', 'SmackLabel SmackLabelIPIn SmackLabelIPOut'],
  ['Socket', 'user or group', 'SocketGroup SocketUser'],
  ['Socket', 'octal mode', 'SocketMode'],
  ['Socket', 'paths', 'Symlinks'],
  ['Socket', 'string', 'TCPCongestion', { split: undefined, specifiers: false }],
  ['Socket Mount Automount Path', 'octal mode', 'DirectoryMode'],
  ['Socket Path', 'unsigned integer', 'TriggerLimitBurst'],
  ['Socket Path', 'time span', 'TriggerLimitIntervalSec'],
  ['Swap', 'integer', 'Priority', { reset: true }],
  ['Swap', 'path', 'What'],
  ['Timer', 'time span', 'AccuracySec RandomizedDelaySec'],
  ['Timer', 'boolean', 'FixedRandomDelay OnClockChange OnTimezoneChange Persistent RemainAfterElapse WakeSystem'],
  ['Timer', 'timer trigger', 'OnActiveSec OnBootSec OnCalendar OnStartupSec OnUnitActiveSec OnUnitInactiveSec'],
  ['Timer Path', 'unit name', 'Unit'],
  [
    'Unit',
    'unit names',
    `
    After Before BindTo BindsTo Conflicts JoinsNamespaceOf OnFailure OnSuccess PartOf PropagateReloadFrom
    PropagateReloadTo PropagatesReloadTo PropagatesStopTo ReloadPropagatedFrom Requires RequiresOverridable
    Requisite RequisiteOverridable StopPropagatedFrom Upholds Wants
  `,
  ],
  [
    'Unit',
    'boolean',
    `
    AllowIsolate DefaultDependencies IgnoreOnIsolate OnFailureIsolate RefuseManualStart RefuseManualStop
    StopWhenUnneeded
  `,
  ],
  [
    'Unit',
    'condition',
    `
    AssertACPower AssertArchitecture AssertCPUFeature AssertCPUPressure AssertCPUs AssertCapability
    AssertControlGroupController AssertCredential AssertEnvironment AssertFirstBoot AssertGroup AssertHost
    AssertIOPressure AssertKernelCommandLine AssertKernelVersion AssertMemory AssertMemoryPressure AssertOSRelease
    AssertSecurity AssertUser AssertVirtualization ConditionACPower ConditionArchitecture ConditionCPUFeature
    ConditionCPUPressure ConditionCPUs ConditionCapability ConditionControlGroupController ConditionCredential
    ConditionEnvironment ConditionFirmware ConditionFirstBoot ConditionGroup ConditionHost ConditionIOPressure
    ConditionKernelCommandLine ConditionKernelVersion ConditionMemory ConditionMemoryPressure ConditionOSRelease
    ConditionSecurity ConditionUser ConditionVirtualization
  `,
  ],
  [
    'Unit',
    'condition path',
    `
    AssertDirectoryNotEmpty AssertFileIsExecutable AssertFileNotEmpty AssertNeedsUpdate AssertPathExists
    AssertPathExistsGlob AssertPathIsDirectory AssertPathIsEncrypted AssertPathIsMountPoint AssertPathIsReadWrite
    AssertPathIsSymbolicLink ConditionDirectoryNotEmpty ConditionFileIsExecutable ConditionFileNotEmpty
    ConditionNeedsUpdate ConditionPathExists ConditionPathExistsGlob ConditionPathIsDirectory
    ConditionPathIsEncrypted ConditionPathIsMountPoint ConditionPathIsReadWrite ConditionPathIsSymbolicLink
  `,
  ],
  [
    'Unit',
    'enum',
    `
    CollectMode FailureAction JobTimeoutAction OnFailureJobMode OnSuccessJobMode StartLimitAction SuccessAction
  `,
  ],
  ['Unit', 'string', 'Description'],
  ['Unit', 'URLs', 'Documentation'],
  ['Unit', 'exit status', 'FailureActionExitStatus SuccessActionExitStatus'],
  ['Unit', 'time span, 0 = infinity', 'JobRunningTimeoutSec JobTimeoutSec'],
  ['Unit', 'string', 'JobTimeoutRebootArgument RebootArgument', { split: undefined }],
  ['Unit', 'paths', 'RequiresMountsFor', { split: 'quoted', reset: false }],
  ['Unit', 'path', 'SourcePath'],
  ['Unit', 'unsigned integer', 'StartLimitBurst'],
  ['Unit', 'time span', 'StartLimitIntervalSec'],
  ['Unit Service', 'time span', 'StartLimitInterval'],
]

const replacements: readonly (readonly [sections: string, key: string, replacedBy: string])[] = [
  ['Unit', 'BindTo', 'BindsTo'],
  ['Unit', 'OnFailureIsolate', 'OnFailureJobMode'],
  ['Unit', 'PropagateReloadFrom', 'ReloadPropagatedFrom'],
  ['Unit', 'PropagateReloadTo', 'PropagatesReloadTo'],
  ['Unit', 'RequiresOverridable', 'Requires'],
  ['Unit', 'RequisiteOverridable', 'Requisite'],
  ['Unit Service', 'StartLimitInterval', 'StartLimitIntervalSec in [Unit]'],
  [cgroupSections, 'BlockIOAccounting', 'IOAccounting'],
  [cgroupSections, 'BlockIODeviceWeight', 'IODeviceWeight'],
  [cgroupSections, 'BlockIOReadBandwidth', 'IOReadBandwidthMax'],
  [cgroupSections, 'BlockIOWeight', 'IOWeight'],
  [cgroupSections, 'BlockIOWriteBandwidth', 'IOWriteBandwidthMax'],
  [cgroupSections, 'CPUShares', 'CPUWeight'],
  ['Service', 'FailureAction', 'FailureAction in [Unit]'],
  [execSections, 'InaccessibleDirectories', 'InaccessiblePaths'],
  [cgroupSections, 'MemoryLimit', 'MemoryMax'],
  ['Service', 'PermissionsStartOnly', '+ prefix of the command'],
  [execSections, 'ReadOnlyDirectories', 'ReadOnlyPaths'],
  [execSections, 'ReadWriteDirectories', 'ReadWritePaths'],
  ['Service', 'RebootArgument', 'RebootArgument in [Unit]'],
  ['Service', 'StartLimitAction', 'StartLimitAction in [Unit]'],
  ['Service', 'StartLimitBurst', 'StartLimitBurst in [Unit]'],
  [cgroupSections, 'StartupBlockIOWeight', 'StartupIOWeight'],
  [cgroupSections, 'StartupCPUShares', 'StartupCPUWeight'],
]

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '')

function readGroups(): ReadonlyMap<string, ReadonlyMap<string, KnownOption>> {
  const sections = new Map<string, Map<string, KnownOption>>()
  for (const [names, type, keys, own] of groups) {
    const traits: Traits = { ...typeTraits[type], ...own }
    const { split, list = false, reset = false, specifiers = false } = traits
    for (const section of words(names)) {
      const known = sections.get(section) ?? new Map<string, KnownOption>()
      sections.set(section, known)
      for (const key of words(keys)) known.set(key, { type, split, list, reset, specifiers })
    }
  }
  for (const [names, key, replacedBy] of replacements) {
    for (const section of words(names)) {
      const option = sections.get(section)?.get(key)
      if (option !== undefined) sections.get(section)?.set(key, { ...option, replacedBy })
    }
  }
  return sections
}

const removed: readonly (readonly [sections: string, keys: string])[] = [
  ['Unit', 'IgnoreOnSnapshot'],
  ['Service', 'BusPolicy SysVStartPriority'],
  [execSections, 'Capabilities'],
  [cgroupSections, 'NetClass'],
]

const removedOptions: ReadonlySet<string> = new Set(
  removed.flatMap(([sections, keys]) =>
    words(sections).flatMap((section) => words(keys).map((key) => `${section}.${key}`)),
  ),
)

/** Whether systemd once had this key and now passes over it, with a word of its own. */
export const isRemovedOption = (section: string, key: string): boolean => removedOptions.has(`${section}.${key}`)

/** Section → key → what is known about it. */
export const knownOptions: ReadonlyMap<string, ReadonlyMap<string, KnownOption>> = readGroups()

/** What is known about a key, or `undefined` for one that systemd 252 does not have in that section. */
export const knownOption = (section: string, key: string): KnownOption | undefined =>
  knownOptions.get(section)?.get(key)
