/**
 * Byte strings in and out of typed arrays. `TextDecoder('latin1')` is windows-1252 and would change 0x80 to 0x9f, so
 * this is done by hand; a program on Node may hand in what `Buffer` does natively.
 */
import type { ByteString } from './byte-string.ts'

/** How byte strings become bytes and bytes become byte strings. */
export type Latin1Codec = {
  /** `bytes[start]` to `bytes[end - 1]`. */
  readonly latin1Slice: (bytes: Uint8Array, start: number, end: number) => ByteString
  /** All of `text` from `bytes[at]` on; there is room for it. */
  readonly latin1Write: (bytes: Uint8Array, text: ByteString, at: number) => void
}

/** So many arguments fit on the stack of a call everywhere. */
const charactersPerCall = 4096

const sliceByCharacter = (bytes: Uint8Array, start: number, end: number): ByteString => {
  let text = ''
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0)
  return text
}

/** The codec that needs nothing but the language. */
export const pureLatin1: Latin1Codec = {
  latin1Slice: (bytes, start, end) => {
    if (end - start <= 12) return sliceByCharacter(bytes, start, end)
    let text = ''
    for (let at = start; at < end; at += charactersPerCall) {
      text += Reflect.apply(String.fromCharCode, undefined, bytes.subarray(at, Math.min(end, at + charactersPerCall)))
    }
    return text
  },
  latin1Write: (bytes, text, at) => {
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
  },
}
