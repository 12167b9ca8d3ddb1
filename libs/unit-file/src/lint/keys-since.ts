/** Since which systemd there is a key: from its release notes, so at the latest since then. */

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '')

const byVersion: readonly (readonly [version: number, keys: string])[] = [
  [229, 'AmbientCapabilities RandomizedDelaySec RuntimeMaxSec'],
  [230, 'IOAccounting IOWeight TriggerLimitBurst TriggerLimitIntervalSec'],
  [
    231,
    'MemoryHigh MemoryLow MemoryMax MemoryDenyWriteExecute PermissionsStartOnly ReadOnlyPaths ReadWritePaths RestrictRealtime',
  ],
  [
    232,
    `
    CPUWeight DynamicUser ForceUnmount LazyUnmount MaxConnectionsPerSource MemorySwapMax PrivateUsers
    ProtectControlGroups ProtectKernelModules ProtectKernelTunables
  `,
  ],
  [233, 'BindPaths BindReadOnlyPaths MountAPIVFS RestrictNamespaces RootImage'],
  [234, 'ConditionGroup ConditionUser'],
  [
    235,
    `
    CacheDirectory CacheDirectoryMode ConfigurationDirectory ConfigurationDirectoryMode IPAccounting
    IPAddressAllow IPAddressDeny KeyringMode ListenNetlink LockPersonality LogsDirectory LogsDirectoryMode
    RuntimeDirectoryPreserve StateDirectory StateDirectoryMode UnsetEnvironment
  `,
  ],
  [236, 'CollectMode LogExtraFields LogLevelMax StandardInputData StandardInputText SuccessAction'],
  [237, 'ConditionControlGroupController'],
  [238, 'TemporaryFileSystem'],
  [239, 'PrivateMounts'],
  [
    240,
    `
    DisableControllers FailureActionExitStatus IODeviceLatencyTargetSec LogRateLimitBurst
    LogRateLimitIntervalSec MemoryMin SuccessActionExitStatus WatchdogSignal
  `,
  ],
  [
    242,
    `
    CPUQuotaPeriodSec ConditionCPUs ConditionMemory NetworkNamespacePath OnClockChange OnTimezoneChange
    ProtectHostname RestrictSUIDSGID
  `,
  ],
  [
    243,
    `
    DefaultMemoryLow DefaultMemoryMin ExecCondition IPEgressFilterPath IPIngressFilterPath
    NUMAMask NUMAPolicy TimeoutAbortSec
  `,
  ],
  [244, 'AllowedCPUs AllowedMemoryNodes ProtectKernelLogs RestartKillSignal'],
  [245, 'LogNamespace ProtectClock'],
  [
    246,
    `
    AssertEnvironment AssertPathIsEncrypted ConditionEnvironment ConditionPathIsEncrypted CoredumpFilter
    RootHash RootHashSignature RootVerity TimeoutStartFailureMode TimeoutStopFailureMode
  `,
  ],
  [
    247,
    `
    FixedRandomDelay FlushPending LoadCredential ManagedOOMMemoryPressure ManagedOOMSwap MountImages ProcSubset
    ProtectProc RootImageOptions SetCredential SystemCallLog
  `,
  ],
  [
    248,
    `
    ConditionCPUFeature ExecPaths ExtensionImages IPCNamespacePath ManagedOOMPreference NoExecPaths PrivateIPC
  `,
  ],
  [
    249,
    `
    BPFProgram ConditionFirmware ConditionOSRelease OnSuccess PropagatesStopTo
    SocketBindAllow SocketBindDeny StopPropagatedFrom
  `,
  ],
  [
    250,
    `
    ExecSearchPath ExitType ExtraOptions LoadCredentialEncrypted RestrictFileSystems RestrictNetworkInterfaces
    RuntimeRandomizedExtraSec SetCredentialEncrypted StartupAllowedCPUs StartupAllowedMemoryNodes
    StartupCPUWeight TTYColumns TTYRows
  `,
  ],
  [251, 'ExtensionDirectories'],
  [252, 'AssertCredential ConditionCredential'],
]

/** Keys that systemd 252 does not have yet. */
const newer: readonly (readonly [version: number, sections: string, keys: string])[] = [
  [253, 'Service', 'OpenFile ReloadSignal'],
  [253, 'Install', 'UpheldBy'],
  [253, 'Service Socket Mount Swap Slice Scope', 'MemoryZSwapMax StartupMemoryZSwapMax'],
  [254, 'Service', 'RestartSteps RestartMaxDelaySec RestartMode FileDescriptorStorePreserve'],
  [
    254,
    'Service Socket Mount Swap',
    'ImportCredential RootEphemeral RootImagePolicy MountImagePolicy ExtensionImagePolicy MemoryKSM',
  ],
  [254, 'Service Socket Mount Swap Slice Scope', 'MemoryPressureWatch MemoryPressureThresholdSec'],
  [254, 'Service Scope', 'DelegateSubgroup'],
  [255, 'Unit', 'SurviveFinalKillSignal'],
  [255, 'Socket', 'PollLimitIntervalSec PollLimitBurst'],
  [255, 'Service Socket Mount Swap', 'SetLoginEnvironment'],
  [255, 'Service Socket Mount Swap Slice Scope', 'CoredumpReceive NFTSet'],
  [256, 'Unit', 'WantsMountsFor'],
  [256, 'Socket', 'PassFileDescriptorsToExec'],
  [256, 'Service Socket Mount Swap Slice Scope', 'MemoryZSwapWriteback'],
  [257, 'Service Socket Mount Swap', 'PrivatePIDs'],
  [257, 'Timer', 'DeferReactivation'],
  [257, 'Service Socket Mount Swap Slice Scope', 'ManagedOOMMemoryPressureDurationSec'],
  [258, 'Timer', 'RandomizedOffsetSec'],
  [258, 'Socket', 'AcceptFileDescriptors DeferTrigger DeferTriggerMaxSec PassPIDFD'],
  [258, 'Service', 'ExecReloadPost'],
  [258, 'Slice', 'ConcurrencySoftMax ConcurrencyHardMax'],
  [258, 'Unit', 'ConditionVersion AssertVersion ConditionKernelModuleLoaded AssertKernelModuleLoaded'],
]

const since = new Map(byVersion.flatMap(([version, keys]) => words(keys).map((key) => [key, version] as const)))
const newerSince = new Map(
  newer.flatMap(([version, sections, keys]) =>
    words(sections).flatMap((section) => words(keys).map((key) => [`${section}.${key}`, version] as const)),
  ),
)

/** The first version that has a key, where that is not always; older than 229 is always. */
export const keySince = (section: string, key: string): number | undefined =>
  newerSince.get(`${section}.${key}`) ?? since.get(key)

/** Whether the key is one of those that came after systemd 252. */
export const isNewerKey = (section: string, key: string): boolean => newerSince.has(`${section}.${key}`)
