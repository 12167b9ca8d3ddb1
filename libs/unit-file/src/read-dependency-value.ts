/**
 * Values that name other units, and conditions: what must be there for a unit to start, as systemd 252 takes them.
 * Messages are systemd's.
 */
import { err } from '@cluster/prelude'
import type { ExpandWord } from './exec-line.ts'
import { resetFindings } from './obsolete-keys.ts'
import type { ValueFinding } from './unit-message.ts'
import { isUnitName, parseUnitName } from './unit-name.ts'
import {
  ignored,
  invalidSyntax,
  kept,
  type Reader,
  readPath,
  readWords,
  type ValueInput,
  type ValueReading,
  warning,
} from './value-reading.ts'
import { plainRawWords, plainWords } from './words.ts'

/** Units that this one depends on; templates are filled in with its instance. */
export const dependencies: Reader = (input) => {
  const { key, unitName } = input
  const reading = readWords(
    { ...input, expand: inNames(input.expand) },
    plainRawWords,
    invalidSyntax,
    (word) => resolveDependency(unitName, word) ?? dependencyFailure(word),
  )
  return { ...reading, findings: [...resetFindings(key), ...reading.findings] }
}

/** A dependency, with a template filled in for this unit. */
function resolveDependency(unitName: string, name: string): string | undefined {
  const parts = parseUnitName(name)
  if (!parts.ok) return undefined
  if (parts.value.kind !== 'template') return name
  const own = parseUnitName(unitName)
  if (!own.ok) return undefined
  const filled = `${parts.value.prefix}@${own.value.instance === '' ? own.value.prefix : own.value.instance}.${parts.value.type}`
  return isUnitName(filled) ? filled : undefined
}

const dependencyFailure = (name: string): ValueFinding =>
  warning(`Failed to add dependency on ${name}, ignoring: Invalid argument`)

/** The slice that the unit is in. */
export const sliceName: Reader = (input) =>
  expandName(input, (name) => {
    const reason = isTemplate(name) ? 'is missing the instance name' : isUnitName(name) ? undefined : 'is not valid'
    if (reason !== undefined) {
      return ignored(warning(`Failed to load slice unit ${name}, ignoring: Unit name ${name} ${reason}.`))
    }
    // the parent of a slice follows from its name
    if (name.endsWith('.slice') && input.section !== 'Slice') return kept(name)
    return ignored(warning(`Failed to assign slice ${name} to unit ${input.unitName}, ignoring: Invalid argument`))
  })

/** The sockets of a service. */
export const socketNames: Reader = (input) =>
  readWords(
    { ...input, expand: inNames(input.expand) },
    plainWords,
    (value) => `Trailing garbage in sockets, ignoring: ${value}`,
    (word) => {
      if (!word.endsWith('.socket')) return warning(`Unit must be of type socket, ignoring: ${word}`)
      return resolveDependency(input.unitName, word) ?? dependencyFailure(word)
    },
  )

/** The service that a socket starts. */
export const serviceName: Reader = (input) =>
  expandName(input, (name) => {
    if (!name.endsWith('.service')) return ignored(warning(`Unit must be of type service, ignoring: ${input.value}`))
    const reason = isTemplate(name) ? 'is missing the instance name' : isUnitName(name) ? undefined : 'is not valid'
    if (reason === undefined) return kept(name)
    return ignored(warning(`Failed to load unit ${name}, ignoring: Unit name ${name} ${reason}.`))
  })

/** The unit that a timer, path or automount starts: one, and not itself. */
export const triggeredUnit: Reader = (input) => {
  if (input.isSet) return ignored(warning(`Multiple units to trigger specified, ignoring: ${input.value}`))
  return expandName(input, (name) => {
    if (!unitSuffix.test(name)) return ignored(warning(`Unit type not valid, ignoring: ${input.value}`))
    if (name === input.unitName) return ignored(warning(`Units cannot trigger themselves, ignoring: ${input.value}`))
    const unit = resolveDependency(input.unitName, name)
    return unit === undefined
      ? ignored(warning(`Failed to add trigger on ${name}, ignoring: Invalid argument`))
      : kept(unit)
  })
}

const unitSuffix = /^[^/]+\.(?:service|socket|target|device|mount|automount|swap|timer|path|slice|scope)$/

const isTemplate = (name: string): boolean => {
  const parts = parseUnitName(name)
  return parts.ok && parts.value.kind === 'template'
}

/** Specifiers that names of units do not have: those that stand for paths and their like. */
const pathSpecifiers = /^(?:[^%]|%[^IJPfhtsSCLETVdcrRyY])*%[IJPfhtsSCLETVdcrRyY]/

const inNames =
  (expand: ExpandWord): ExpandWord =>
  (name) =>
    pathSpecifiers.test(name) ? err({ message: 'Invalid slot' }) : expand(name)

function expandName(input: ValueInput, read: (name: string) => ValueReading): ValueReading {
  const name = inNames(input.expand)(input.value)
  if (name.ok) return read(name.value)
  return ignored(warning(`Failed to resolve unit specifiers in ${input.value}, ignoring: ${name.error.message}`))
}

const condition =
  (isPath: boolean): Reader =>
  ({ key, value, expand }) => {
    // blanks behind `|` are skipped, behind `!` they belong to the text of a path
    const prefix = (isPath ? /^(?:\|[ \t\n\r]*)?!?/ : /^(?:\|[ \t\n\r]*)?(?:![ \t\n\r]*)?/).exec(value)?.[0] ?? ''
    const written = value.slice(prefix.length)
    const text = expand(written)
    if (!text.ok) {
      return ignored(warning(`Failed to resolve unit specifiers in '${written}', ignoring: ${text.error.message}`))
    }
    const parameter = isPath ? readPath(key, text.value) : text.value
    if (typeof parameter !== 'string') return ignored(parameter)
    return kept(prefix.replaceAll(/[ \t\n\r]/g, '') + parameter)
  }

/** A condition on anything that is not a path. */
export const conditionText = condition(false)

/** A condition on an absolute path. */
export const conditionPath = condition(true)
