/**
 * JSON as the original reads and writes it: member names in any case, values as the text they were written in, and on
 * writing the escapes of Go's encoder. Source: spec/flannel.md §1 (value of a lease) and §2 (address text).
 */

/** What JSON can say; members that are `undefined` are left out when it is written. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject

/** An object of JSON. */
export type JsonObject = { readonly [name: string]: JsonValue | undefined }

/** One member of an object: its decoded name and its value as written, without white space around it. */
export type JsonMember = { readonly name: string; readonly text: string }

/** The value of JSON text; `undefined` when it is none. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

/** Whether the value is an object, neither `null` nor a list. */
export const isJsonObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+/gs

/** The members of an object, in order, duplicates included. The text must be a JSON object: see `parseJson`. */
export function jsonMembers(text: string): readonly JsonMember[] {
  const members: JsonMember[] = []
  let depth = 0
  let name: string | undefined
  let start = 0
  for (const match of text.matchAll(token)) {
    const [word] = match
    const at = match.index
    const closes = word === '}' || word === ']'
    if (depth === 1 && (word === ',' || word === '}')) {
      if (name !== undefined) members.push({ name, text: text.slice(start, at).trim() })
      name = undefined
    } else if (depth === 1 && name === undefined) {
      name = decodedName(word)
    } else if (depth === 1 && word === ':') {
      start = at + 1
    }
    if (closes) depth--
    else if (word === '{' || word === '[') depth++
  }
  return members
}

function decodedName(word: string): string {
  const name = parseJson(word)
  return typeof name === 'string' ? name : ''
}

/**
 * A member name as names are compared: case does not count, and neither do the two letters outside ASCII that fold to
 * letters of it (long s, Kelvin sign).
 */
export const foldName = (name: string): string => name.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase()

const isNamed = (name: string): ((known: string) => boolean) => {
  const folded = foldName(name)
  return (known) => foldName(known) === folded
}

/** The members whose name is one of `names` in any case, in order, each under the name as given. */
export function knownMembers<Name extends string>(
  text: string,
  names: readonly Name[],
): readonly { readonly name: Name; readonly text: string }[] {
  return jsonMembers(text).flatMap((member) => {
    const name = names.find((known) => known === member.name) ?? names.find(isNamed(member.name))
    return name === undefined ? [] : [{ name, text: member.text }]
  })
}

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
  '\\b': '\\u0008',
  '\\f': '\\u000c',
}

/** Compact JSON with `<`, `>`, `&`, U+2028 and U+2029 escaped; members keep their order. */
export const renderGoJson = (value: JsonValue): string =>
  // An escape is taken as a pair, so that the letter behind an escaped backslash is never mistaken for one.
  JSON.stringify(value).replace(/\\.|[<>&\u2028\u2029]/g, (found) => escapes[found] ?? found)
