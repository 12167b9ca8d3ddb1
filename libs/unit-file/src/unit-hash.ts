/** The identity of a unit's content in a fleet cluster: SHA-1 over its rendered options. Rules: spec/fleet.md §2.4. */
import { sha1 } from '@noble/hashes/legacy.js'
import { encodeText } from './byte-text.ts'
import type { UnitOption } from './option.ts'
import { renderOptions } from './render.ts'

/** The 20 bytes of the hash, as they stand in fleet's `job/NAME/object`. */
export const hashBytes = (options: readonly UnitOption[]): Uint8Array => sha1(encodeText(renderOptions(options)))

/** The hash in 40 lower-case hex digits. */
export const hashOptions = (options: readonly UnitOption[]): string => {
  let hex = ''
  for (const byte of hashBytes(options)) hex += byte.toString(16).padStart(2, '0')
  return hex
}

/** The form that fleet prints: the first 7 digits. */
export const shortHash = (hash: string): string => hash.slice(0, 7)
