/**
 * A unit file as fleet reads it: go-systemd's stream parser as vendored by fleet 1.0, step by step and with its
 * buffer, because what it finds depends on both. Rules: spec/unit-files.md §2, spec/fleet.md §2.3.
 *
 * Works on a byte string (byte-text.ts) and on indexes; nothing is made per character or per line.
 */
import { err, ok, type Result } from '@cluster/prelude'
import {
  byteStringOfBytes,
  byteStringOfText,
  decodeBytes,
  isAscii,
  replacedTextOfByteString,
  sequenceLength,
  textOfByteString,
} from './byte-text.ts'
import type { UnitOption } from './option.ts'

/** Why fleet refuses a text. `message` is go-systemd's, byte for byte; `line` counts from 1, where reading stopped. */
export type FleetParseError = {
  readonly kind:
    | 'line-too-long'
    | 'section-not-closed'
    | 'garbage-after-section'
    | 'newline-in-option-name'
    | 'end-in-option-name'
  readonly message: string
  readonly line: number
}

/** The points in which a reading may leave fleet 1.0. */
export type FleetDialect = {
  /**
   * `fleet-buffer`: 2048 bytes, found or not depending on the position in a buffer of 4096 (trap 28).
   * `one-mebibyte`: systemd's own limit, 1 MiB − 1 bytes for each physical line.
   */
  readonly lineLimit: 'fleet-buffer' | 'one-mebibyte'
  /** `lf`: a carriage return is text, so `\` before CRLF does not continue (trap 29). `lf-or-crlf`: CRLF is a line end. */
  readonly lineEnd: 'lf' | 'lf-or-crlf'
}

/** Exactly fleet 1.0; hashes of existing clusters depend on it. */
export const fleetDialect: FleetDialect = { lineLimit: 'fleet-buffer', lineEnd: 'lf' }

/** What our own daemons accept: traps 28 and 29 repaired, the same options and hashes otherwise. */
export const clusterDialect: FleetDialect = { lineLimit: 'one-mebibyte', lineEnd: 'lf-or-crlf' }

const bufferBytes = 4096
const fleetLineBytesMax = 2048
const systemdLineBytesMax = 1_048_576

const lineFeed = 0x0a
const carriageReturn = 0x0d
const equalsSign = 0x3d

/**
 * The options of a unit file in file order, repeats and empty values kept.
 *
 * Bytes that are not UTF-8 are kept in values and section names as U+DC80…U+DCFF (see {@link encodeText}), and
 * replaced by U+FFFD in option names, as fleet does.
 *
 * @param text bytes of the file, or its text in which U+DC80…U+DCFF stand for bytes that are not UTF-8
 * @see spec/unit-files.md §2
 */
export function readAsFleet(
  text: string | Uint8Array,
  dialect: FleetDialect = fleetDialect,
): Result<readonly UnitOption[], FleetParseError> {
  let bytes = byteStringOf(text)
  if (dialect.lineEnd === 'lf-or-crlf' && bytes.includes('\r\n')) bytes = bytes.replaceAll('\r\n', '\n')
  if (dialect.lineLimit === 'one-mebibyte') {
    const long = lineLongerThan(bytes, systemdLineBytesMax)
    if (long !== undefined) return err(parseError(bytes, long, 'line-too-long', lineTooLong(systemdLineBytesMax)))
    return read(bytes, false)
  }
  return read(bytes, bytes.length >= fleetLineBytesMax)
}

function byteStringOf(text: string | Uint8Array): string {
  if (typeof text === 'string') return byteStringOfText(text)
  const decoded = decodeBytes(text)
  return decoded.length === text.length && isAscii(decoded) ? decoded : byteStringOfBytes(text)
}

/**
 * One pass over the bytes. `position` is the next byte to read and `filled` the end of what the original's buffer
 * holds; `filled` only matters when the line limit does.
 */
function read(bytes: string, limited: boolean): Result<readonly UnitOption[], FleetParseError> {
  const end = bytes.length
  const options: UnitOption[] = []
  let position = 0
  let filled = limited ? 0 : end
  let nextBreak = -1
  let section: string | undefined

  /** The check that the original makes before every step. */
  const tooLong = (): boolean => {
    if (filled - position < fleetLineBytesMax) return false
    if (nextBreak < position) nextBreak = lineBreakFrom(bytes, position)
    return nextBreak >= position + fleetLineBytesMax
  }
  /** Keeps the buffer in step with a read up to and including `last`. */
  const fillThrough = (last: number): void => {
    if (last < filled) return
    filled = Math.min(end, position + bufferBytes)
    while (filled <= last && filled < end) filled = Math.min(end, filled + bufferBytes)
  }
  /** Keeps the buffer in step with reading one character: it fills only when the character is not whole. */
  const fillCharacter = (at: number): void => {
    if (at < filled && (bytes.charCodeAt(at) < 0x80 || isFullRune(bytes, at, filled))) return
    if (filled < end) filled = Math.min(end, at + bufferBytes)
  }
  /** Reads up to the line end and steps over it; the returned index is the end of the line's content. */
  const toLineEnd = (): number => {
    const found = bytes.indexOf('\n', position)
    fillThrough(found === -1 ? end : found)
    if (found !== -1) {
      position = found + 1
      return found
    }
    const contentEnd = end > position && bytes.charCodeAt(end - 1) === carriageReturn ? end - 1 : end
    position = end
    return contentEnd
  }
  const fail = (kind: FleetParseError['kind'], message: string) => err(parseError(bytes, position, kind, message))
  const failTooLong = () => fail('line-too-long', lineTooLong(fleetLineBytesMax))

  for (;;) {
    // a section or an option starts here, or something to skip
    if (limited && tooLong()) return failTooLong()
    if (position >= end) return ok(options)
    const code = bytes.charCodeAt(position)
    if (limited) fillCharacter(position)

    if (code === 0x5b) {
      position += 1
      if (limited && tooLong()) return failTooLong()
      const close = bytes.indexOf(']', position)
      if (close === -1) return fail('section-not-closed', 'unable to find end of section')
      fillThrough(close)
      const name = bytes.slice(position, close)
      position = close + 1
      if (limited && tooLong()) return failTooLong()
      const suffixStart = position
      const suffixEnd = toLineEnd()
      if (suffixEnd > suffixStart) {
        const garbage = trimSpace(bytes, suffixStart, suffixEnd)
        if (garbage !== '') {
          position = suffixStart
          return fail('garbage-after-section', `found garbage after section name : [${decimals(garbage)}]`)
        }
      }
      section = textOfByteString(name)
      continue
    }

    if (code === 0x23 || code === 0x3b) {
      position += 1
      if (limited && tooLong()) return failTooLong()
      for (;;) {
        const start = position
        let contentEnd = toLineEnd()
        if (contentEnd > start && bytes.charCodeAt(contentEnd - 1) === 0x20) contentEnd -= 1
        if (contentEnd === start || bytes.charCodeAt(contentEnd - 1) !== 0x5c) break
      }
      continue
    }

    if (section === undefined) {
      position += code < 0x80 ? 1 : Math.max(1, sequenceLength(bytes, position))
      continue
    }
    if (code <= 0x20 ? isAsciiSpace(code) : code >= 0x80 && wideSpaceLength(bytes, position) > 0) {
      position += code < 0x80 ? 1 : wideSpaceLength(bytes, position)
      continue
    }

    // an option: name up to `=`
    if (limited && tooLong()) return failTooLong()
    const nameStart = position
    for (;;) {
      if (position >= end) return fail('end-in-option-name', 'EOF')
      const letter = bytes.charCodeAt(position)
      if (limited) fillCharacter(position)
      if (letter === lineFeed || letter === carriageReturn) {
        return fail('newline-in-option-name', 'unexpected newline encountered while parsing option name')
      }
      if (letter === equalsSign) break
      position += letter < 0x80 ? 1 : Math.max(1, sequenceLength(bytes, position))
    }
    const name = trimmedName(bytes, nameStart, position)
    position += 1

    // its value, line by line
    const valueStart = position
    let valueEnd = position
    let brokenOff = false
    for (;;) {
      if (limited && tooLong()) return failTooLong()
      const lineStart = position
      const lineEnd = toLineEnd()
      const withFeed = position > lineEnd && bytes.charCodeAt(position - 1) === lineFeed
      if (isBlank(bytes, lineStart, lineEnd)) {
        brokenOff = lineStart > valueStart
        break
      }
      valueEnd = lineEnd
      if (bytes.charCodeAt(lineEnd - 1) !== 0x5c || !withFeed) break
    }
    const value = trimSpace(bytes, valueStart, valueEnd)
    options.push({ section, name, value: textOfByteString(brokenOff ? `${value}\n` : value) })
  }
}

function parseError(bytes: string, position: number, kind: FleetParseError['kind'], message: string): FleetParseError {
  let line = 1
  for (let index = bytes.indexOf('\n'); index !== -1 && index < position; index = bytes.indexOf('\n', index + 1)) {
    line += 1
  }
  return { kind, message, line }
}

const lineTooLong = (bytesMax: number): string => `line too long (max ${bytesMax} bytes)`

/** Where the first line of `bytesMax` bytes or more starts. */
function lineLongerThan(bytes: string, bytesMax: number): number | undefined {
  if (bytes.length < bytesMax) return undefined
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf('\n', start)
    const lineEnd = found === -1 ? bytes.length : found
    if (lineEnd - start >= bytesMax) return start
    start = lineEnd + 1
  }
  return undefined
}

function lineBreakFrom(bytes: string, from: number): number {
  for (let index = from; index < bytes.length; index += 1) {
    const code = bytes.charCodeAt(index)
    if (code === lineFeed || code === carriageReturn) return index
  }
  return bytes.length
}

const decimals = (byteString: string): string =>
  Array.from({ length: byteString.length }, (_, index) => byteString.charCodeAt(index)).join(' ')

const isAsciiSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d)

function trimmedName(bytes: string, start: number, end: number): string {
  const trimmed = trimSpace(bytes, start, end)
  return replacedTextOfByteString(trimmed)
}

function isBlank(bytes: string, start: number, end: number): boolean {
  for (let index = start; index < end; ) {
    const code = bytes.charCodeAt(index)
    const length = code < 0x80 ? (isAsciiSpace(code) ? 1 : 0) : wideSpaceLength(bytes, index)
    if (length === 0) return false
    index += length
  }
  return true
}

/** Go's `TrimSpace` on bytes: Unicode white space at both ends. */
function trimSpace(bytes: string, from: number, to: number): string {
  let start = from
  let end = to
  for (let length = spaceLengthAt(bytes, start, end); length > 0; length = spaceLengthAt(bytes, start, end)) {
    start += length
  }
  for (let length = spaceLengthBefore(bytes, start, end); length > 0; length = spaceLengthBefore(bytes, start, end)) {
    end -= length
  }
  return bytes.slice(start, end)
}

function spaceLengthAt(bytes: string, start: number, end: number): number {
  if (start >= end) return 0
  const code = bytes.charCodeAt(start)
  if (code < 0x80) return isAsciiSpace(code) ? 1 : 0
  const length = wideSpaceLength(bytes, start)
  return start + length <= end ? length : 0
}

function spaceLengthBefore(bytes: string, start: number, end: number): number {
  if (start >= end) return 0
  const code = bytes.charCodeAt(end - 1)
  if (code < 0x80) return isAsciiSpace(code) ? 1 : 0
  if (end - 2 >= start && wideSpaceLength(bytes, end - 2) === 2) return 2
  if (end - 3 >= start && wideSpaceLength(bytes, end - 3) === 3) return 3
  return 0
}

/**
 * Bytes of the non-ASCII white space that starts at `index`, or 0: U+0085, U+00A0, U+1680, U+2000–200A, U+2028,
 * U+2029, U+202F, U+205F, U+3000 (Go's `unicode.IsSpace`).
 */
function wideSpaceLength(bytes: string, index: number): number {
  const first = bytes.charCodeAt(index)
  const second = bytes.charCodeAt(index + 1)
  if (first === 0xc2) return second === 0x85 || second === 0xa0 ? 2 : 0
  const third = bytes.charCodeAt(index + 2)
  if (first === 0xe1) return second === 0x9a && third === 0x80 ? 3 : 0
  if (first === 0xe3) return second === 0x80 && third === 0x80 ? 3 : 0
  if (first !== 0xe2) return 0
  if (second === 0x81) return third === 0x9f ? 3 : 0
  if (second !== 0x80) return 0
  return (third >= 0x80 && third <= 0x8a) || third === 0xa8 || third === 0xa9 || third === 0xaf ? 3 : 0
}

/** Go's `utf8.FullRune` on the bytes between `at` and `filled`: an invalid sequence counts as full. */
function isFullRune(bytes: string, at: number, filled: number): boolean {
  const available = filled - at
  if (available <= 0) return false
  const first = bytes.charCodeAt(at)
  const needed = first < 0xc2 || first > 0xf4 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (available >= needed) return true
  if (available === 1) return false
  const second = bytes.charCodeAt(at + 1)
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < low || second > high) return true
  return available > 2 && (bytes.charCodeAt(at + 2) < 0x80 || bytes.charCodeAt(at + 2) > 0xbf)
}
