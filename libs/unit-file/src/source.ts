/**
 * The source text of a unit file as blocks of physical lines, without loss: what an editor works on and what the
 * systemd reading walks over. Lines are cut and joined as systemd 252 does it. Rules: spec/unit-files.md §1.1, §1.2, §13.
 */
import { byteLength, decodeBytes } from './byte-text.ts'

/** A line and the characters that end it: any of LF, CR, NUL and their pairs; `''` for a last line without an end. */
export type PhysicalLine = { readonly text: string; readonly end: string }

/** Line and column, both from 1; columns count UTF-16 units of the physical line. */
export type Position = { readonly line: number; readonly column: number }

type BlockLines = {
  readonly lines: readonly PhysicalLine[]
  /** Number of the block's first line. */
  readonly line: number
}

type LogicalLine = BlockLines & {
  /** The number that systemd reports: of the last physical line, one more if the file ends in a continuation. */
  readonly lastLine: number
  /** The joined line without white space around it. */
  readonly text: string
  /** Where `text` starts. */
  readonly at: Position
}

/** Comment lines that stand together. */
export type CommentBlock = BlockLines & { readonly kind: 'comment' }
/** Lines with nothing but white space that stand together. */
export type BlankBlock = BlockLines & { readonly kind: 'blank' }
/** A line longer than systemd reads (1 MiB): PID 1 stops here and refuses the file. */
export type OverlongBlock = BlockLines & { readonly kind: 'overlong' }
/** A section header; `name` is what its brackets hold. */
export type HeaderBlock = LogicalLine & { readonly kind: 'header'; readonly name: string }
/** `Key=value`, with the lines that continue it. */
export type AssignmentBlock = LogicalLine & {
  readonly kind: 'assignment'
  /** Name of the section it stands in, as written; absent before the first header. */
  readonly section?: string
  readonly key: string
  readonly value: string
  readonly valueAt: Position
}
/** A line that is neither: a broken header, no `=`, or nothing before it. */
export type JunkBlock = LogicalLine & {
  readonly kind: 'junk'
  readonly section?: string
  readonly reason: 'broken-header' | 'no-equals-sign' | 'no-key'
}

/** A part of a unit file: one logical line, or a run of comments or blank lines. */
export type UnitFileBlock = CommentBlock | BlankBlock | OverlongBlock | HeaderBlock | AssignmentBlock | JunkBlock

/** A unit file as written. `renderUnitFile(parseUnitFile(text))` is `text`. */
export type UnitFile = { readonly blocks: readonly UnitFileBlock[] }

/** systemd's `LONG_LINE_MAX`: a physical line must be shorter, a joined one not longer. */
const longLineBytesMax = 1_048_576
const byteOrderMark = '\ufeff'

/**
 * The blocks of a unit file. Takes every input: what systemd would refuse is a block too.
 *
 * @param text bytes, or text in which U+DC80…U+DCFF stand for bytes that are not UTF-8
 */
export function parseUnitFile(text: string | Uint8Array): UnitFile {
  const lines = splitLines(typeof text === 'string' ? text : decodeBytes(text))
  const blocks: UnitFileBlock[] = []
  let section: string | undefined
  let markSeen = false
  for (let index = 0; index < lines.length; ) {
    const first = lines[index]
    if (first === undefined) break
    const kind = lineKind(first.text)
    if (kind === 'overlong') {
      blocks.push({ kind, lines: [first], line: index + 1 })
      index += 1
      continue
    }
    if (kind !== 'content') {
      const next = runEnd(lines, index + 1, kind)
      blocks.push({ kind, lines: lines.slice(index, next), line: index + 1 })
      index = next
      continue
    }
    if (isWhole(first.text)) {
      const block = classify({ text: first.text, lastLine: index + 1 }, [first], index + 1, section)
      if (block.kind === 'header') section = block.name
      blocks.push(block)
      index += 1
      continue
    }
    const joined = joinLines(lines, index, markSeen)
    markSeen = joined.markSeen
    const of = lines.slice(index, index + joined.count)
    const block: UnitFileBlock = joined.overlong
      ? { kind: 'overlong', lines: of, line: index + 1 }
      : classify(joined, of, index + 1, section)
    if (block.kind === 'header') section = block.name
    blocks.push(block)
    index += joined.count
  }
  return { blocks }
}

/** The text of a unit file, exactly as it was read. */
export function renderUnitFile(file: UnitFile): string {
  let text = ''
  for (const block of file.blocks) for (const line of block.lines) text += line.text + line.end
  return text
}

/** Cuts a text at LF, CR and NUL as systemd's `read_line` does: different ends side by side are one, NUL closes. */
export function splitLines(text: string): readonly PhysicalLine[] {
  // nearly every file has LF alone, and looking for one character is many times faster than looking at each
  return text.includes('\r') || text.includes('\0') ? splitAtAnyEnd(text) : splitAtLineFeeds(text)
}

function splitAtLineFeeds(text: string): readonly PhysicalLine[] {
  const lines: PhysicalLine[] = []
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start)
    if (found === -1) {
      lines.push({ text: text.slice(start), end: '' })
      break
    }
    lines.push({ text: text.slice(start, found), end: '\n' })
    start = found + 1
  }
  return lines
}

function splitAtAnyEnd(text: string): readonly PhysicalLine[] {
  const lines: PhysicalLine[] = []
  for (let start = 0; start < text.length; ) {
    let end = start
    while (end < text.length && !isLineEnd(text.charCodeAt(end))) end += 1
    let next = end
    let seen = 0
    while (next < text.length && (seen & zeroEnd) === 0) {
      const kind = lineEndKind(text.charCodeAt(next))
      if (kind === 0 || (seen & kind) !== 0) break
      seen |= kind
      next += 1
    }
    lines.push({ text: text.slice(start, end), end: text.slice(end, next) })
    start = next
  }
  return lines
}

const zeroEnd = 1
const lineEndKind = (code: number): number => (code === 0 ? zeroEnd : code === 0x0a ? 2 : code === 0x0d ? 4 : 0)
const isLineEnd = (code: number): boolean => code === 0x0a || code === 0x0d || code === 0
const isSpace = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d

/** systemd's `strstrip`: exactly space, tab, LF and CR. */
export const stripText = (text: string): string => stripPart(text, 0, text.length)

function stripPart(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isSpace(text.charCodeAt(start))) start += 1
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function firstNonSpace(text: string, from = 0): number {
  let index = from
  while (index < text.length && isSpace(text.charCodeAt(index))) index += 1
  return index
}

type LineKind = 'overlong' | 'comment' | 'blank' | 'content'

function lineKind(text: string): LineKind {
  if (text.length * 3 >= longLineBytesMax && isOverlong(text)) return 'overlong'
  const start = firstNonSpace(text)
  if (start === text.length) return 'blank'
  return isCommentSign(text.charCodeAt(start)) ? 'comment' : 'content'
}

const isCommentSign = (code: number): boolean => code === 0x23 || code === 0x3b
const isComment = (text: string): boolean => isCommentSign(text.charCodeAt(firstNonSpace(text)))
const isOverlong = (text: string): boolean =>
  text.length * 3 >= longLineBytesMax && byteLength(text) >= longLineBytesMax

function runEnd(lines: readonly PhysicalLine[], from: number, kind: LineKind): number {
  let end = from
  for (let line = lines[end]; line !== undefined && lineKind(line.text) === kind; line = lines[end]) end += 1
  return end
}

/** Whether a physical line is a logical line as it stands: nothing continues it and it starts with no mark. */
const isWhole = (text: string): boolean => !endsEscaped(text) && text.charCodeAt(0) !== 0xfeff

/** A logical line and, for each part, where the part stands; no parts for one physical line that is all of it. */
type LogicalText = {
  readonly text: string
  readonly lastLine: number
  readonly parts?: readonly { readonly start: number; readonly line: number; readonly column: number }[]
}

type Joined = LogicalText & {
  readonly count: number
  readonly markSeen: boolean
  readonly overlong: boolean
}

function joinLines(lines: readonly PhysicalLine[], from: number, markSeenBefore: boolean): Joined {
  const texts: string[] = []
  const parts: { start: number; line: number; column: number }[] = []
  let markSeen = markSeenBefore
  let length = 0
  let lengthBytes = 0
  for (let index = from; ; index += 1) {
    const line = lines[index]
    if (line === undefined) {
      // what is pending at the end of the file counts, under the number of the line that is not there
      return { text: texts.join(''), parts, count: index - from, lastLine: index + 1, markSeen, overlong: false }
    }
    if (isOverlong(line.text)) {
      return { text: '', parts, count: index - from + 1, lastLine: index + 1, markSeen, overlong: true }
    }
    if (isComment(line.text) && index > from) continue
    const marked: boolean = !markSeen && line.text.startsWith(byteOrderMark)
    if (marked) markSeen = true
    const text = marked ? line.text.slice(1) : line.text
    const continued = endsEscaped(text)
    lengthBytes += byteLength(text)
    if (index > from && lengthBytes > longLineBytesMax) {
      return { text: '', parts, count: index - from + 1, lastLine: index + 1, markSeen, overlong: true }
    }
    parts.push({ start: length, line: index + 1, column: marked ? 2 : 1 })
    texts.push(continued ? `${text.slice(0, -1)} ` : text)
    length += text.length
    if (!continued) {
      return { text: texts.join(''), parts, count: index - from + 1, lastLine: index + 1, markSeen, overlong: false }
    }
  }
}

/** Whether a line ends in a backslash that no other backslash undoes. */
function endsEscaped(text: string): boolean {
  let count = 0
  while (count < text.length && text.charCodeAt(text.length - 1 - count) === 0x5c) count += 1
  return count % 2 === 1
}

function classify(
  logical: LogicalText,
  lines: readonly PhysicalLine[],
  line: number,
  section: string | undefined,
): UnitFileBlock {
  const text = stripText(logical.text)
  if (text === '') return { kind: 'blank', lines, line }
  const { lastLine } = logical
  const start = text.length === logical.text.length ? 0 : firstNonSpace(logical.text)
  const at = positionOf(logical, start)
  const isBracket = text.charCodeAt(0) === 0x5b
  if (isBracket && text.length > 1 && text.endsWith(']')) {
    return { kind: 'header', lines, line, lastLine, text, at, name: text.slice(1, -1) }
  }
  const equals = isBracket ? -1 : text.indexOf('=')
  if (equals <= 0) {
    const reason = isBracket ? 'broken-header' : equals === 0 ? 'no-key' : 'no-equals-sign'
    return { kind: 'junk', lines, line, lastLine, text, at, ...(section === undefined ? {} : { section }), reason }
  }
  const valueStart = firstNonSpace(text, equals + 1)
  const key = stripPart(text, 0, equals)
  const value = text.slice(valueStart)
  const valueAt = positionOf(logical, start + valueStart)
  // written out twice: a spread here costs as much as all the rest of the line
  return section === undefined
    ? { kind: 'assignment', lines, line, lastLine, text, at, key, value, valueAt }
    : { kind: 'assignment', lines, line, lastLine, text, at, section, key, value, valueAt }
}

function positionOf({ parts, lastLine }: LogicalText, offset: number): Position {
  if (parts === undefined) return { line: lastLine, column: offset + 1 }
  let found = parts[0]
  for (const part of parts) if (part.start <= offset) found = part
  return found === undefined
    ? { line: lastLine, column: 1 }
    : { line: found.line, column: found.column + offset - found.start }
}
