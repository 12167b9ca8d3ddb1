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

/** The codec that needs nothing but the language. */
export const pureLatin1: Latin1Codec = {
  latin1Slice: (bytes, start, end) => {
    let text = ''
    let at = start
    // Long ones in pieces that are flat: a text of a million concatenations costs more than it holds.
    for (; end - at > charactersPerCall; at += charactersPerCall) {
      text += Reflect.apply(String.fromCharCode, undefined, bytes.subarray(at, at + charactersPerCall))
    }
    // Eight at a time: half of what a call with all of them as arguments costs.
    for (; at + 8 <= end; at += 8) {
      text += String.fromCharCode(
        bytes[at] ?? 0,
        bytes[at + 1] ?? 0,
        bytes[at + 2] ?? 0,
        bytes[at + 3] ?? 0,
        bytes[at + 4] ?? 0,
        bytes[at + 5] ?? 0,
        bytes[at + 6] ?? 0,
        bytes[at + 7] ?? 0,
      )
    }
    for (; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0)
    return text
  },
  latin1Write: (bytes, text, at) => {
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
  },
}
