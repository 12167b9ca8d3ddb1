/** Recorded from fleet 1.0's Go packages: one name and one unit text → everything that fleet reads from them. */
import {
  checkFleetOptions,
  checkFleetUnitName,
  fleetItems,
  hashOptions,
  parseFleetName,
  readAsFleet,
  readFleetRequirements,
  renderOptions,
  type UnitOption,
  unrecognizedFleetKeyMessage,
  unrecognizedFleetKeys,
} from '@cluster/unit-file'
import { differences } from '../differences.ts'
import { type RecordedCase, recordedFiles, textIn } from '../recorded-cases.ts'
import type { Difference, VectorSet } from '../vector-set.ts'

/** Files of the folder that are lists of cases with `id`, `name` and `content`. All fields of a case are exact. */
export const xfleetOptions: VectorSet = {
  name: 'xfleet-options',
  cases: (folder) =>
    recordedFiles(folder, ['id', 'name', 'content']).flatMap(({ file, cases }) =>
      cases.map((recorded) => ({ name: `${file}: ${textIn(recorded, 'id')}`, run: () => compare(recorded) })),
    ),
}

function compare(recorded: RecordedCase): readonly Difference[] {
  const { id: _id, name: _name, content: _content, note: _note, ...expected } = recorded
  const { warnings, fields } = read(textIn(recorded, 'name'), textIn(recorded, 'content'))
  if (fields.parseError !== null) return differences(expected, fields)
  const warning = expected['requirementsWarning']
  // fleetctl names one unknown key, whichever Go's map gives first: any of ours is right.
  const isOneOfOurs = typeof warning === 'string' && warnings.includes(warning)
  return differences(expected, { ...fields, requirementsWarning: isOneOfOurs ? warning : (warnings[0] ?? null) })
}

function read(name: string, content: string): { readonly fields: Fields; readonly warnings: readonly string[] } {
  const nameCheck = checkFleetUnitName(name)
  const nameError = nameCheck.ok ? null : nameCheck.error.message
  const parsed = readAsFleet(content)
  if (!parsed.ok) return { fields: { nameError, parseError: parsed.error.message }, warnings: [] }
  const options = parsed.value
  const requirements = readFleetRequirements(name, options)
  const items = fleetItems(options)
  const combinations = checkFleetOptions(options)
  return {
    warnings: unrecognizedFleetKeys(options).map(unrecognizedFleetKeyMessage),
    fields: {
      nameError,
      nameInfo: parseFleetName(name) ?? null,
      parseError: null,
      options: options.length === 0 ? null : options.map(({ section, name: key, value }) => [section, key, value]),
      serialized: renderOptions(options),
      hash: hashOptions(options),
      description: descriptionOf(options),
      xfleet: items.size === 0 ? null : Object.fromEntries(items),
      conflicts: requirements.conflicts,
      peers: requirements.machineOf,
      replaces: requirements.replaces,
      machineID: requirements.machineId ?? null,
      metadata: Object.fromEntries(requirements.metadata),
      global: requirements.global,
      optionsError: combinations.ok ? null : combinations.error.message,
    },
  }
}

type Fields = Readonly<Record<string, unknown>> & { readonly parseError: string | null }

const descriptionOf = (options: readonly UnitOption[]): string =>
  options.find(({ section, name }) => section === 'Unit' && name === 'Description')?.value ?? ''
