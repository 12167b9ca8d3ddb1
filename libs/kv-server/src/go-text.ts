/**
 * Text as Go's standard library writes it, where answers show it: quoted strings (strconv.Quote), durations and times.
 * Input is bytes, one character each; so is the output. JSON strings: `escapeGoJson` of @cluster/kv-store.
 */
import { type ByteString, utf8SequenceLength } from '@cluster/kv-store'

const hexDigits = '0123456789abcdef'

const hex2 = (byte: number): string => hexDigits.charAt(byte >> 4) + hexDigits.charAt(byte & 15)

const shortEscapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
}

/** A text in double quotes as `%q` of Go's fmt shows it: printable characters as they are, the others escaped. */
export function quoteGo(text: ByteString): ByteString {
  let quoted = '"'
  for (let at = 0; at < text.length; ) {
    const byte = text.charAt(at)
    const length = byte < '\x80' ? 1 : utf8SequenceLength(text, at)
    if (length === 0) {
      quoted += `\\x${hex2(byte.charCodeAt(0))}`
      at += 1
      continue
    }
    const bytes = text.slice(at, at + length)
    at += length
    if (length === 1) {
      const short = shortEscapes[byte]
      quoted += short ?? (byte < ' ' || byte === '\x7f' ? `\\x${hex2(byte.charCodeAt(0))}` : byte)
      continue
    }
    const character = Buffer.from(bytes, 'latin1').toString('utf8')
    // strconv.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space.
    if (/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character)) quoted += bytes
    else {
      const point = character.codePointAt(0) ?? 0
      quoted +=
        point < 0x10000 ? `\\u${point.toString(16).padStart(4, '0')}` : `\\U${point.toString(16).padStart(8, '0')}`
    }
  }
  return `${quoted}"`
}

/** A duration in milliseconds as Go's time.Duration prints it: `2m54.840342797s`, `1.5ms`, `0s`. */
export function renderGoDuration(durationMs: number): string {
  const nanoseconds = Math.round(Math.abs(durationMs) * 1e6)
  const sign = durationMs < 0 && nanoseconds > 0 ? '-' : ''
  if (nanoseconds === 0) return '0s'
  if (nanoseconds < 1e3) return `${sign}${nanoseconds}ns`
  // The micro sign is U+00B5, two bytes.
  if (nanoseconds < 1e6) return `${sign}${trimZeros(nanoseconds / 1e3, 3)}\xc2\xb5s`
  if (nanoseconds < 1e9) return `${sign}${trimZeros(nanoseconds / 1e6, 6)}ms`
  const minutes = Math.floor(nanoseconds / 60e9)
  const seconds = `${trimZeros((nanoseconds - minutes * 60e9) / 1e9, 9)}s`
  if (minutes === 0) return `${sign}${seconds}`
  const hours = Math.floor(minutes / 60)
  return hours === 0 ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60}m${seconds}`
}

const trimZeros = (value: number, digits: number): string => value.toFixed(digits).replace(/\.?0+$/, '')

/**
 * A moment in milliseconds since 1970 as RFC 3339 with the given offset from UTC, trailing zeros of the fraction trimmed:
 * `2026-11-21T05:32:48.25+01:00`; UTC is `Z`.
 */
export function renderGoTime(timeMs: number, offsetMinutes: number): string {
  const whole = Math.floor(timeMs)
  const local = new Date(whole + offsetMinutes * 60_000).toISOString()
  const nanoseconds = (whole % 1000) * 1_000_000 + Math.round((timeMs - whole) * 1e6)
  const fraction = nanoseconds === 0 ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`
  return `${local.slice(0, 19)}${fraction}${renderOffset(offsetMinutes)}`
}

function renderOffset(minutes: number): string {
  if (minutes === 0) return 'Z'
  const size = Math.abs(minutes)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}
