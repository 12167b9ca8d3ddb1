/**
 * Cases in which we do better than the original on purpose and no policy decides as recorded. Each is run like any
 * other; it passes when our answer differs from the recorded one in exactly these places. The list is printed with
 * every run of its set.
 */
import type { Difference } from './vector-set.ts'

export type Deviation = {
  readonly set: string
  /** The name of the case. */
  readonly case: string
  /** Number of the trap in spec/fleet.md §12, where it is one. */
  readonly trap?: number
  readonly reason: string
  /** Where our answer is another one, and which. */
  readonly outcome: readonly Difference[]
}

export const deviations: readonly Deviation[] = [
  {
    set: 'unit-values',
    case: 'known-options.json: [Mount]',
    reason: 'systemd 252 does expand specifiers in Type= of a mount: it says “Failed to resolve unit specifiers” of %z',
    outcome: [{ at: 'Type.specifiers', expected: false, actual: true }],
  },
]
