/** What systemd says about a unit while it reads it. */

export type MessagePriority = 'error' | 'warning' | 'notice' | 'info'

/** A complaint about one value, without a place yet. */
export type ValueFinding = { readonly priority: MessagePriority; readonly text: string }

/** A line of the journal about a unit: with a line number about an assignment, without about the unit. */
export type UnitMessage = ValueFinding & {
  /** Of the last physical line of the assignment. */
  readonly line?: number
  /** Path of the file, where it is known. */
  readonly file?: string
  /** The name that the unit went by when this was said, where that is not its main one. */
  readonly unit?: string
}
