/**
 * JSON text exactly as the original daemon writes it, so that recorded values and hashes of them stay equal.
 * Source of the rule: the escapes seen in the recorded registry and API answers (spec/fleet.md §4).
 */

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined }

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
  '\\b': '\\u0008',
  '\\f': '\\u000c',
}

/**
 * Compact JSON with `<`, `>`, `&`, U+2028 and U+2029 escaped. Keys keep their order, `undefined` members are left out.
 */
export const renderGoJson = (value: JsonValue): string =>
  // An escape is taken as a pair, so that the letter behind an escaped backslash is never mistaken for one.
  JSON.stringify(value).replace(/\\.|[<>&\u2028\u2029]/g, (found) => escapes[found] ?? found)
