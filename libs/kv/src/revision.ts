import { assert } from '@cluster/prelude'
import type { Revision } from './kv.ts'

/** A number as a revision. What a store sends must be checked before: anything but a whole, safe number is a bug. */
export function toRevision(value: number): Revision {
  assert(Number.isSafeInteger(value) && value >= 0, `a revision is a whole number from 0 to 2^53 - 1, found ${value}`)
  return value as Revision // the only cast: this line is what the brand means
}
