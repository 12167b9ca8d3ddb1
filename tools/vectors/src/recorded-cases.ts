/** Cases of a recorded file, whatever its outer form, and their fields by type. */
import { assert } from '@cluster/prelude'
import type { VectorFolder } from './vector-set.ts'

export type RecordedCase = Readonly<Record<string, unknown>>

/**
 * The cases of every JSON file of a folder that has the given fields in its first case; a file is a list of cases or
 * an object with such a list as `cases`.
 */
export function recordedFiles(
  folder: VectorFolder,
  fields: readonly string[],
): readonly { readonly file: string; readonly cases: readonly RecordedCase[] }[] {
  return folder.files
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({ file, cases: casesOf(folder.readJson(file)) }))
    .filter(({ cases }) => fields.every((field) => Object.hasOwn(cases[0] ?? {}, field)))
}

function casesOf(json: unknown): readonly RecordedCase[] {
  const list = isRecorded(json) ? json['cases'] : json
  return Array.isArray(list) ? list.filter(isRecorded) : []
}

/** Whether the value is an object with fields. */
export const isRecorded = (value: unknown): value is RecordedCase =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The text in a field that must hold one. */
export function textIn(recorded: RecordedCase, field: string): string {
  const value = recorded[field]
  assert(typeof value === 'string', `the recorded case has a text as ${field}`)
  return value
}

/** The object in a field; empty when the field is absent. */
export function objectIn(recorded: RecordedCase, field: string): RecordedCase {
  const value = recorded[field]
  return isRecorded(value) ? value : {}
}

/** The list of objects in a field; empty when the field is absent. */
export function objectsIn(recorded: RecordedCase, field: string): readonly RecordedCase[] {
  const value = recorded[field]
  return Array.isArray(value) ? value.filter(isRecorded) : []
}

/** A text that may be given as `field`, or as `fieldParts`: pairs of a text and how often it is repeated. */
export function longTextIn(recorded: RecordedCase, field: string): string {
  const parts = recorded[`${field}Parts`]
  if (!Array.isArray(parts)) return textIn(recorded, field)
  return parts
    .map((part: unknown) => {
      assert(Array.isArray(part), 'a part of a long text is [text, times]')
      return String(part[0]).repeat(Number(part[1]))
    })
    .join('')
}
