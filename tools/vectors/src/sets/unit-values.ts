/** Recorded from systemd 252: one assignment in an otherwise good unit → the value it keeps, or its complaint. */
import { assert } from '@cluster/prelude'
import {
  type KnownOption,
  knownOption,
  knownOptions,
  parseBoolean,
  parseMode,
  parseNanoseconds,
  parsePermyriad,
  parseSignal,
  parseSize,
  parseTimeSpan,
  readAsSystemd,
  type UnitEvaluation,
} from '@cluster/unit-file'
import { differences } from '../differences.ts'
import { isRecorded, objectIn, type RecordedCase, recordedFiles, textIn } from '../recorded-cases.ts'
import { messageDifferences, recordedMachine } from '../recorded-units.ts'
import type { Difference, VectorCase, VectorFolder, VectorSet } from '../vector-set.ts'

/**
 * Files whose cases have `section`, `key`, `value` and `property`: compared are whether the value is accepted, the
 * complaints, whether the unit loads, and the value itself where the library reads values of its type (calendar
 * expressions, lists of processors and flags of filters are kept as text). Files with `sections`: what is known of each key.
 */
export const unitValues: VectorSet = {
  name: 'unit-values',
  cases: (folder) => [...valueCases(folder), ...optionCases(folder)],
}

const valueCases = (folder: VectorFolder): readonly VectorCase[] =>
  recordedFiles(folder, ['section', 'key', 'value', 'property']).flatMap(({ file, cases }) => {
    const context = contextOf(folder.readJson(file))
    return cases.map((recorded, index) => ({
      name: `${file}: ${index + 1} ${textIn(recorded, 'key')}=${textIn(recorded, 'value')}`,
      run: () => valueDifferences(recorded, context, `vv${String(index).padStart(4, '0')}`),
    }))
  })

const contextOf = (json: unknown): RecordedCase => (isRecorded(json) ? objectIn(json, 'context') : {})

/** A good unit of each type with one line more. */
const surroundings: Readonly<Record<string, readonly [type: string, before: string, behind: string]>> = {
  Unit: ['service', '[Service]\nExecStart=/bin/true\n[Unit]\n', ''],
  Service: ['service', '[Service]\nExecStart=/bin/true\n', ''],
  Socket: ['socket', '[Socket]\nListenStream=/run/x\n', ''],
  // a timer must have a trigger, and a trigger that is empty takes the others back
  Timer: ['timer', '[Timer]\n', '\nOnBootSec=1\n'],
}

/** @param stem of the unit's name, which the recorder counted */
function valueDifferences(recorded: RecordedCase, context: RecordedCase, stem: string): readonly Difference[] {
  const section = textIn(recorded, 'section')
  const key = textIn(recorded, 'key')
  const value = textIn(recorded, 'value')
  const around = surroundings[section]
  assert(around !== undefined, `section ${section} has a unit to stand in`)
  const [unitType, before, behind] = around
  const unitName = `${stem}.${unitType}`
  const evaluation = readAsSystemd(`${before}${key}=${value}\n${behind}`, { unitName, specifiers: recordedMachine })
  const kept = keptValues(evaluation, section, key)
  const isDefault = recorded['isDefault'] === true
  return [
    ...differences(recorded['loadState'] ?? 'loaded', evaluation.loadState, 'loadState'),
    ...messageDifferences(recorded, evaluation.messages, { lines: 'other-file' }),
    ...(recorded['loadState'] !== undefined || isDefault || recorded['accepted'] === false
      ? []
      : parsedDifferences(recorded, kept, context)),
    ...(isDefault && recorded['accepted'] === false && isPlain(section, key) && kept.length > 0
      ? differences('nothing', kept, 'kept')
      : []),
  ]
}

const isPlain = (section: string, key: string): boolean => knownOption(section, key)?.list === false

const keptValues = ({ settings }: UnitEvaluation, section: string, key: string): readonly string[] =>
  settings.get(`${section}.${key}`) ?? []

const infinity = 2 ** 64 - 1

function parsedDifferences(
  recorded: RecordedCase,
  kept: readonly string[],
  context: RecordedCase,
): readonly Difference[] {
  const { parsed } = recorded
  const key = textIn(recorded, 'key')
  const type = textIn(recorded, 'type')
  if (type === 'words') return wordDifferences(recorded, kept)
  const [text] = kept
  if (text === undefined) return []
  const read = readers[type]?.(text, key, context)
  return read === undefined ? [] : differences(parsed, read, 'parsed')
}

type Read = (text: string, key: string, context: RecordedCase) => unknown

const span = (text: string): number | undefined => {
  const time = parseTimeSpan(text)
  return time === undefined ? undefined : time === 'infinity' ? infinity : Number(time)
}

const whole = (text: string): unknown => (/^-?[1-9]\d*$|^0$/.test(text) ? Number(text) : undefined)

const sizeOf = (text: string): number | undefined => {
  const size = parseSize(text)
  return text === 'infinity' ? infinity : size.ok ? Number(size.value) : undefined
}

/** Values as numbers and words, by the type that the recorder gives; absent or `undefined`: kept as text. */
const readers: Readonly<Record<string, Read>> = {
  'time span': span,
  'time span, 0 = infinity': (text) => (span(text) === 0 ? infinity : span(text)),
  'time span in nanoseconds': (text) => {
    const time = parseNanoseconds(text)
    return time === undefined || time === 'infinity' ? undefined : Number(time)
  },
  boolean: (text) => parseBoolean(text),
  'memory size': (text, _key, context) => {
    const part = parsePermyriad(text)
    if (part === undefined) return sizeOf(text)
    const pages = Math.floor((Number(context['memoryTotal']) / 4096) * (part / 10_000))
    return pages * 4096
  },
  'size, base 1024': sizeOf,
  'limit, size': (text) => {
    const [soft = '', hard = soft] = text.split(':')
    return { soft: sizeOf(soft), hard: sizeOf(hard) }
  },
  'octal mode': (text) => parseMode(text),
  signal: (text) => parseSignal(text),
  nice: whole,
  'oom score': whole,
  weight: whole,
  percent: (text) => {
    const part = parsePermyriad(text)
    return part === undefined ? undefined : part * 100
  },
  user: (text) => text,
  path: (text, key) => (key === 'PIDFile' ? undefined : text.replace(/^-/, '') === text ? text : undefined),
  enum: (text, key) => {
    // systemd shows what an inherited stream comes to, and one word for yes
    if (key === 'StandardOutput') return text === 'inherit' || text.includes(':') ? undefined : text
    return parseBoolean(text) === undefined ? text : undefined
  },
}

/** Lists of plain words; what has parts or flags is kept as it was written. */
function wordDifferences(recorded: RecordedCase, kept: readonly string[]): readonly Difference[] {
  const { parsed } = recorded
  // each text for standard input gets a line end
  const end = textIn(recorded, 'key') === 'StandardInputText' ? '\n' : ''
  if (typeof parsed === 'string') return differences(parsed, `${kept[0] ?? ''}${end}`, 'parsed')
  if (!Array.isArray(parsed) || !parsed.every((word) => typeof word === 'string')) return []
  const inOrder = (words: readonly unknown[]): readonly unknown[] => words.map(String).sort()
  return textKeys.has(textIn(recorded, 'key')) ? differences(inOrder(parsed), inOrder(kept), 'parsed') : []
}

/** Keys whose words the bus shows as they are kept. */
const textKeys: ReadonlySet<string> = new Set([
  'ReadWritePaths',
  'InaccessiblePaths',
  'SupplementaryGroups',
  'PassEnvironment',
  'UnsetEnvironment',
  'Environment',
  'LogExtraFields',
  'Documentation',
  'Wants',
  'OnFailure',
  'JoinsNamespaceOf',
  'RequiresMountsFor',
  'ConfigurationDirectory',
  'StateDirectory',
])

const optionCases = (folder: VectorFolder): readonly VectorCase[] =>
  folder.files
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const json = folder.readJson(file)
      if (!isRecorded(json)) return []
      return Object.keys(objectIn(json, 'sections')).map((section) => ({
        name: `${file}: [${section}]`,
        run: () => sectionDifferences(section, objectIn(objectIn(json, 'sections'), section)),
      }))
    })

function sectionDifferences(section: string, keys: RecordedCase): readonly Difference[] {
  const known = [...(knownOptions.get(section)?.keys() ?? [])].sort()
  return [
    ...differences(Object.keys(keys).sort(), known, `[${section}]`),
    ...Object.keys(keys).flatMap((key) => optionDifferences(objectIn(keys, key), knownOption(section, key), key)),
  ]
}

function optionDifferences(
  recorded: RecordedCase,
  option: KnownOption | undefined,
  key: string,
): readonly Difference[] {
  const { type, list, reset, specifiers, split, replacedBy } = recorded
  return differences(
    { type, list, reset, specifiers, split, replacedBy },
    {
      type: option?.type,
      list: option?.list,
      reset: option?.reset,
      specifiers: option?.specifiers,
      split: option?.split,
      replacedBy: option?.replacedBy,
    },
    key,
  )
}
