/** Where in a file something stands, and edits of it. */
import type { AssignmentBlock, HeaderBlock, JunkBlock, Position, UnitFileBlock } from '../source.ts'
import type { LintRange, TextEdit } from './finding.ts'

type LogicalBlock = AssignmentBlock | HeaderBlock | JunkBlock

const isComment = (text: string): boolean => /^[ \t\n\r]*[#;]/.test(text)
const byteOrderMark = '\ufeff'

/** One physical line of a block's text: where in the text it begins, where in the file, and how long it is. */
type Part = { readonly start: number; readonly at: Position; readonly length: number }

/** A block of very many lines may have a finding in each: its lines are walked once. */
const partsByBlock = new WeakMap<LogicalBlock, readonly Part[]>()

function partsOf(block: LogicalBlock): readonly Part[] {
  const known = partsByBlock.get(block)
  if (known !== undefined) return known
  const leading = block.lines[0]?.text.startsWith(byteOrderMark) === true && block.at.column > 1 ? 1 : 0
  const parts: Part[] = []
  let start = 0
  let skipped: number | undefined
  for (const [index, line] of block.lines.entries()) {
    if (index > 0 && isComment(line.text)) continue
    const cut = index === 0 ? leading : 0
    const length = line.text.length - cut
    const at = { line: block.line + index, column: cut + 1 }
    if (skipped === undefined) {
      // white space before the text, which may be whole lines
      if (at.line < block.at.line) {
        start += length
        continue
      }
      skipped = start + block.at.column - at.column
    }
    parts.push({ start: start - skipped, at, length })
    start += length
  }
  partsByBlock.set(block, parts)
  return parts
}

/** Where a character of the joined, stripped text of a block stands. */
export function positionIn(block: LogicalBlock, offset: number): Position {
  const parts = partsOf(block)
  // the last part that begins at or before the character
  let low = 0
  let high = parts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((parts[middle]?.start ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  const part = parts[low - 1]
  if (part === undefined) return block.at
  return { line: part.at.line, column: part.at.column + Math.min(offset - part.start, part.length) }
}

/** A part of the text of a block. */
export const rangeIn = (block: LogicalBlock, from: number, to: number): LintRange => {
  const start = positionIn(block, from)
  if (to <= from) return { start, end: start }
  const last = positionIn(block, to - 1)
  return { start, end: { line: last.line, column: last.column + 1 } }
}

/** Where the value begins in the text of an assignment. */
export const valueOffset = (block: AssignmentBlock): number => block.text.length - block.value.length

export const keyRange = (block: AssignmentBlock): LintRange => rangeIn(block, 0, block.key.length)

/** The value of an assignment, or a part of it. Of an empty one: the key. */
export function valueRange(block: AssignmentBlock, from = 0, to = block.value.length): LintRange {
  if (block.value === '') return keyRange(block)
  const offset = valueOffset(block)
  return rangeIn(block, offset + from, offset + to)
}

export const textRange = (block: LogicalBlock): LintRange => rangeIn(block, 0, block.text.length)

/** A physical line without what ends it, by its number in the block. */
export function lineRange(block: UnitFileBlock, index: number, from = 0): LintRange {
  const text = block.lines[index]?.text ?? ''
  const line = block.line + index
  return { start: { line, column: from + 1 }, end: { line, column: Math.max(text.length, from) + 1 } }
}

/** The first character of a file, for what has no other place. */
export const startOfFile: LintRange = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } }

/** All lines of a block with what ends them. */
export const removeBlock = (block: UnitFileBlock): TextEdit => ({
  range: { start: { line: block.line, column: 1 }, end: { line: block.line + block.lines.length, column: 1 } },
  text: '',
})

export const replaceRange = (range: LintRange, text: string): TextEdit => ({ range, text })

/** A value, or a part of it, written anew. A part over several lines becomes one line. */
export const replaceValue = (block: AssignmentBlock, text: string, from = 0, to = block.value.length): TextEdit =>
  replaceRange(valueRange(block, from, to), text)

/** New lines above a block. */
export const insertAbove = (block: UnitFileBlock, text: string): TextEdit => ({
  range: { start: { line: block.line, column: 1 }, end: { line: block.line, column: 1 } },
  text: `${text}${lineEndOf(block)}`,
})

/** New lines below a block. */
export function insertBelow(block: UnitFileBlock, text: string): TextEdit {
  const index = block.lines.length - 1
  const last = block.lines[index]
  const line = block.line + index
  const column = (last?.text.length ?? 0) + 1
  return { range: { start: { line, column }, end: { line, column } }, text: `${lineEndOf(block)}${text}` }
}

const lineEndOf = (block: UnitFileBlock): string => (block.lines.some(({ end }) => end === '\r\n') ? '\r\n' : '\n')
