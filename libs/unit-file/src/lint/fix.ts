/** Fixes applied to a text. */
import { decodeBytes } from '../byte-text.ts'
import { type Position, splitLines } from '../source.ts'
import type { LintFinding, TextEdit } from './finding.ts'

/** A text with fixes in it. */
export type FixedText = {
  readonly text: string
  /** The findings whose fixes are in it. */
  readonly applied: readonly LintFinding[]
}

/**
 * The text with the fixes of findings in it. Of two fixes that touch the same place the first one is made: look again
 * for the others. A fix is made as a whole or not at all.
 */
export function applyFixes(given: string | Uint8Array, findings: readonly LintFinding[]): FixedText {
  const text = typeof given === 'string' ? given : decodeBytes(given)
  const offsets = lineOffsets(text)
  const taken: Placed[] = []
  const applied: LintFinding[] = []
  for (const finding of findings) {
    const edits = finding.fix?.edits.map((edit) => placed(edit, text, offsets))
    if (edits === undefined || edits.some((edit) => taken.some((other) => overlap(edit, other)))) continue
    taken.push(...edits)
    applied.push(finding)
  }
  let fixed = text
  for (const { from, to, text: replacement } of [...taken].sort((one, other) => other.from - one.from)) {
    fixed = fixed.slice(0, from) + replacement + fixed.slice(to)
  }
  return { text: fixed, applied }
}

type Placed = { readonly from: number; readonly to: number; readonly text: string }

const placed = ({ range, text: replacement }: TextEdit, text: string, offsets: readonly number[]): Placed => ({
  from: offsetOf(range.start, text, offsets),
  to: offsetOf(range.end, text, offsets),
  text: replacement,
})

/** Where lines start. */
function lineOffsets(text: string): readonly number[] {
  const offsets: number[] = []
  let offset = 0
  for (const line of splitLines(text)) {
    offsets.push(offset)
    offset += line.text.length + line.end.length
  }
  return offsets
}

const offsetOf = ({ line, column }: Position, text: string, offsets: readonly number[]): number => {
  const start = offsets[line - 1]
  return start === undefined ? text.length : Math.min(start + column - 1, text.length)
}

/** Two edits at one place would depend on their order. */
const overlap = (one: Placed, other: Placed): boolean =>
  one.from === other.from ||
  (one.from < other.to && other.from < one.to) ||
  one.to === other.from ||
  other.to === one.from
