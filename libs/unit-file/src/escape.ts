/** Any text as part of a unit name and back, as `systemd-escape` does it. spec/unit-files.md §5. */
import { err, ok, type Result } from '@cluster/prelude'
import { byteStringOfText, textOfByteString } from './byte-text.ts'
import { isNormalizedPath, isPathLength, simplifyPath } from './path-text.ts'

/** Why a text cannot be escaped or read back; `message` says it for a person. */
export type EscapeError = {
  readonly kind: 'bad-escape' | 'not-normalized' | 'empty' | 'hashed'
  readonly message: string
}

/**
 * The text as part of a unit name: `/` becomes `-`; a leading dot and every byte but `A–Z a–z 0–9 : _ .` becomes
 * `\xhh`. `unescapeName` undoes it.
 */
export function escapeName(text: string): string {
  return escapeBytes(byteStringOfText(text), hexEscape)
}

/**
 * The text of an escaped part of a name: `-` becomes `/`, `\xhh` its byte (bytes that are not UTF-8 become
 * U+DC80…U+DCFF, as everywhere here). A zero byte ends the text, as it does in systemd.
 */
export function unescapeName(escaped: string): Result<string, EscapeError> {
  const bytes = byteStringOfText(escaped)
  let text = ''
  for (let index = 0; index < bytes.length; index++) {
    const char = bytes.charAt(index)
    if (char === '\\') {
      const digits = /^x[0-9a-fA-F]{2}/.exec(bytes.slice(index + 1, index + 4))
      if (digits === null) return err({ kind: 'bad-escape', message: badEscape(escaped) })
      text += String.fromCharCode(Number.parseInt(digits[0].slice(1), 16))
      index += 3
    } else text += char === '-' ? '/' : char
  }
  const end = text.indexOf('\0')
  return ok(textOfByteString(end === -1 ? text : text.slice(0, end)))
}

const badEscape = (escaped: string): string => `in “${escaped}” a \\ is not followed by x and two hexadecimal digits`

/**
 * A path as the name of a device, mount, swap or automount, without its type: `/dev/sda` becomes `dev-sda`, the root
 * `-`. Slashes that say nothing and `.` parts vanish; a path with `..` is refused.
 *
 * @see pathRemark for paths that are taken but do not come back
 */
export function escapePath(path: string): Result<string, EscapeError> {
  const simple = simplifyPath(path)
  if (simple === '' || simple === '/') return ok('-')
  if (!isNormalizedPath(simple)) {
    return err({ kind: 'not-normalized', message: `“${path}” is not a path without “.” and “..”` })
  }
  return ok(escapeName(simple.replace(/^\//, '')))
}

/**
 * Why `unescapePath(escapePath(path))` is not the path, or why there is no `escapePath(path)`; absent for a clean
 * absolute path.
 */
export function pathRemark(path: string): 'empty' | 'too-long' | 'relative' | 'not-normalized' | undefined {
  if (path === '') return 'empty'
  if (!isPathLength(path)) return 'too-long'
  if (!path.startsWith('/')) return 'relative'
  return escapePath(path).ok ? undefined : 'not-normalized'
}

/** The absolute path of an escaped one: `-` is the root. Refused when it is empty or has empty, `.` or `..` parts. */
export function unescapePath(escaped: string): Result<string, EscapeError> {
  if (escaped === '') return err({ kind: 'empty', message: 'the escaped path is empty' })
  if (escaped === '-') return ok('/')
  const text = unescapeName(escaped)
  if (!text.ok) return text
  const path = `/${text.value}`
  if (text.value.startsWith('/') || text.value.endsWith('/') || !isNormalizedPath(path)) {
    return err({ kind: 'not-normalized', message: `“${escaped}” stands for “${path}”, which is not a clean path` })
  }
  return ok(path)
}

/** `escapeName` as go-systemd does it: bytes below 16 get one digit only. */
export const goEscapeName = (text: string): string => escapeBytes(byteStringOfText(text), goHexEscape)

/** `unescapeName` as go-systemd does it: what cannot be undone stays, also `\x80` and above; nothing is refused. */
export const goUnescapeName = (escaped: string): string => textOfByteString(goUnescapeBytes(byteStringOfText(escaped)))

/** `escapePath` as go-systemd does it: slashes are joined, `.` and `..` are parts like others. */
export function goEscapePath(path: string): string {
  const joined = path
    .split('/')
    .filter((part) => part !== '')
    .join('/')
  return joined === '' ? '-' : goEscapeName(joined)
}

/** `unescapePath` as go-systemd does it: a `/` is put in front if there is none; nothing is refused. */
export function goUnescapePath(escaped: string): string {
  const text = goUnescapeName(escaped)
  return text.startsWith('/') ? text : `/${text}`
}

function escapeBytes(bytes: string, toHex: (code: number) => string): string {
  let escaped = ''
  for (let index = 0; index < bytes.length; index++) {
    const char = bytes.charAt(index)
    if (char === '/') escaped += '-'
    else if (/[A-Za-z0-9:_.]/.test(char) && !(index === 0 && char === '.')) escaped += char
    else escaped += toHex(char.charCodeAt(0))
  }
  return escaped
}

/** A byte as `\xhh`. */
export const hexEscape = (code: number): string => `\\x${code.toString(16).padStart(2, '0')}`

const goHexEscape = (code: number): string => `\\x${code.toString(16)}`

function goUnescapeBytes(bytes: string): string {
  let text = ''
  for (let index = 0; index < bytes.length; index++) {
    const char = bytes.charAt(index)
    // Go reads the two characters as a signed number of 8 bits, so a sign counts as a digit and 0x80 is too much.
    const digits = /^\\x([0-7][0-9a-fA-F]|[+-][0-9a-fA-F])/.exec(bytes.slice(index, index + 4))?.[1]
    if (digits !== undefined) {
      text += String.fromCharCode(Number.parseInt(digits, 16) & 0xff)
      index += 3
    } else text += char === '-' ? '/' : char
  }
  return text
}
