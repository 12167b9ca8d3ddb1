/** Go's `path.Match`, which fleet uses for Conflicts, Replaces and names given on the command line. */
import { byteStringOfText, sequenceLength } from './byte-text.ts'

/**
 * Whether the whole `name` fits the Go glob `pattern`.
 *
 * `*` is any run without `/`, `?` one character but `/`, `[a-z]` and `[^a-z]` are classes, `\` takes the next character
 * as it is. Case counts. A malformed pattern (open class, empty class, a `\` at the end) fits nothing.
 * Works on UTF-8 bytes as the original does: after a `*` a match may begin inside a character.
 *
 * @see https://pkg.go.dev/path#Match
 */
export function matchGlob(pattern: string, name: string): boolean {
  return matchBytes(byteStringOfText(pattern), byteStringOfText(name))
}

function matchBytes(pattern: string, wholeName: string): boolean {
  let name = wholeName
  let at = 0
  while (at < pattern.length) {
    const chunk = nextChunk(pattern, at)
    at = chunk.end
    if (chunk.star && chunk.text === '') return !name.includes('/')
    const rest = restAfterChunk(chunk, name, at === pattern.length)
    if (rest === undefined) return false
    name = rest
  }
  return name === ''
}

type Chunk = { readonly star: boolean; readonly text: string; readonly end: number }

/** Leading stars, then everything up to the next star that is neither escaped nor in a class. */
function nextChunk(pattern: string, start: number): Chunk {
  let from = start
  while (pattern[from] === '*') from++
  let end = from
  for (let inClass = false; end < pattern.length; end++) {
    const char = pattern[end]
    if (char === '\\') end++
    else if (char === '[') inClass = true
    else if (char === ']') inClass = false
    else if (char === '*' && !inClass) break
  }
  end = Math.min(end, pattern.length)
  return { star: from > start, text: pattern.slice(from, end), end }
}

/** What is left of the name behind the chunk; `undefined`: the chunk fits nowhere it may. */
function restAfterChunk({ star, text }: Chunk, name: string, isLast: boolean): string | undefined {
  for (let skipped = 0; skipped <= name.length; skipped++) {
    const end = matchChunk(text, name, skipped)
    if (end !== undefined && (!isLast || end === name.length)) return name.slice(end)
    if (!star || name[skipped] === '/') return undefined
  }
  return undefined
}

/** Where in `name` the chunk ends that begins at `start`; `undefined`: no match, or the chunk is malformed. */
function matchChunk(chunk: string, name: string, start: number): number | undefined {
  let at = start
  for (let index = 0; index < chunk.length; ) {
    if (at >= name.length) return undefined
    const char = chunk[index]
    if (char === '[') {
      const rune = decodeRune(name, at)
      const found = matchClass(chunk, index, rune.value)
      if (found === undefined || !found.matches) return undefined
      index = found.end
      at += rune.length
    } else if (char === '?') {
      if (name[at] === '/') return undefined
      index++
      at += decodeRune(name, at).length
    } else {
      if (char === '\\') index++
      if (chunk[index] !== name[at]) return undefined
      index++
      at++
    }
  }
  return at
}

/** Reads the class that begins at `start`; `undefined`: it is malformed. */
function matchClass(chunk: string, start: number, value: number): { matches: boolean; end: number } | undefined {
  let index = start + 1
  const negated = chunk[index] === '^'
  if (negated) index++
  let inside = false
  for (let ranges = 0; ; ranges++) {
    if (chunk[index] === ']' && ranges > 0) return { matches: inside !== negated, end: index + 1 }
    const low = classRune(chunk, index)
    if (low === undefined) return undefined
    index = low.end
    let high = low.value
    if (chunk[index] === '-') {
      const bound = classRune(chunk, index + 1)
      if (bound === undefined) return undefined
      high = bound.value
      index = bound.end
    }
    if (low.value <= value && value <= high) inside = true
  }
}

/** One possibly escaped character of a class; something must follow it. */
function classRune(chunk: string, start: number): { value: number; end: number } | undefined {
  const first = chunk[start]
  if (first === undefined || first === '-' || first === ']') return undefined
  const index = first === '\\' ? start + 1 : start
  if (index >= chunk.length) return undefined
  const { value, length } = decodeRune(chunk, index)
  // Go refuses an invalid byte in a class, but takes U+FFFD written out.
  if (value === 0xfffd && length === 1) return undefined
  return index + length >= chunk.length ? undefined : { value, end: index + length }
}

/** The character at `at` of a byte string as Go decodes it: an invalid byte is U+FFFD of length 1. */
function decodeRune(bytes: string, at: number): { readonly value: number; readonly length: number } {
  const first = bytes.charCodeAt(at)
  if (first < 0x80) return { value: first, length: 1 }
  const length = sequenceLength(bytes, at)
  if (length === 0) return { value: 0xfffd, length: 1 }
  let value = first & (0xff >> (length + 1))
  for (let index = at + 1; index < at + length; index++) value = (value << 6) | (bytes.charCodeAt(index) & 0x3f)
  return { value, length }
}
