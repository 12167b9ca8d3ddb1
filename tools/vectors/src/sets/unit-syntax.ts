/** Recorded from systemd 252 and fleet 1.0: the text of a unit → the unit as systemd loads it, and as fleet reads it. */
import {
  decodeBytes,
  encodeText,
  hashOptions,
  parseUnitFile,
  readAsFleet,
  readAsSystemd,
  renderOptions,
  renderUnitFile,
  type UnitCondition,
  type UnitEvaluation,
} from '@cluster/unit-file'
import { differences } from '../differences.ts'
import { isRecorded, objectIn, objectsIn, type RecordedCase, recordedFiles, textIn } from '../recorded-cases.ts'
import {
  caseText,
  commandDifferences,
  messageDifferences,
  recordedMachine,
  textDifferences,
} from '../recorded-units.ts'
import type { Difference, VectorCase, VectorFolder, VectorSet } from '../vector-set.ts'
import { lintCases } from './lint-examples.ts'

/**
 * Files whose cases have `unit`, `systemd` and `fleet`: compared are load state, messages, description, documentation,
 * conditions, environment, commands, and all of `fleet`. Files whose cases have `file` and `loadedAs`: the same of real
 * units, which lie in the corpus. Files whose cases have `finding`: see lint-examples.ts.
 */
export const unitSyntax: VectorSet = {
  name: 'unit-syntax',
  cases: (folder) => [...textCases(folder), ...corpusCases(folder), ...lintCases(folder)],
  notes: (folder) => {
    const missing = corpusEntries(folder).filter(({ recorded }) => corpusFile(folder, recorded) === undefined).length
    return missing === 0
      ? []
      : [`${missing} cases of real units are left out: their files are not at hand (../corpus/files)`]
  },
}

const textCases = (folder: VectorFolder): readonly VectorCase[] =>
  recordedFiles(folder, ['unit', 'systemd', 'fleet']).flatMap(({ file, cases }) =>
    cases.map((recorded) => ({
      name: `${file}: ${textIn(recorded, 'name')}`,
      run: () => [
        ...sourceDifferences(caseText(recorded)),
        ...systemdDifferences(recorded, objectIn(recorded, 'systemd')),
        ...fleetDifferences(caseText(recorded), objectIn(recorded, 'fleet')),
      ],
    })),
  )

/** The lossless model gives back what was read. */
function sourceDifferences(text: string | Uint8Array): readonly Difference[] {
  const read = typeof text === 'string' ? text : decodeBytes(text)
  return renderUnitFile(parseUnitFile(text)) === read
    ? []
    : [{ at: 'source', expected: 'rendered as read', actual: 'other text' }]
}

function systemdDifferences(recorded: RecordedCase, systemd: RecordedCase): readonly Difference[] {
  const unitName = textIn(recorded, 'unit')
  const evaluation = readAsSystemd(caseText(recorded), { unitName, specifiers: recordedMachine })
  return [
    ...differences(systemd['loadState'], evaluation.loadState, 'systemd.loadState'),
    ...differences(systemd['loadError'], evaluation.loadError?.replace(unitName, 'UNIT'), 'systemd.loadError'),
    ...messageDifferences(systemd, evaluation.messages),
    ...(systemd['loadState'] === 'loaded' ? propertyDifferences(objectIn(systemd, 'properties'), evaluation) : []),
  ]
}

function propertyDifferences(properties: RecordedCase, evaluation: UnitEvaluation): readonly Difference[] {
  const commands = new Set([...evaluation.commands.keys(), ...Object.keys(properties).filter(isCommandKey)])
  return [
    ...textDifferences(properties['Description'], evaluation.description, 'Description'),
    ...differences(properties['Documentation'] ?? [], evaluation.documentation, 'Documentation'),
    ...conditionDifferences(properties['Conditions'], evaluation.conditions, 'Conditions'),
    ...conditionDifferences(properties['Asserts'], evaluation.asserts, 'Asserts'),
    ...listDifferences(properties['Environment'], evaluation.environment, 'Environment'),
    ...differences(
      properties['EnvironmentFiles'] ?? [],
      evaluation.environmentFiles.map(({ path, optional }) => [path, optional]),
      'EnvironmentFiles',
    ),
    ...[...commands].flatMap((key) => commandDifferences(properties[key], evaluation.commands.get(key) ?? [], key)),
  ]
}

const isCommandKey = (key: string): boolean =>
  /^Exec(?:Condition|StartPre|Start|StartPost|Reload|Stop|StopPre|StopPost)$/.test(key)

function listDifferences(expected: unknown, actual: readonly string[], at: string): readonly Difference[] {
  const recorded: readonly unknown[] = Array.isArray(expected) ? expected : []
  if (recorded.length !== actual.length) return differences(recorded, actual, at)
  return recorded.flatMap((text, index) => textDifferences(text, actual[index], `${at}[${index}]`))
}

function conditionDifferences(expected: unknown, actual: readonly UnitCondition[], at: string): readonly Difference[] {
  const recorded = Array.isArray(expected) ? expected.filter(isRecorded) : []
  if (recorded.length !== actual.length) return differences(recorded, actual, at)
  return recorded.flatMap((condition, index) => {
    const { parameter, ...rest } = condition
    const { parameter: found, ...others } = actual[index] ?? { parameter: undefined }
    return [
      ...textDifferences(parameter, found, `${at}[${index}].parameter`),
      ...differences(rest, others, `${at}[${index}]`),
    ]
  })
}

function fleetDifferences(text: string | Uint8Array, fleet: RecordedCase): readonly Difference[] {
  const options = readAsFleet(text)
  if (!options.ok) return differences(fleet, { error: options.error.message }, 'fleet')
  const rendered = renderOptions(options.value)
  const encoded = fleet['optionsBase64'] !== undefined
  const written = (part: string): string => (encoded ? Buffer.from(encodeText(part)).toString('base64') : part)
  const listed = options.value.map(({ section, name, value }) => [section, name, value].map(written))
  return [
    ...differences(fleet['error'], undefined, 'fleet.error'),
    ...optionDifferences(fleet['optionsBase64'] ?? fleet['options'], listed),
    ...renderDifferences(fleet, rendered),
    ...differences(fleet['hash'], hashOptions(options.value), 'fleet.hash'),
  ]
}

/** Long texts were recorded by their hash only. */
function renderDifferences(fleet: RecordedCase, rendered: string): readonly Difference[] {
  const { render, renderBase64 } = fleet
  if (renderBase64 !== undefined) {
    return differences(renderBase64, Buffer.from(encodeText(rendered)).toString('base64'), 'fleet.render')
  }
  return render === undefined ? [] : textDifferences(render, rendered, 'fleet.render')
}

function optionDifferences(expected: unknown, actual: readonly (readonly string[])[]): readonly Difference[] {
  const recorded: readonly unknown[] = Array.isArray(expected) ? expected : []
  if (recorded.length !== actual.length) return differences(recorded, actual, 'fleet.options')
  return recorded.flatMap((option, index) =>
    (Array.isArray(option) ? option : []).flatMap((part: unknown, place) =>
      textDifferences(part, actual[index]?.[place], `fleet.options[${index}][${place}]`),
    ),
  )
}

type CorpusEntry = { readonly file: string; readonly recorded: RecordedCase }

const corpusEntries = (folder: VectorFolder): readonly CorpusEntry[] =>
  recordedFiles(folder, ['file', 'loadedAs', 'loadState']).flatMap(({ file, cases }) =>
    cases.map((recorded) => ({ file, recorded })),
  )

function corpusFile(folder: VectorFolder, recorded: RecordedCase): Uint8Array | undefined {
  const name = textIn(recorded, 'file')
  for (const place of [`../corpus/files/${name}`, `files/${name}`, name]) {
    try {
      return folder.readBytes(place)
    } catch {
      // the file lies in another place, or is not at hand at all: then the case is left out, with a note
    }
  }
  return undefined
}

const corpusCases = (folder: VectorFolder): readonly VectorCase[] =>
  corpusEntries(folder).flatMap(({ file, recorded }) => {
    const text = corpusFile(folder, recorded)
    if (text === undefined) return []
    return [{ name: `${file}: ${textIn(recorded, 'file')}`, run: () => realUnitDifferences(recorded, text) }]
  })

function realUnitDifferences(recorded: RecordedCase, text: Uint8Array): readonly Difference[] {
  const unitName = textIn(recorded, 'loadedAs')
  const evaluation = readAsSystemd(text, { unitName, specifiers: recordedMachine })
  const files = evaluation.environmentFiles.map(({ path, optional }) => (optional ? `-${path}` : path))
  const conditions = objectsIn(recorded, 'conditions')
  return [
    ...sourceDifferences(text),
    ...differences(recorded['loadState'], evaluation.loadState, 'loadState'),
    ...messageDifferences(recorded, evaluation.messages),
    ...differences(recorded['description'], evaluation.description ?? unitName, 'description'),
    ...differences(recorded['documentation'] ?? [], evaluation.documentation, 'documentation'),
    ...differences(recorded['environment'] ?? [], evaluation.environment, 'environment'),
    ...differences(recorded['environmentFiles'] ?? [], files, 'environmentFiles'),
    ...(recorded['conditions'] !== undefined && conditions.length === 0
      ? differences(recorded['conditions'], evaluation.conditions.map(conditionText), 'conditions')
      : conditionDifferences(conditions, evaluation.conditions, 'conditions')),
    // commands were recorded of services only
    ...['execStart', 'execStartPre', 'execReload', 'execStop'].flatMap((field) =>
      !unitName.endsWith('.service')
        ? []
        : commandDifferences(recorded[field], evaluation.commands.get(`E${field.slice(1)}`) ?? [], field),
    ),
  ]
}

const conditionText = ({ name, trigger, negate, parameter }: UnitCondition): string =>
  `${name}=${trigger ? '|' : ''}${negate ? '!' : ''}${parameter}`
