/** Reading JSON that somebody else wrote: each reader takes `unknown` and says what it found in place of what it wants. */
import { notEtcd } from './failure.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** Parses a body that must be one JSON object. @throws V2ApiError `kv-client/not-etcd` */
export function objectOf(text: string): JsonObject {
  const value = parse(text)
  if (!isObject(value)) throw notEtcd(text === '' ? 'an empty body' : JSON.stringify(text.slice(0, 80)))
  return value
}

/** The object in a body, or `undefined` when there is none. */
export function objectIn(text: string): JsonObject | undefined {
  const value = parse(text)
  return isObject(value) ? value : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A text; absent and `null` are the empty one. */
export function textAt(object: JsonObject, name: string): string {
  const value = object[name] ?? ''
  if (typeof value !== 'string') throw notEtcd(`${name} that is no text`)
  return value
}

/** A whole number; absent is 0. */
export function numberAt(object: JsonObject, name: string): number {
  const value = object[name] ?? 0
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw notEtcd(`${name} that is no whole number`)
  return value
}

/** A list; absent and `null` are the empty one. */
export function listAt(object: JsonObject, name: string): readonly unknown[] {
  const value = object[name] ?? []
  if (!Array.isArray(value)) throw notEtcd(`${name} that is no list`)
  return value
}

/** A list of texts. */
export const textsAt = (object: JsonObject, name: string): readonly string[] =>
  listAt(object, name).map((value) => {
    if (typeof value !== 'string') throw notEtcd(`${name} with something that is no text`)
    return value
  })
