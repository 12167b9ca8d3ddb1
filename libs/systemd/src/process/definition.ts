/**
 * What a unit file says, as values that the process manager works with. Reading and judging the text is
 * `@cluster/unit-file`'s; here words become numbers and sets.
 */
import {
  type ExecCommand,
  expandInstallSpecifiers,
  parseBoolean,
  parseMode,
  parseSignal,
  parseTimeSpan,
  parseUnsigned,
  plainWords,
  readAsFleet,
  type SpecifierContext,
  splitWords,
  type UnitCondition,
  type UnitEnvironmentFile,
  type UnitEvaluation,
} from '@cluster/unit-file'
import { exitStatusOfName } from './exit-status.ts'
import { type ExecKey, type ExitSet, restartPolicies, type ServiceRules } from './service-machine.ts'
import type { TimerBase, TimerRules, TimerTrigger } from './timer-machine.ts'
import type { UnitRelations } from './transaction.ts'

/** Where lines of a process go. */
export type OutputTarget =
  | { readonly kind: 'journal' }
  | { readonly kind: 'null' }
  | { readonly kind: 'file'; readonly path: string; readonly mode: 'keep' | 'append' | 'truncate' }

export type ServiceDefinition = {
  readonly rules: ServiceRules
  readonly commands: Readonly<Record<ExecKey, readonly ExecCommand[]>>
  /** `NAME=value` of `Environment=`. */
  readonly environment: readonly string[]
  readonly environmentFiles: readonly UnitEnvironmentFile[]
  readonly passEnvironment: readonly string[]
  /** Names and whole assignments. */
  readonly unsetEnvironment: readonly string[]
  readonly searchPath: readonly string[]
  /** `~` is the home of the user. */
  readonly workingDirectory: { readonly path: string; readonly isOptional: boolean }
  readonly umask: number
  readonly user: string | undefined
  readonly group: string | undefined
  readonly standardOutput: OutputTarget
  readonly standardError: OutputTarget
  readonly identifier: string | undefined
  /** syslog's priority of a line that names none. */
  readonly level: number
  readonly hasLevelPrefix: boolean
}

export type TimerDefinition = { readonly rules: TimerRules; readonly unit: string }

/** A unit that loads. */
export type UnitDefinition = {
  readonly relations: UnitRelations
  readonly onFailure: readonly string[]
  readonly onSuccess: readonly string[]
  readonly conditions: readonly UnitCondition[]
  readonly asserts: readonly UnitCondition[]
  /** Units that want or require this one by its `[Install]`. */
  readonly wantedBy: readonly string[]
  readonly requiredBy: readonly string[]
} & (
  | { readonly kind: 'service'; readonly service: ServiceDefinition }
  | { readonly kind: 'timer'; readonly timer: TimerDefinition }
  /** Targets and slices: up or not, nothing runs. */
  | { readonly kind: 'plain' }
)

/** Reads an evaluation that says `loaded`. */
export function readDefinition(evaluation: UnitEvaluation, text: string, specifiers: SpecifierContext): UnitDefinition {
  const { unitName, dependencies, conditions, asserts } = evaluation
  const names = (key: string): readonly string[] => dependencies.get(key) ?? []
  const wants = names('Wants')
  const requires = [...names('Requires'), ...names('BindsTo')]
  const type = unitName.slice(unitName.lastIndexOf('.') + 1)
  const timer = type === 'timer' ? readTimer(evaluation) : undefined
  // a target is reached when all of it is; a timer stands before the unit it starts
  const after = type === 'target' ? [...names('After'), ...wants, ...requires] : names('After')
  const base = {
    relations: {
      wants,
      requires,
      requisite: names('Requisite'),
      bindsTo: names('BindsTo'),
      partOf: names('PartOf'),
      conflicts: names('Conflicts'),
      after: after.filter((name) => !names('Before').includes(name)),
      before: timer === undefined ? names('Before') : [...names('Before'), timer.unit],
    },
    onFailure: names('OnFailure'),
    onSuccess: names('OnSuccess'),
    conditions,
    asserts,
    wantedBy: installNames(unitName, text, 'WantedBy', specifiers),
    requiredBy: installNames(unitName, text, 'RequiredBy', specifiers),
  }
  if (timer !== undefined) return { ...base, kind: 'timer', timer }
  if (type === 'service') return { ...base, kind: 'service', service: readService(evaluation) }
  return { ...base, kind: 'plain' }
}

function installNames(unitName: string, text: string, key: string, specifiers: SpecifierContext): readonly string[] {
  const options = readAsFleet(text)
  if (!options.ok) return []
  return options.value
    .filter(({ section, name }) => section === 'Install' && name === key)
    .flatMap(({ value }) => {
      const split = splitWords(value, plainWords)
      return split.ok ? split.value : []
    })
    .flatMap((word) => {
      const expanded = expandInstallSpecifiers(unitName, word, specifiers)
      return expanded.ok ? [expanded.value] : []
    })
}

type Settings = {
  readonly text: (key: string) => string | undefined
  readonly list: (key: string) => readonly string[]
  readonly flag: (key: string, otherwise: boolean) => boolean
  readonly milliseconds: (key: string) => number | undefined
}

function settingsOf({ settings }: UnitEvaluation, section: string): Settings {
  const list = (key: string): readonly string[] => settings.get(`${section}.${key}`) ?? []
  const text = (key: string): string | undefined => list(key).at(-1)
  return {
    list,
    text,
    flag: (key, otherwise) => parseBoolean(text(key) ?? '') ?? otherwise,
    milliseconds: (key) => millisecondsOf(text(key)),
  }
}

/** A time span in milliseconds; undefined for none. */
function millisecondsOf(text: string | undefined): number | undefined {
  const span = text === undefined ? undefined : parseTimeSpan(text)
  if (span === undefined) return undefined
  return span === 'infinity' ? Number.POSITIVE_INFINITY : Number(span) / 1000
}

/** Where 0 means for ever. */
const neverWhenZero = (milliseconds: number | undefined): number | undefined =>
  milliseconds === 0 ? Number.POSITIVE_INFINITY : milliseconds

const defaultTimeoutMs = 90_000
const signals = { kill: 9, term: 15 } as const

function readService(evaluation: UnitEvaluation): ServiceDefinition {
  const service = settingsOf(evaluation, 'Service')
  const unit = settingsOf(evaluation, 'Unit')
  const commandsOf = (key: ExecKey): readonly ExecCommand[] => evaluation.commands.get(key) ?? []
  const commands = recordOf(commandsOf)
  const written = service.text('Type')
  const isOneshot = written === 'oneshot' || (written === undefined && commands.ExecStart.length === 0)
  const timeoutMs = neverWhenZero(service.milliseconds('TimeoutSec'))
  const restart = service.text('Restart')
  const killMode = service.text('KillMode')
  const burst = parseUnsigned(unit.text('StartLimitBurst') ?? service.text('StartLimitBurst') ?? '5')
  const workingDirectory = service.text('WorkingDirectory') ?? ''
  const output = outputTarget(service.text('StandardOutput'), { kind: 'journal' }, { kind: 'null' })
  return {
    rules: {
      type: isOneshot ? 'oneshot' : written === 'exec' ? 'exec' : 'simple',
      remainAfterExit: service.flag('RemainAfterExit', false),
      restart: restartPolicies.find((policy) => policy === restart) ?? 'no',
      restartMs: service.milliseconds('RestartSec') ?? 100,
      startTimeoutMs:
        neverWhenZero(service.milliseconds('TimeoutStartSec')) ??
        timeoutMs ??
        (isOneshot ? Number.POSITIVE_INFINITY : defaultTimeoutMs),
      stopTimeoutMs: neverWhenZero(service.milliseconds('TimeoutStopSec')) ?? timeoutMs ?? defaultTimeoutMs,
      runtimeMaxMs: isOneshot
        ? Number.POSITIVE_INFINITY
        : (neverWhenZero(service.milliseconds('RuntimeMaxSec')) ?? Number.POSITIVE_INFINITY),
      killMode: killMode === 'mixed' || killMode === 'process' || killMode === 'none' ? killMode : 'control-group',
      killSignal: parseSignal(service.text('KillSignal') ?? '') ?? signals.term,
      finalKillSignal: parseSignal(service.text('FinalKillSignal') ?? '') ?? signals.kill,
      sendSigkill: service.flag('SendSIGKILL', true),
      sendSighup: service.flag('SendSIGHUP', false),
      startTimeoutMode: service.text('TimeoutStartFailureMode') === 'kill' ? 'kill' : 'terminate',
      startLimit: {
        burst: burst.ok ? burst.value : 5,
        intervalMs: unit.milliseconds('StartLimitIntervalSec') ?? unit.milliseconds('StartLimitInterval') ?? 10_000,
      },
      successExits: exitSet(service.list('SuccessExitStatus')),
      restartPreventExits: exitSet(service.list('RestartPreventExitStatus')),
      restartForceExits: exitSet(service.list('RestartForceExitStatus')),
      commands: recordOf((key) =>
        commands[key].map(({ flags }) => ({ ignoreFailure: flags.includes('ignore-failure') })),
      ),
    },
    commands,
    environment: evaluation.environment,
    environmentFiles: evaluation.environmentFiles,
    passEnvironment: service.list('PassEnvironment'),
    unsetEnvironment: service.list('UnsetEnvironment'),
    searchPath: service.list('ExecSearchPath').flatMap((paths) => paths.split(':')),
    workingDirectory: {
      path: workingDirectory.replace(/^-/, ''),
      isOptional: workingDirectory.startsWith('-'),
    },
    umask: parseMode(service.text('UMask') ?? '') ?? 0o022,
    user: service.text('User'),
    group: service.text('Group'),
    standardOutput: output,
    standardError: outputTarget(service.text('StandardError'), output, output),
    identifier: service.text('SyslogIdentifier'),
    level: levelOf(service.text('SyslogLevel')),
    hasLevelPrefix: service.flag('SyslogLevelPrefix', true),
  }
}

const recordOf = <Value>(read: (key: ExecKey) => Value): Record<ExecKey, Value> => ({
  ExecCondition: read('ExecCondition'),
  ExecStartPre: read('ExecStartPre'),
  ExecStart: read('ExecStart'),
  ExecStartPost: read('ExecStartPost'),
  ExecReload: read('ExecReload'),
  ExecStop: read('ExecStop'),
  ExecStopPost: read('ExecStopPost'),
})

/** @param inherited what `inherit` means: the stream before it, which for output is the null device */
function outputTarget(written: string | undefined, otherwise: OutputTarget, inherited: OutputTarget): OutputTarget {
  if (written === undefined) return otherwise
  if (written === 'inherit') return inherited
  if (written === 'null') return { kind: 'null' }
  const [, kind, path = ''] = /^(file|append|truncate):(.*)$/s.exec(written) ?? []
  if (kind === undefined) return { kind: 'journal' }
  return { kind: 'file', path, mode: kind === 'file' ? 'keep' : kind === 'append' ? 'append' : 'truncate' }
}

const levels = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug']

function levelOf(written: string | undefined): number {
  if (written === undefined) return 6
  const named = levels.indexOf(written)
  return named === -1 ? Number(written) : named
}

function exitSet(words: readonly string[]): ExitSet {
  const statuses = new Set<number>()
  const found = new Set<number>()
  for (const word of words) {
    const status = /^\d+$/.test(word) ? Number(word) : exitStatusOfName(word)
    if (status !== undefined) statuses.add(status)
    else {
      const signal = parseSignal(word)
      if (signal !== undefined) found.add(signal)
    }
  }
  return { statuses, signals: found }
}

const timerBases: readonly (readonly [key: string, base: TimerBase])[] = [
  ['OnActiveSec', 'active'],
  ['OnBootSec', 'boot'],
  ['OnStartupSec', 'startup'],
  ['OnUnitActiveSec', 'unit-active'],
  ['OnUnitInactiveSec', 'unit-inactive'],
]

function readTimer(evaluation: UnitEvaluation): TimerDefinition {
  const timer = settingsOf(evaluation, 'Timer')
  const triggers: TimerTrigger[] = timerBases.flatMap(([key, base]) =>
    timer.list(key).map((written) => ({ base, afterMs: millisecondsOf(written) ?? Number.POSITIVE_INFINITY })),
  )
  return {
    rules: {
      triggers,
      remainAfterElapse: timer.flag('RemainAfterElapse', true),
      randomizedDelayMs: timer.milliseconds('RandomizedDelaySec') ?? 0,
    },
    unit: timer.text('Unit') ?? evaluation.unitName.replace(/\.timer$/, '.service'),
  }
}
