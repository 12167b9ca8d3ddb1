/**
 * Text that may not be UTF-8, kept without loss in a string: every byte that is not part of valid UTF-8 becomes the
 * lone surrogate U+DC00 + byte (U+DC80…U+DCFF), everything else its character. `encodeText(decodeBytes(x))` is `x`.
 *
 * Readers that count bytes work on a *byte string*: one character per byte, U+0000…U+00FF.
 */

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()
const nonAscii = /[^\0-\x7f]/
const surrogate = /[\ud800-\udfff]/
const chunkLength = 8192

/** Whether every character is ASCII, so that characters and bytes are the same thing. */
export const isAscii = (text: string): boolean => !nonAscii.test(text)

/** The text of bytes; bytes that are not UTF-8 become U+DC80…U+DCFF. A byte order mark stays. */
export function decodeBytes(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes)
  } catch {
    return decodeByteString(byteStringOfBytes(bytes), (byte) => String.fromCharCode(0xdc00 + byte))
  }
}

/** The bytes of a text: U+DC80…U+DCFF standing alone give back their byte, any other lone surrogate gives U+FFFD. */
export function encodeText(text: string): Uint8Array {
  if (!surrogate.test(text)) return encoder.encode(text)
  const bytes = new Uint8Array(text.length * 3)
  let length = 0
  let start = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code >= 0xd800 && code < 0xdc00) {
      const next = text.charCodeAt(index + 1)
      if (next >= 0xdc00 && next < 0xe000) index += 1
    } else if (code >= 0xdc80 && code <= 0xdcff) {
      length += encoder.encodeInto(text.slice(start, index), bytes.subarray(length)).written
      bytes[length] = code - 0xdc00
      length += 1
      start = index + 1
    }
  }
  length += encoder.encodeInto(text.slice(start), bytes.subarray(length)).written
  return bytes.slice(0, length)
}

/** The byte string of a text. */
export const byteStringOfText = (text: string): string => (isAscii(text) ? text : byteStringOfBytes(encodeText(text)))

/** The byte string of bytes. */
export function byteStringOfBytes(bytes: Uint8Array): string {
  const chunks: string[] = []
  for (let start = 0; start < bytes.length; start += chunkLength) {
    chunks.push(String.fromCharCode(...bytes.subarray(start, start + chunkLength)))
  }
  return chunks.join('')
}

/** The text of a byte string, without loss. */
export const textOfByteString = (byteString: string): string =>
  isAscii(byteString) ? byteString : decodeByteString(byteString, (byte) => String.fromCharCode(0xdc00 + byte))

/** The text of a byte string as Go converts runes: each byte that is not UTF-8 becomes U+FFFD. */
export const replacedTextOfByteString = (byteString: string): string =>
  isAscii(byteString) ? byteString : decodeByteString(byteString, () => '\ufffd')

/** What systemd's `utf8_is_valid` refuses: bytes that are not UTF-8, surrogates, the 66 non-characters. */
const uncleanCharacters = /\p{Cs}|\p{Noncharacter_Code_Point}/u

/** Whether systemd takes a text for UTF-8. */
export const isCleanText = (text: string): boolean => !uncleanCharacters.test(text)

/** A text for people: each byte of what systemd does not take for UTF-8 is shown as U+FFFD. */
export const showText = (text: string): string =>
  text.replaceAll(new RegExp(uncleanCharacters.source, 'gu'), (character) =>
    '\ufffd'.repeat(character >= '\udc80' && character <= '\udcff' ? 1 : byteLength(character)),
  )

/** How many bytes a text has. */
export const byteLength = (text: string): number => (isAscii(text) ? text.length : encodeText(text).length)

function decodeByteString(byteString: string, ofInvalid: (byte: number) => string): string {
  let text = ''
  for (let index = 0; index < byteString.length; ) {
    const length = sequenceLength(byteString, index)
    if (length === 0) {
      text += ofInvalid(byteString.charCodeAt(index))
      index += 1
    } else {
      text += String.fromCodePoint(codePointAt(byteString, index, length))
      index += length
    }
  }
  return text
}

/** Bytes of the valid UTF-8 sequence that starts at `index`: 1…4, or 0 if there is none. */
export function sequenceLength(byteString: string, index: number): number {
  const first = byteString.charCodeAt(index)
  if (first < 0x80) return 1
  const second = byteString.charCodeAt(index + 1)
  if (first < 0xc2 || first > 0xf4 || !isTail(second)) return 0
  if (first < 0xe0) return 2
  // shortest form only, no surrogates, nothing above U+10FFFF
  if (first === 0xe0 && second < 0xa0) return 0
  if (first === 0xed && second > 0x9f) return 0
  if (first === 0xf0 && second < 0x90) return 0
  if (first === 0xf4 && second > 0x8f) return 0
  if (!isTail(byteString.charCodeAt(index + 2))) return 0
  if (first < 0xf0) return 3
  return isTail(byteString.charCodeAt(index + 3)) ? 4 : 0
}

function codePointAt(byteString: string, index: number, length: number): number {
  let code = byteString.charCodeAt(index)
  if (length > 1) code &= 0x7f >> length
  for (let offset = 1; offset < length; offset += 1) code = (code << 6) | (byteString.charCodeAt(index + offset) & 0x3f)
  return code
}

const isTail = (byte: number): boolean => byte >= 0x80 && byte <= 0xbf
