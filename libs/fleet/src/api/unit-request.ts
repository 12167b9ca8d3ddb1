/**
 * What a PUT of a unit asks for, read from its headers and body, and whether its content is fit to be stored. Pure.
 * Source: spec/fleet.md §8 "PUT units/N", §2.1, §2.8, traps 6, 15, 16, 28, 33, 34, 54, 55.
 */
import type { HttpHeaders } from '@cluster/http'
import { err, ok, type Result } from '@cluster/prelude'
import type { TargetState } from '@cluster/scheduler'
import {
  byteLength,
  checkFleetUnitName,
  checkUnitRequirements,
  clusterDialect,
  creationPolicyFor,
  goQuote,
  hashOptions,
  parseFleetName,
  readAsFleet,
  renderOptions,
  type UnitOption,
} from '@cluster/unit-file'
import type { UnitContent } from '../registry/registry.ts'
import { type Refusal, refusal } from './answers.ts'
import { fieldOf, kindOf, readFirstJson } from './read-json.ts'

/** The longest unit file that is stored. systemd itself reads no longer lines, and nobody writes longer files. */
export const unitBytesMax = 1_048_576

export type UnitRequest = {
  readonly name: string
  /** Empty: the content stays as it is. */
  readonly options: readonly UnitOption[]
  /** As sent; `''` when absent. */
  readonly targetState: string
}

/** The media type must be said once, and be the one. Letter case counts, parameters do not. */
export function checkContentType(headers: HttpHeaders): Result<void, Refusal> {
  const given = headers.filter(([name]) => name.toLowerCase() === 'content-type').map(([, value]) => value)
  if (given.length !== 1) return err(refusal(415, `expected 1 Content-Type, got ${given.length}`))
  const mediaType = given[0]?.split(';')[0]?.trim()
  return mediaType === 'application/json'
    ? ok(undefined)
    : err(refusal(415, 'only acceptable Content-Type is application/json'))
}

/**
 * The request in a body.
 *
 * @param name from the URL; the body may repeat it, but not contradict it
 */
export function readUnitRequest(name: string, body: string): Result<UnitRequest, Refusal> {
  const undecodable = (message: string) => err(refusal(400, `unable to decode body: ${message}`))
  const json = readFirstJson(body)
  if (!json.ok) return undecodable(json.error.message)
  const value = json.value ?? {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    return undecodable(`json: cannot unmarshal ${kindOf(value)} into Go value of type schema.Unit`)
  }
  const texts: Record<'name' | 'desiredState', string> = { name: '', desiredState: '' }
  for (const field of ['name', 'desiredState'] as const) {
    const found = fieldOf(value, field) ?? ''
    if (typeof found !== 'string') {
      return undecodable(`json: cannot unmarshal ${kindOf(found)} into Go struct field Unit.${field} of type string`)
    }
    texts[field] = found
  }
  const list = fieldOf(value, 'options') ?? []
  if (!Array.isArray(list)) {
    const field = 'into Go struct field Unit.options of type []*schema.UnitOption'
    return undecodable(`json: cannot unmarshal ${kindOf(list)} ${field}`)
  }
  const options: UnitOption[] = []
  for (const [index, item] of list.entries()) {
    const option = readOption(item, index)
    if (!option.ok) return undecodable(option.error)
    options.push(option.value)
  }
  if (texts.name !== '' && texts.name !== name) {
    const message = `name in URL ${goQuote(name)} differs from unit name in request body ${goQuote(texts.name)}`
    return err(refusal(400, message))
  }
  const checked = checkFleetUnitName(name)
  if (!checked.ok) return err(refusal(400, checked.error.message))
  // etcd hides such names from lists and watches: the unit would be stored, and seen by no engine and no agent.
  if (name.startsWith('_')) {
    return err(refusal(400, 'unit name cannot start with "_", as the store lists no such names: choose another name'))
  }
  return ok({ name, options, targetState: texts.desiredState })
}

function readOption(item: unknown, index: number): Result<UnitOption, string> {
  // The original falls over here and drops the connection (trap 55).
  if (item === null) return err(`options[${index}] is null`)
  if (typeof item !== 'object' || Array.isArray(item)) {
    return err(`json: cannot unmarshal ${kindOf(item)} into Go struct field Unit.options of type schema.UnitOption`)
  }
  const texts: Record<'section' | 'name' | 'value', string> = { section: '', name: '', value: '' }
  for (const field of ['section', 'name', 'value'] as const) {
    const found = fieldOf(item, field) ?? ''
    if (typeof found !== 'string') {
      const place = `into Go struct field UnitOption.options.${field} of type string`
      return err(`json: cannot unmarshal ${kindOf(found)} ${place}`)
    }
    texts[field] = found
  }
  return ok(texts)
}

/** Content that is fit to be stored: what is read back from it is what was sent. */
export type CheckedContent = UnitContent & { readonly warnings: readonly string[] }

/**
 * The text to store for these options. Outer blanks of values are dropped before the hash is taken, as every reader
 * drops them; what no unit file can say is refused.
 */
export function checkContent(name: string, options: readonly UnitOption[]): Result<CheckedContent, Refusal> {
  const nul = options.find((option) => `${option.section}${option.name}${option.value}`.includes('\u0000'))
  if (nul !== undefined) {
    return err(refusal(400, `option ${goQuote(nul.name)} in [${nul.section}] contains a NUL, which systemd refuses`))
  }
  const sent = renderOptions(options)
  const sizeBytes = byteLength(sent)
  if (sizeBytes > unitBytesMax) {
    return err(refusal(413, `unit ${name} has ${sizeBytes} bytes, at most ${unitBytesMax} are stored`))
  }
  const read = readAsFleet(sent, clusterDialect)
  if (!read.ok) return err(refusal(400, read.error.message))
  const lost = firstDifference(grouped(options), read.value)
  if (lost !== undefined) {
    const place = `option ${goQuote(lost.name)} in [${lost.section}]`
    return err(refusal(400, `${place} cannot be written to a unit file so that it reads the same`))
  }
  const findings = checkUnitRequirements(name, read.value, creationPolicyFor(name))
  const [wrong] = findings.filter(({ severity }) => severity === 'error')
  // A refused combination is said in fleet's own words, which scripts look for.
  if (wrong !== undefined) {
    const remedy = wrong.kind === 'refused-combination' ? '' : `: ${wrong.remedy}`
    return err(refusal(400, `${wrong.message}${remedy}`))
  }
  const warnings = findings.map(({ message, remedy }) => `${message}: ${remedy}`)
  return ok({ name, hash: hashOptions(read.value), text: renderOptions(read.value), warnings })
}

/** In the order in which they are written: by section, sections as they first appear. */
function grouped(options: readonly UnitOption[]): readonly UnitOption[] {
  const sections = new Map<string, UnitOption[]>()
  for (const option of options) {
    const known = sections.get(option.section)
    if (known === undefined) sections.set(option.section, [option])
    else known.push(option)
  }
  return [...sections.values()].flat()
}

function firstDifference(sent: readonly UnitOption[], read: readonly UnitOption[]): UnitOption | undefined {
  const isSame = (one: UnitOption, other: UnitOption | undefined): boolean =>
    one.section === other?.section && one.name.trim() === other.name && one.value.trim() === other.value.trim()
  return sent.find((option, at) => !isSame(option, read[at])) ?? (read.length > sent.length ? read.at(-1) : undefined)
}

/** The target state in a request for this unit; absent means inactive. */
export function checkTargetState(name: string, text: string): Result<TargetState, Refusal> {
  if (text !== '' && text !== 'inactive' && text !== 'loaded' && text !== 'launched') {
    return err(refusal(400, `desiredState ${goQuote(text)} is none of inactive, loaded, launched`))
  }
  const targetState = text === '' ? 'inactive' : text
  if (targetState !== 'inactive' && parseFleetName(name)?.isTemplate === true) {
    return err(refusal(400, `cannot activate template ${goQuote(name)}`))
  }
  return ok(targetState)
}
