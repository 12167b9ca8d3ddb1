/**
 * What systemd 252 makes of a unit's files: settings after repeats and resets, messages in the order of the journal, and
 * whether the unit loads. Which files in which order is the caller's (load-unit.ts). Rules: spec/unit-files.md §1.4, §4.4.
 */
import { assert } from '@cluster/prelude'
import type { ExecCommand, ExpandWord } from './exec-line.ts'
import { type KnownOption, knownOption } from './known-options.ts'
import { resetFindings } from './obsolete-keys.ts'
import { type ReadingStop, readSections, type SystemdAssignment, type SystemdFile } from './read-systemd.ts'
import { readValue } from './read-value.ts'
import { expandSpecifiers, type SpecifierContext } from './specifiers.ts'
import type { UnitMessage } from './unit-message.ts'
import { parseUnitName, type UnitNameParts } from './unit-name.ts'
import { defaultDescription, judgeUnit } from './verdict.ts'

/** `bad-setting`: refused by a rule about the unit. `error`: reading stopped. */
export type LoadState = 'loaded' | 'masked' | 'bad-setting' | 'error'

/** One `Condition…=` or `Assert…=`. */
export type UnitCondition = {
  readonly name: string
  /** `|`: one of those that have it must hold. */
  readonly trigger: boolean
  /** `!`: must not hold. */
  readonly negate: boolean
  readonly parameter: string
}

/** A file named by `EnvironmentFile=`; `optional`: its absence is no failure. */
export type UnitEnvironmentFile = { readonly path: string; readonly optional: boolean }

/** A unit as systemd sees it after reading all of its files. */
export type UnitEvaluation = {
  readonly unitName: string
  /** `stopped`: reading ended inside of the main file, and drop-ins were not looked at. */
  readonly mainFile: 'read' | 'stopped'
  readonly loadState: LoadState
  /** Why not `loaded`, as the bus says it. */
  readonly loadError?: string
  readonly messages: readonly UnitMessage[]
  /** Absent: systemd shows the unit's name. */
  readonly description?: string
  readonly documentation: readonly string[]
  readonly conditions: readonly UnitCondition[]
  readonly asserts: readonly UnitCondition[]
  /** `NAME=value`, each name once. */
  readonly environment: readonly string[]
  readonly environmentFiles: readonly UnitEnvironmentFile[]
  /** Key (`ExecStart` …) → commands in order. */
  readonly commands: ReadonlyMap<string, readonly ExecCommand[]>
  /** Key (`Wants` …, obsolete spellings replaced) → names in the order given, each once; implicit ones are not in it. */
  readonly dependencies: ReadonlyMap<string, readonly string[]>
  /** `Section.Key` → what was kept of every key that is set, these included: one entry, or the words of a list. */
  readonly settings: ReadonlyMap<string, readonly string[]>
}

/** What a unit is evaluated from: its name, its files, and the machine that specifiers speak of. */
export type UnitSources = {
  /** A complete valid name that is no template; what `%n` and messages say. */
  readonly unitName: string
  /** Its names; a dependency on one of them is dropped. */
  readonly aliases?: readonly string[]
  /** Absent for units that exist without a file, as slices do. Empty: masked, drop-ins are read all the same. */
  readonly main?: SystemdFile
  /** The name that the main file's specifiers see, where it is not `unitName`: the alias that was asked for. */
  readonly mainName?: string
  /** What is said about links to other units, between the main file and the drop-ins. */
  readonly linkMessages?: readonly UnitMessage[]
  /** In order of application. Each starts outside of any section; an error ends only the one it is in. */
  readonly dropIns?: readonly SystemdFile[]
  readonly specifiers: SpecifierContext
}

/**
 * Reads a main file and drop-ins on top of it, and judges the result.
 *
 * @throws InvariantError when the name is not a valid unit name
 */
export function evaluateUnit(sources: UnitSources): UnitEvaluation {
  const { unitName, aliases = [], main, mainName = unitName, linkMessages = [], dropIns = [], specifiers } = sources
  const parts = parseUnitName(unitName)
  assert(parts.ok, 'the name of a unit to evaluate is valid')
  const expand: ExpandWord = (word) => expandSpecifiers(unitName, word, specifiers)
  const state = new EvaluationState(mainName, expand)
  const isMasked = main?.text.length === 0

  const stop = main && state.read(main, parts.value, (word: string) => expandSpecifiers(mainName, word, specifiers))
  // What stands for a path is called by it as soon as its file is open.
  if (stop !== undefined && parts.value.type !== 'slice')
    state.describe(defaultDescription(parts.value, state.settings))
  if (stop === 'bad-setting') {
    state.messages.push({ priority: 'notice', text: 'Unit configuration has fatal error, unit will not be started.' })
    return { ...state.result('bad-setting', badSetting(unitName)), mainFile: 'stopped' }
  }
  if (stop !== undefined) return { ...state.result('error', stop), mainFile: 'stopped' }
  state.merge(unitName, aliases)
  state.messages.push(...linkMessages)
  for (const dropIn of dropIns) state.read(dropIn, parts.value)
  if (isMasked) return state.result('masked', `Unit ${unitName} is masked.`)

  const verdict = judgeUnit(parts.value, { settings: state.settings, commands: state.commands })
  state.messages.push(...verdict.messages)
  if (verdict.refused !== 'error') state.describe(defaultDescription(parts.value, state.settings))
  if (verdict.refused === 'bad-setting') return state.result('bad-setting', badSetting(unitName))
  return verdict.refused === 'error'
    ? state.result('error', verdict.error ?? 'Invalid argument')
    : state.result('loaded')
}

/** One text as systemd reads it: `evaluateUnit` without drop-ins. */
export const readAsSystemd = (
  text: string | Uint8Array,
  { unitName, specifiers }: { readonly unitName: string; readonly specifiers: SpecifierContext },
): UnitEvaluation => evaluateUnit({ unitName, main: { text }, specifiers })

const badSetting = (unitName: string): string => `Unit ${unitName} has a bad unit file setting.`

/** Keys of which an empty value clears all others of the same kind too. */
const resetTogether: readonly RegExp[] = [
  /^Unit\.Condition/,
  /^Unit\.Assert/,
  /^Socket\.Listen/,
  /^Timer\.On(?!ClockChange|TimezoneChange)/,
  /^Path\.(?:Path|DirectoryNotEmpty)/,
]

/** Dependencies on the unit itself that are dropped with a word; others vanish silently. */
const warnedDependencies = new Set(['After', 'Before', 'Conflicts', 'OnFailure', 'OnSuccess'])

/** The other end of those that are warned of. */
const inverseDependencies: Readonly<Record<string, string>> = {
  After: 'Before',
  Before: 'After',
  Conflicts: 'ConflictedBy',
}

/** What grows while files are read, one assignment after the other. */
class EvaluationState {
  readonly messages: UnitMessage[] = []
  readonly settings = new Map<string, string[]>()
  readonly commands = new Map<string, ExecCommand[]>()
  /** Setting → identity of an entry → its place, for lists that hold each thing once. */
  readonly #places = new Map<string, Map<string, number>>()
  readonly #conditions: { readonly setting: string; readonly condition: UnitCondition }[] = []
  #unitName: string
  #names: ReadonlySet<string>
  readonly #expand: ExpandWord
  #defaultDescription: string | undefined

  constructor(unitName: string, expand: ExpandWord) {
    this.#unitName = unitName
    this.#names = new Set([unitName])
    this.#expand = expand
  }

  /** The unit gets its other names, and `main` as its own; dependencies on one of them are now on itself. */
  merge(main: string, aliases: readonly string[]): void {
    const asked = this.#unitName
    for (const other of new Set([main, ...aliases])) {
      if (other !== asked) this.#dropDependencies(other, asked)
    }
    if (main !== asked) {
      for (const [index, message] of this.messages.entries()) {
        if (message.line === undefined) this.messages[index] = { ...message, unit: asked }
      }
    }
    this.#unitName = main
    this.#names = new Set([main, asked, ...aliases])
  }

  #dropDependencies(other: string, asked: string): void {
    const found = [...this.settings].filter(([name, units]) => isDependency(name) && units.includes(other))
    const keys = found.map(([name]) => name.slice('Unit.'.length)).filter((key) => warnedDependencies.has(key))
    const merged = `is dropped, as ${other} is merged into ${asked}.`
    for (const [name, units] of found) {
      const kept = units.filter((unit) => unit !== other)
      this.settings.set(name, kept)
      this.#places.set(name, new Map(kept.map((unit, place) => [unit, place])))
    }
    for (const key of keys) this.messages.push({ priority: 'warning', text: `Dependency ${key}=${other} ${merged}` })
    for (const key of keys) {
      const inverse = inverseDependencies[key]
      if (inverse === undefined) continue
      this.messages.push({ priority: 'warning', text: `Dependency ${inverse}=${asked} in ${other} ${merged}` })
    }
  }

  /** Applies a file; tells why reading stopped before its end. */
  read(file: SystemdFile, parts: UnitNameParts, expand = this.#expand): ReadingStop | 'bad-setting' | undefined {
    const { events, stop } = readSections(file, parts.type)
    for (const event of events) {
      if (event.kind === 'message') this.messages.push(event.message)
      else {
        const stopped = this.#assign(event.assignment, expand)
        if (stopped !== undefined) return stopped === 'error' ? 'Invalid argument' : stopped
      }
    }
    return stop
  }

  #assign(assignment: SystemdAssignment, expand: ExpandWord): 'bad-setting' | 'error' | undefined {
    const { section, key, value, line, file } = assignment
    const option = knownOption(section, key)
    // PID 1 reads [Install] for its syntax only
    if (option === undefined || section === 'Install') return undefined
    const name = settingName(section, key, option)
    const place = file === undefined ? { line } : { line, file }
    if (value === '' && option.reset) {
      this.#reset(name)
      for (const finding of resetFindings(key, section)) this.messages.push({ ...finding, ...place })
      return undefined
    }
    if (value === '' && adds(option)) {
      for (const finding of resetFindings(key, section)) this.messages.push({ ...finding, ...place })
      return undefined
    }
    const isSet = this.settings.has(name)
    const reading = readValue({ unitName: this.#unitName, section, key, value, option, isSet, expand })
    for (const finding of reading.findings) this.messages.push({ ...finding, ...place })
    if (reading.commands !== undefined) {
      const commands = this.commands.get(key) ?? []
      this.commands.set(key, commands)
      commands.push(...reading.commands)
    }
    if (reading.values !== undefined) this.#keep(name, option, reading.values)
    return reading.stop
  }

  #reset(name: string): void {
    const group = resetTogether.find((pattern) => pattern.test(name))
    for (const setting of [...this.settings.keys()]) {
      if (setting !== name && !group?.test(setting)) continue
      this.settings.delete(setting)
      this.#places.delete(setting)
    }
    if (group !== undefined) {
      const rest = this.#conditions.filter(({ setting }) => !group.test(setting))
      this.#conditions.splice(0, this.#conditions.length, ...rest)
    }
    this.commands.delete(name.slice(name.indexOf('.') + 1))
    // here empty is a value of its own: no capability at all
    if (name.endsWith('.CapabilityBoundingSet')) this.settings.set(name, [])
  }

  #keep(name: string, option: KnownOption, values: readonly string[]): void {
    if (!option.list) {
      this.settings.set(name, [...values])
      return
    }
    const list = this.settings.get(name) ?? []
    this.settings.set(name, list)
    if (option.type === 'unit names') {
      for (const unit of values) this.#depend(name, list, unit)
    } else if (name.endsWith('.Environment')) {
      // a later value takes the place of an earlier one of the same name
      for (const assignment of values) this.#putOnce(name, list, variableName(assignment), assignment)
    } else list.push(...values)
    if (option.type !== 'condition' && option.type !== 'condition path') return
    for (const value of values) this.#conditions.push({ setting: name, condition: conditionOf(name, value) })
  }

  #putOnce(name: string, list: string[], identity: string, entry: string): void {
    const places = this.#places.get(name) ?? new Map<string, number>()
    this.#places.set(name, places)
    const place = places.get(identity) ?? list.length
    places.set(identity, place)
    list[place] = entry
  }

  #depend(name: string, list: string[], unit: string): void {
    if (!this.#names.has(unit)) {
      this.#putOnce(name, list, unit, unit)
      return
    }
    const key = name.slice('Unit.'.length)
    if (!warnedDependencies.has(key)) return
    this.messages.push({ priority: 'warning', text: `Dependency ${key}=${this.#unitName} is dropped.` })
  }

  /** A description for a unit that has none of its own. */
  describe(description: string | undefined): void {
    if (description !== undefined && !this.settings.has('Unit.Description')) this.#defaultDescription = description
  }

  result(loadState: LoadState, loadError?: string): UnitEvaluation {
    const list = (name: string): readonly string[] => this.settings.get(name) ?? []
    const description = this.settings.get('Unit.Description')?.[0] ?? this.#defaultDescription
    const ofKind = (kind: string): readonly UnitCondition[] =>
      this.#conditions.filter(({ setting }) => setting.startsWith(kind)).map(({ condition }) => condition)
    const own = (key: string): readonly string[] =>
      [...this.settings].find(([name]) => name.endsWith(`.${key}`) && !name.startsWith('Unit.'))?.[1] ?? []
    const dependencies = [...this.settings].filter(([name]) => isDependency(name))
    return {
      unitName: this.#unitName,
      mainFile: 'read',
      loadState,
      ...(loadError === undefined ? {} : { loadError }),
      messages: this.messages,
      ...(description === undefined ? {} : { description }),
      documentation: list('Unit.Documentation'),
      conditions: ofKind('Unit.Condition'),
      asserts: ofKind('Unit.Assert'),
      environment: own('Environment'),
      environmentFiles: own('EnvironmentFile').map((path) =>
        path.startsWith('-') ? { path: path.slice(1), optional: true } : { path, optional: false },
      ),
      commands: this.commands,
      dependencies: new Map(dependencies.map(([name, units]) => [name.slice('Unit.'.length), units])),
      settings: this.settings,
    }
  }
}

/** Lists of which an empty value clears nothing. */
const adds = (option: KnownOption): boolean =>
  option.type === 'unit names' || option.type === 'socket names' || option.type === 'paths'

const isDependency = (name: string): boolean => {
  const [section = '', key = ''] = name.split('.')
  return section === 'Unit' && knownOption(section, key)?.type === 'unit names'
}

/** Obsolete spellings that mean exactly another key of the same section are kept under that one. */
function settingName(section: string, key: string, option: KnownOption): string {
  const replaced = option.type === 'unit names' || key === 'StartLimitInterval' ? option.replacedBy : undefined
  if (replaced === undefined) return `${section}.${key}`
  return replaced.endsWith(' in [Unit]') ? `Unit.${replaced.slice(0, -' in [Unit]'.length)}` : `${section}.${replaced}`
}

function conditionOf(name: string, value: string): UnitCondition {
  const trigger = value.startsWith('|')
  const rest = trigger ? value.slice(1) : value
  const negate = rest.startsWith('!')
  return { name: name.slice('Unit.'.length), trigger, negate, parameter: negate ? rest.slice(1) : rest }
}

const variableName = (assignment: string): string => assignment.slice(0, assignment.indexOf('='))
