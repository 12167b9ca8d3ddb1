/**
 * Bytes as text: a JavaScript string in which every character is one byte (0 to 255). Keys and values of the store are
 * byte strings: nothing is normalised or lost, comparing two of them compares their bytes, and V8 keeps them in one
 * byte a character. Sockets and logs take them as `latin1`.
 */

/** A string whose characters are bytes. What people read (UTF-8) becomes one with `byteStringOf`. */
export type ByteString = string

/** The UTF-8 bytes of a text, as a byte string. */
export function byteStringOf(text: string): ByteString {
  if (/^[\x00-\x7f]*$/.test(text)) return text
  let bytes = ''
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte)
  return bytes
}

/** The text whose UTF-8 bytes these are; what is not UTF-8 becomes U+FFFD. */
export function textOf(bytes: ByteString): string {
  if (/^[\x00-\x7f]*$/.test(bytes)) return bytes
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)))
}
