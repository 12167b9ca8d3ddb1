/** The logic of a service, and what units of other types need: UF040, UF041, UF060 to UF071, UF100 to UF104. */
import { assert } from '@cluster/prelude'
import { escapePath } from '../escape.ts'
import { evaluateUnit } from '../evaluate-unit.ts'
import { parseTimeSpan, parseUnsigned } from '../values.ts'
import type { LintId } from './catalogue.ts'
import type { Complaint, LintFix } from './finding.ts'
import {
  anyMachine,
  installedInto,
  isOn,
  type LintedAssignment,
  type LintedUnit,
  lastOf,
  ownSection,
  sectionRange,
  settingOf,
  valuesOf,
} from './linted-unit.ts'
import { insertBelow, keyRange, removeBlock, replaceValue, startOfFile, textRange, valueRange } from './place.ts'
import type { LintRule } from './rule.ts'
import { placedSpecifiers } from './specifiers-in-place.ts'

const fix = (title: string, ...edits: LintFix['edits']): LintFix => ({ title, edits })

type Verdict = {
  readonly pattern: RegExp
  readonly id: LintId
  /** Keys of which the last one is to blame; else the unit's own section. */
  readonly keys: readonly string[]
  readonly message: (unit: LintedUnit) => string
  readonly remedy: string
}

/** Verdicts of systemd on a whole unit, by the words of it. */
const verdicts: readonly Verdict[] = [
  {
    pattern: /no ExecStart=/,
    id: 'UF040',
    keys: ['Type'],
    message: ({ name }) => `${name} has no command to start, and is refused`,
    remedy: 'add ExecStart=',
  },
  {
    pattern: /more than one ExecStart=/,
    id: 'UF041',
    keys: ['ExecStart'],
    message: (unit) =>
      `there are ${valuesOf(unit, 'Service', 'ExecStart').length} ExecStart= and the service is not Type=oneshot: it is refused`,
    remedy: 'write Type=oneshot, or ExecStart= without a value above the one that counts',
  },
  {
    pattern: /Restart= set to either/,
    id: 'UF061',
    keys: ['Restart'],
    message: (unit) => `Restart=${settingOf(unit, 'Service', 'Restart')} and Type=oneshot exclude each other`,
    remedy: 'write Restart=on-failure',
  },
  {
    pattern: /ExitType=cgroup/,
    id: 'UF061',
    keys: ['ExitType'],
    message: () => 'ExitType=cgroup and Type=oneshot exclude each other',
    remedy: 'leave ExitType= out',
  },
  {
    pattern: /type D-Bus/,
    id: 'UF060',
    keys: ['Type'],
    message: () => 'Type=dbus needs the name that the service takes on the bus',
    remedy: 'add BusName=',
  },
  {
    pattern: /PAM enabled/,
    id: 'UF063',
    keys: ['KillMode'],
    message: () => 'PAMName= needs KillMode=control-group or mixed; the unit is refused',
    remedy: 'write KillMode=mixed',
  },
  {
    pattern: /no Listen setting/,
    id: 'UF100',
    keys: [],
    message: ({ name }) => `${name} listens nowhere, and is refused`,
    remedy: 'add ListenStream= or another Listen…=',
  },
  {
    pattern: /non-accepting|MaxConnections|Explicit service/,
    id: 'UF100',
    keys: ['Accept', 'Service', 'MaxConnections'],
    message: () => 'the settings of the socket contradict each other, and it is refused',
    remedy: 'Accept=yes wants ListenStream= or ListenSequentialPacket=, no Service=, and MaxConnections= above 0',
  },
  {
    pattern: /Timer unit lacks/,
    id: 'UF101',
    keys: [],
    message: ({ name }) => `${name} never elapses, and is refused`,
    remedy: 'add OnCalendar=, OnBootSec= or another On…Sec=',
  },
  {
    pattern: /Path unit lacks/,
    id: 'UF101',
    keys: [],
    message: ({ name }) => `${name} watches no path, and is refused`,
    remedy: 'add PathExists=, PathChanged= or another Path…=',
  },
  {
    pattern: /Where= setting|do not match/,
    id: 'UF103',
    keys: ['Where', 'What'],
    message: (unit) => {
      const key = unit.type === 'swap' ? 'What' : 'Where'
      return `${key}=${settingOf(unit, ownSection(unit.type), key) ?? ''} is not the path that the name ${unit.name} stands for`
    },
    remedy: 'rename the unit to its escaped path (systemd-escape --path)',
  },
  {
    pattern: /What= setting is missing/,
    id: 'UF103',
    keys: ['Where'],
    message: ({ name }) => `${name} does not say what to mount, and is refused`,
    remedy: 'add What=',
  },
]

function* refusals(unit: LintedUnit): Iterable<Complaint> {
  const { main, loadedName } = unit
  if (main === undefined || main.text === '' || loadedName === undefined) return
  const evaluation = evaluateUnit({
    unitName: loadedName,
    main: { text: main.text },
    dropIns: unit.dropIns.map(({ text }) => ({ text })),
    specifiers: anyMachine,
  })
  // what ended the reading of the file has a finding of its own
  if (evaluation.loadState !== 'bad-setting' || evaluation.mainFile === 'stopped') return
  const section = ownSection(unit.type)
  for (const { line, text } of evaluation.messages) {
    const verdict = line === undefined ? verdicts.find(({ pattern }) => pattern.test(text)) : undefined
    if (verdict === undefined) continue
    const blamed = verdict.keys.map((key) => lastOf(unit, section, key)).find((found) => found !== undefined)
    yield {
      id: verdict.id,
      range: blamed === undefined ? sectionRange(main, section) : textRange(blamed.block),
      message: verdict.message(unit),
      remedy: remedyOf(verdict, unit),
      ...(blamed === undefined ? {} : { path: blamed.path }),
      fix:
        blamed !== undefined && verdict.id === 'UF061' && blamed.key === 'Restart'
          ? fix('write Restart=on-failure', replaceValue(blamed.block, 'on-failure'))
          : undefined,
    }
  }
}

function remedyOf({ id, remedy }: Verdict, unit: LintedUnit): string {
  const path =
    id === 'UF103' ? settingOf(unit, ownSection(unit.type), unit.type === 'swap' ? 'What' : 'Where') : undefined
  const escaped = path === undefined ? undefined : escapePath(path)
  return escaped?.ok === true ? `rename the unit to ${escaped.value}.${unit.type}` : remedy
}

/** `Type=`, as far as it matters here. */
const typeOfService = (unit: LintedUnit): string => {
  const given = settingOf(unit, 'Service', 'Type')
  if (given !== undefined) return given
  if (settingOf(unit, 'Service', 'BusName') !== undefined) return 'dbus'
  return valuesOf(unit, 'Service', 'ExecStart').length > 0 ? 'simple' : 'oneshot'
}

const at = (assignment: LintedAssignment): Pick<Complaint, 'range' | 'path'> => ({
  range: valueRange(assignment.block),
  path: assignment.path,
})

const secondsOf = (unit: LintedUnit, section: string, keys: readonly string[], byDefault: number): number => {
  const found = keys.map((key) => settingOf(unit, section, key)).find((value) => value !== undefined)
  const span = found === undefined ? undefined : parseTimeSpan(found)
  if (span === undefined) return byDefault
  return span === 'infinity' ? Number.POSITIVE_INFINITY : Number(span) / 1_000_000
}

/** The start limit, wherever it is written. */
function startLimit(unit: LintedUnit): { readonly seconds: number; readonly burst: number } {
  const keys = ['StartLimitIntervalSec', 'StartLimitInterval']
  const seconds = secondsOf(unit, 'Unit', keys, secondsOf(unit, 'Service', keys, 10))
  const burst = parseUnsigned(
    settingOf(unit, 'Unit', 'StartLimitBurst') ?? settingOf(unit, 'Service', 'StartLimitBurst') ?? '5',
  )
  return { seconds, burst: burst.ok ? burst.value : 5 }
}

function* restarts(unit: LintedUnit): Iterable<Complaint> {
  if (unit.type !== 'service') return
  const restart = lastOf(unit, 'Service', 'Restart')
  if (restart === undefined || restart.value === 'no') return
  const { seconds, burst } = startLimit(unit)
  const delay = secondsOf(unit, 'Service', ['RestartSec'], 0.1)
  const isOff = seconds === 0 || burst === 0
  if (isOff && delay < 1 && restart.value === 'always') {
    yield {
      id: 'UF066',
      ...at(restart),
      message: `nothing stops Restart=always: the start limit is switched off, and RestartSec= is ${delay} s`,
      remedy: 'write RestartSec=5, or leave the start limit on',
    }
  }
  const written = lastOf(unit, 'Service', 'RestartSec')
  if (isOff || written === undefined || delay * burst <= seconds) return
  yield {
    id: 'UF068',
    ...at(written),
    message: `the start limit is never hit: ${burst} starts ${delay} s apart take longer than its ${seconds} s`,
    remedy: `write StartLimitIntervalSec=${Math.ceil(delay * burst * 2)} in [Unit], or 0 where it shall try for ever`,
    // trying for ever after a failure, with a pause, is often what is wanted
    ...(restart.value === 'always' ? {} : { severity: 'info' as const }),
  }
}

function* serviceTypes(unit: LintedUnit): Iterable<Complaint> {
  const { main } = unit
  if (unit.type !== 'service' || main === undefined) return
  const type = typeOfService(unit)
  const given = lastOf(unit, 'Service', 'Type')
  if (type === 'forking' && given !== undefined && settingOf(unit, 'Service', 'PIDFile') === undefined) {
    // a script that starts things and ends has no main process
    const isScript = isOn(unit, 'Service', 'RemainAfterExit', false) || !isOn(unit, 'Service', 'GuessMainPID', true)
    yield {
      id: 'UF062',
      ...at(given),
      message: 'Type=forking without PIDFile=: systemd can only guess which process is the main one',
      remedy: 'add PIDFile=, or let the program stay in the foreground with Type=notify or simple',
      ...(isScript ? { severity: 'info' as const } : {}),
    }
  }
  const starts = valuesOf(unit, 'Service', 'ExecStart')
  const restart = settingOf(unit, 'Service', 'Restart')
  if (type !== 'oneshot' && starts.length > 0 && (restart === undefined || restart === 'no')) {
    yield {
      id: 'UF067',
      range: keyRange(starts[0]?.block ?? first(starts).block),
      message: `nothing starts ${unit.name} again when it fails`,
      remedy: 'add Restart=on-failure',
    }
  }
  const confined =
    /^(?:User|DynamicUser|Protect\w+|Private\w+|NoNewPrivileges|CapabilityBoundingSet|SystemCallFilter|Restrict\w+|RootDirectory|RootImage|ReadOnlyPaths|InaccessiblePaths)$/
  if (starts.length > 0 && !unit.assignments.some(({ section, key }) => section === 'Service' && confined.test(key))) {
    yield {
      id: 'UF069',
      range: sectionRange(main, 'Service'),
      message: `${unit.name} runs as root and may do everything`,
      remedy: 'add User= or DynamicUser=yes, ProtectSystem=strict, NoNewPrivileges=yes',
    }
  }
}

function first<T>(list: readonly T[]): T {
  const [found] = list
  assert(found !== undefined, 'a list that was looked at is not empty')
  return found
}

function* movedKeys(unit: LintedUnit): Iterable<Complaint> {
  for (const { section, key, block, option, path, value } of unit.assignments) {
    const isMoved = section === 'Service' && option.replacedBy?.endsWith(' in [Unit]') === true
    if (!isMoved) continue
    const instead = option.replacedBy.slice(0, -' in [Unit]'.length)
    const file = [unit.main, ...unit.dropIns].find((candidate) => candidate?.path === path)
    const header = file?.source.blocks.findLast((other) => other.kind === 'header' && other.name === 'Unit')
    const isSet = settingOf(unit, 'Unit', instead) !== undefined
    yield {
      id: 'UF065',
      range: keyRange(block),
      path,
      message: `${key}= belongs to [Unit]`,
      remedy: `write ${instead}= in [Unit]`,
      fix:
        header === undefined || isSet
          ? undefined
          : fix(`move it to [Unit]`, removeBlock(block), insertBelow(header, `${instead}=${value}`)),
    }
  }
}

function* installs(unit: LintedUnit): Iterable<Complaint> {
  const install = unit.assignments.find(({ section }) => section === 'Install')
  if (install !== undefined) {
    yield {
      id: 'UF070',
      range: textRange(install.block),
      path: install.path,
      message: `fleet does not look at [Install]: ${install.key}= has no meaning for it`,
      remedy: 'keep it for systemctl enable; in a cluster, start the unit with fleetctl start',
    }
  }
  const { main, parts } = unit
  if (parts?.kind !== 'template' || main === undefined || main.text === '') return
  const usesInstance = main.source.blocks.some(
    (block) =>
      block.kind === 'assignment' && placedSpecifiers(block.value).some(({ letter }) => 'iIfnNjJ'.includes(letter)),
  )
  // a socket hands each connection to an instance, whatever the instance is called
  const isPerConnection = /^(?:socket|fd)$/.test(settingOf(unit, 'Service', 'StandardInput') ?? '')
  if (!usesInstance && !isPerConnection) {
    yield {
      id: 'UF071',
      range: startOfFile,
      path: main.path,
      message: `${unit.name} is a template and uses %i nowhere: all of its instances are the same`,
      remedy: `use %i, or rename it to ${parts.prefix}.${parts.type}`,
    }
    return
  }
  const wanted = lastOf(unit, 'Install', 'WantedBy') ?? lastOf(unit, 'Install', 'RequiredBy')
  const isPlain = installedInto(unit).some((name) => !name.includes('@'))
  if (wanted === undefined || !isPlain || settingOf(unit, 'Install', 'DefaultInstance') !== undefined) return
  yield {
    id: 'UF071',
    ...at(wanted),
    message: `systemctl enable ${unit.name} fails: there is no instance to enable`,
    remedy: `add DefaultInstance=, or enable ${parts.prefix}@INSTANCE.${parts.type}`,
    // the usual way is to enable instances by name
    severity: 'info',
  }
}

function* timers(unit: LintedUnit): Iterable<Complaint> {
  const persistent = lastOf(unit, 'Timer', 'Persistent')
  if (persistent === undefined || !isOn(unit, 'Timer', 'Persistent', false)) return
  if (valuesOf(unit, 'Timer', 'OnCalendar').length > 0) return
  // without any trigger there is a worse finding
  if (!unit.assignments.some(({ section, key }) => section === 'Timer' && /^On/.test(key))) return
  yield {
    id: 'UF104',
    ...at(persistent),
    message: 'Persistent= makes up for missed OnCalendar= only, and there is none',
    remedy: 'leave it out, or use OnCalendar=',
    fix: fix('remove Persistent=', removeBlock(persistent.block)),
  }
}

/** What is said of a unit as a whole. */
export const serviceRules: readonly LintRule[] = [
  { kind: 'unit', ids: ['UF040', 'UF041', 'UF060', 'UF061', 'UF063', 'UF100', 'UF101', 'UF103'], check: refusals },
  { kind: 'unit', ids: ['UF062', 'UF067', 'UF069'], check: serviceTypes },
  { kind: 'unit', ids: ['UF065'], check: movedKeys },
  { kind: 'unit', ids: ['UF066', 'UF068'], check: restarts },
  { kind: 'unit', ids: ['UF070', 'UF071'], check: installs },
  { kind: 'unit', ids: ['UF104'], check: timers },
]
