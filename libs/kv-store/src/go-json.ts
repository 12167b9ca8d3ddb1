/** Strings in JSON as Go's encoder writes them, byte for byte (spec/etcd-v2.md §1.8). */
import type { ByteString } from './byte-string.ts'

const needsEscape = /[^ !#-%'-;=?-[\]-\x7f]/

/** Whether a byte string stands in JSON as it is. Text beyond ASCII is looked at more closely, so it is not plain. */
export const isPlain = (bytes: ByteString): boolean => !needsEscape.test(bytes)

const replacement = '\\ufffd'
const hexDigits = '0123456789abcdef'

/** The inside of a JSON string: invalid UTF-8 becomes `\ufffd` byte by byte, valid UTF-8 stays. */
export function escapeGoJson(bytes: ByteString): ByteString {
  if (isPlain(bytes)) return bytes
  let escaped = ''
  let copied = 0
  let at = 0
  while (at < bytes.length) {
    const byte = bytes.charCodeAt(at)
    let length = 1
    let instead: string | undefined
    if (byte < 0x80) {
      instead = asciiEscapes[byte]
    } else {
      length = utf8SequenceLength(bytes, at)
      if (length === 0) {
        length = 1
        instead = replacement
      } else if (length === 3 && byte === 0xe2 && bytes.charCodeAt(at + 1) === 0x80) {
        // U+2028 and U+2029 end a line in JavaScript before ES2019.
        const last = bytes.charCodeAt(at + 2)
        if (last === 0xa8) instead = '\\u2028'
        else if (last === 0xa9) instead = '\\u2029'
      }
    }
    if (instead !== undefined) {
      escaped += bytes.slice(copied, at) + instead
      copied = at + length
    }
    at += length
  }
  return escaped + bytes.slice(copied)
}

/**
 * Bytes of the valid UTF-8 sequence beyond ASCII at a place, 2 to 4; 0 when there is none: no surrogates, nothing overlong
 * or above U+10FFFF.
 */
export function utf8SequenceLength(bytes: ByteString, at: number): number {
  const first = bytes.charCodeAt(at)
  if (first < 0xc2 || first > 0xf4) return 0
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (at + length > bytes.length) return 0
  const second = bytes.charCodeAt(at + 1)
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < low || second > high) return 0
  for (let i = at + 2; i < at + length; i++) {
    const next = bytes.charCodeAt(i)
    if (next < 0x80 || next > 0xbf) return 0
  }
  return length
}

const asciiEscapes: readonly (string | undefined)[] = Array.from({ length: 0x80 }, (_, byte) => {
  switch (String.fromCharCode(byte)) {
    case '"':
      return '\\"'
    case '\\':
      return '\\\\'
    case '\n':
      return '\\n'
    case '\r':
      return '\\r'
    case '\t':
      return '\\t'
    case '<':
    case '>':
    case '&':
      return `\\u00${hexDigits[byte >> 4]}${hexDigits[byte & 15]}`
    default:
      return byte < 0x20 ? `\\u00${hexDigits[byte >> 4]}${hexDigits[byte & 15]}` : undefined
  }
})
