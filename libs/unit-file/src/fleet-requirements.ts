/**
 * [X-Fleet] with the traps of fleet 1.0 repaired, each under a name of its own: what our daemons read and what a unit is
 * checked against on create. spec/fleet.md §12, traps 33–37.
 */
import { parseFleetName } from './fleet-name.ts'
import {
  combinationError,
  type FleetRequirements,
  fleetItems,
  fleetKeys,
  isFleetTrue,
  metadataOf,
  readFleetRequirements,
  unrecognizedFleetKeys,
} from './fleet-options.ts'
import { expandFleetSpecifiers } from './fleet-specifiers.ts'
import type { UnitOption } from './option.ts'
import { quotedRawWords, splitWords } from './words.ts'

/** The points in which a reading of [X-Fleet] may leave fleet 1.0. */
export type RequirementsPolicy = {
  /** `fleet`: a value is a list only between two double quotes (trap 36). `systemd`: words, quotes anywhere. */
  readonly quoting: 'fleet' | 'systemd'
  /** `conflicts`: only `Conflicts=` is split at blanks (trap 35). `all`: the other lists too. */
  readonly splitting: 'conflicts' | 'all'
  /** `ignore`: metadata that is not `key=value` counts for nothing, and the unit runs anywhere (trap 33). */
  readonly malformedMetadata: 'ignore' | 'refuse'
  /** `raw`: combinations are checked before specifiers are expanded (trap 37). */
  readonly combinations: 'raw' | 'expanded'
  /** `silent`: a key that fleet does not know is nobody's business here (trap 34). */
  readonly unknownKeys: 'silent' | 'warn'
}

/** Exactly fleet 1.0. */
export const fleetRequirementsPolicy: RequirementsPolicy = {
  quoting: 'fleet',
  splitting: 'conflicts',
  malformedMetadata: 'ignore',
  combinations: 'raw',
  unknownKeys: 'silent',
}

/** What our own daemons use: traps 33 to 37 repaired. */
export const defaultRequirementsPolicy: RequirementsPolicy = {
  quoting: 'systemd',
  splitting: 'all',
  malformedMetadata: 'refuse',
  combinations: 'expanded',
  unknownKeys: 'warn',
}

/**
 * What a unit of this name is checked against when it is created. What a template asks for is known only once it has
 * an instance: `key=%i` is nothing malformed yet.
 */
export const creationPolicyFor = (unitName: string): RequirementsPolicy =>
  parseFleetName(unitName)?.isTemplate === true
    ? { ...defaultRequirementsPolicy, combinations: 'raw', malformedMetadata: 'ignore' }
    : defaultRequirementsPolicy

/** Something wrong with the requirements of a unit, and where it stands. */
export type RequirementsFinding = {
  readonly kind: 'refused-combination' | 'malformed-metadata' | 'bad-quoting' | 'unknown-key'
  /** `error`: the unit must not be created like this. */
  readonly severity: 'error' | 'warning'
  /** Where: a key of [X-Fleet], with the value as written where one value is at fault. */
  readonly place: { readonly section: 'X-Fleet'; readonly key?: string; readonly value?: string }
  readonly message: string
  readonly remedy: string
}

/** The requirements of a unit under a policy. What the findings of `checkUnitRequirements` are about counts for nothing. */
export function readRequirements(
  unitName: string,
  options: readonly UnitOption[],
  policy: RequirementsPolicy = defaultRequirementsPolicy,
): FleetRequirements {
  if (policy.quoting === 'fleet' && policy.splitting === 'conflicts') return readFleetRequirements(unitName, options)
  return readValues(unitName, options, policy).requirements
}

/**
 * Everything that is wrong with a unit's [X-Fleet] section, errors first. Cycles of MachineOf are not seen here: they
 * take several units.
 */
export function checkUnitRequirements(
  unitName: string,
  options: readonly UnitOption[],
  policy: RequirementsPolicy = defaultRequirementsPolicy,
): readonly RequirementsFinding[] {
  const { findings } = readValues(unitName, options, policy)
  const name = policy.combinations === 'expanded' ? unitName : ''
  const combination = combinationError(readRequirements(name, options, policy))
  return [
    ...(combination === undefined ? [] : [refusedCombination(combination)]),
    ...findings,
    ...(policy.unknownKeys === 'warn' ? unrecognizedFleetKeys(options).map(unknownKey) : []),
  ]
}

type Value = { readonly key: string; readonly text: string; readonly option: string }

function readValues(
  unitName: string,
  options: readonly UnitOption[],
  policy: RequirementsPolicy,
): { readonly requirements: FleetRequirements; readonly findings: readonly RequirementsFinding[] } {
  const findings: RequirementsFinding[] = []
  const values = options.flatMap(({ section, name, value }): readonly Value[] => {
    if (section !== 'X-Fleet') return []
    const words = wordsOf(name, value, policy)
    if (words === undefined) findings.push(badQuoting(name, value))
    return (words ?? []).map((text) => ({ key: name, text: expandFleetSpecifiers(unitName, text), option: value }))
  })
  const of = (keys: readonly string[]): readonly Value[] =>
    keys.flatMap((key) => values.filter((item) => item.key === key))
  const textsOf = (keys: readonly string[]): readonly string[] => of(keys).map(({ text }) => text)

  const pairs = of(fleetKeys.metadata).flatMap((item) => {
    const [key, value, ...more] = item.text.split('=')
    if (key && value && more.length === 0) return [[key, value] as const]
    if (policy.malformedMetadata === 'refuse') findings.push(malformedMetadata(item))
    return []
  })
  const machineId = fleetKeys.machineId.map((key) => textsOf([key])[0]).find((text) => text !== undefined)
  const requirements = {
    ...(machineId === undefined ? {} : { machineId }),
    machineOf: textsOf(fleetKeys.machineOf),
    conflicts: textsOf(fleetKeys.conflicts).flatMap((text) => text.split(blanks).filter((word) => word !== '')),
    replaces: textsOf(fleetKeys.replaces),
    metadata: metadataOf(pairs),
    global: isFleetTrue(textsOf(fleetKeys.global).at(-1) ?? ''),
  }
  return { requirements, findings }
}

const listKeys: ReadonlySet<string> = new Set([
  ...fleetKeys.machineOf,
  ...fleetKeys.metadata,
  ...fleetKeys.conflicts,
  ...fleetKeys.replaces,
])

/** Absent: a quote does not end. Backslashes stay, since globs and escaped unit names need them. */
function wordsOf(
  key: string,
  value: string,
  { quoting, splitting }: RequirementsPolicy,
): readonly string[] | undefined {
  const isList = splitting === 'all' && listKeys.has(key)
  if (quoting === 'fleet') {
    const items = fleetItems([{ section: 'X-Fleet', name: key, value }]).get(key) ?? []
    return isList ? items.flatMap((item) => item.split(blanks).filter((word) => word !== '')) : items
  }
  if (!isList && !/["']/.test(value)) return [value]
  const words = splitWords(value, quotedRawWords)
  return words.ok ? words.value : undefined
}

const blanks = /[ \t\n\r]+/

const refusedCombination = (message: string): RequirementsFinding => ({
  kind: 'refused-combination',
  severity: 'error',
  place: { section: 'X-Fleet' },
  message,
  remedy: 'keep one of the two requirements: no machine can meet both',
})

const malformedMetadata = ({ key, text, option }: Value): RequirementsFinding => ({
  kind: 'malformed-metadata',
  severity: 'error',
  place: { section: 'X-Fleet', key, value: option },
  message: `${key}= holds “${text}”, which is not one key=value`,
  remedy: 'write key=value without blanks or a second “=”; put a value with blanks between double quotes: "key=a b"',
})

const badQuoting = (key: string, value: string): RequirementsFinding => ({
  kind: 'bad-quoting',
  severity: 'error',
  place: { section: 'X-Fleet', key, value },
  message: `${key}=${value} has a quote that does not end`,
  remedy: 'close the quote, or write the value without quotes',
})

const unknownKey = (key: string): RequirementsFinding => ({
  kind: 'unknown-key',
  severity: 'warning',
  place: { section: 'X-Fleet', key },
  message: `unknown requirement ${key}= has no effect`,
  remedy: `known are ${Object.values(fleetKeys)
    .map((keys) => keys.find((known) => !known.startsWith('X-')))
    .join(', ')}; keys are case-sensitive`,
})
